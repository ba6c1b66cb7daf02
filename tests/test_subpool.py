"""`Pool.subpool`: at most so many of a pool's places at once."""

import random
import threading
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, SubPool
from support import LIMIT, Gate, Thread, assert_settled, eventually, many


class Meter:
    """A task that knows how many of its kind run at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0
        self.ran = 0

    def __call__(self, value: Any = None) -> Any:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        if random.random() < 0.2:
            time.sleep(0.0003)
        with self._lock:
            self._now -= 1
            self.ran += 1
        return value


def numbers(sub: SubPool) -> tuple[int, int, int, int]:
    return sub.capacity, sub.running, sub.free, sub.waiting


def test_at_most_n_of_the_places_are_taken_and_the_others_stay_free(gate: Gate) -> None:
    with Pool(4, overflow="raise") as pool:
        sub = pool.subpool(2)
        futures = [sub.submit(gate, number) for number in range(2)]
        gate.wait_entered(2)
        for call in (sub.submit, sub.go):
            with pytest.raises(PoolOverloadError, match="2"):
                call(gate)
        assert numbers(sub) == (2, 2, 0, 0)
        futures += [pool.submit(gate, number) for number in (2, 3)]  # the parent's own go on
        gate.wait_entered(2)
        with pytest.raises(PoolOverloadError, match="4"):
            pool.submit(gate)
        gate.open()
        assert [future.result(LIMIT) for future in futures] == [0, 1, 2, 3]
        assert sub.wait(LIMIT)
        assert numbers(sub) == (2, 0, 2, 0)
        assert_settled(pool)
        assert pool.stats().rejected == 3


@pytest.mark.parametrize("queue_size", [0, 3, None])
def test_never_more_than_n_run_however_many_submit(queue_size: int | None) -> None:
    inside, others = Meter(), Meter()
    with Pool(5, queue_size=queue_size) as pool:
        sub = pool.subpool(3)

        def submit_many() -> None:
            for number in range(many(150)):
                if number % 3:
                    sub.go(inside)
                else:
                    pool.go(others)

        for thread in [Thread(submit_many) for _ in range(12)]:
            thread.result()
        assert sub.wait(LIMIT)
        assert_settled(pool)
        assert numbers(sub) == (3, 0, 3, 0)
    of_others = len(range(0, many(150), 3))
    assert (inside.ran, others.ran) == (12 * (many(150) - of_others), 12 * of_others)
    assert 1 <= inside.most <= 3
    assert 1 <= others.most <= 5


def test_the_capacity_of_the_parent_holds_for_a_larger_sub_pool() -> None:
    meter = Meter()
    with Pool(2) as pool:
        sub = pool.subpool(50)
        threads = [Thread(sub.submit, meter, number) for number in range(40)]
        for thread in threads:
            thread.result().result(LIMIT)
        assert_settled(pool)
        assert pool.stats().workers_started <= 2
    assert meter.most <= 2


def test_two_sub_pools_share_the_parent() -> None:
    first, second = Meter(), Meter()
    with Pool(3) as pool:
        subs = [(pool.subpool(1), first), (pool.subpool(2), second)]

        def submit_many(sub: SubPool, meter: Meter) -> None:
            for _ in range(many(200)):
                sub.go(meter)

        for thread in [Thread(submit_many, *pair) for pair in subs * 3]:
            thread.result()
        assert_settled(pool)
    assert (first.most, first.ran, second.ran) == (1, 3 * many(200), 3 * many(200))
    assert second.most <= 2


def test_blocked_submitters_are_those_of_the_sub_pool(gate: Gate) -> None:
    with Pool(3) as pool:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        blocked = Thread(sub.submit, abs, -1)
        eventually(lambda: sub.waiting == 1)
        assert (pool.waiting, numbers(sub)) == (0, (1, 1, 0, 1))
        assert pool.submit(abs, -2).result(LIMIT) == 2
        assert blocked.is_alive()
        gate.open()
        assert blocked.result().result(LIMIT) == 1
        assert_settled(pool)


def test_a_sub_pools_task_that_waits_for_a_place_in_the_pool_has_one_in_the_sub_pool(gate: Gate) -> None:
    with Pool(1) as pool:
        sub = pool.subpool(1)
        pool.go(gate)
        gate.wait_entered()
        blocked = Thread(sub.submit, abs, -1)
        eventually(lambda: pool.waiting == 1)
        assert numbers(sub) == (1, 1, 0, 0)
        with pytest.raises(TimeoutError):
            sub.options(timeout=0.01).submit(abs, -2)
        gate.open()
        assert blocked.result().result(LIMIT) == 1
        assert sub.wait(LIMIT)
        assert numbers(sub) == (1, 0, 1, 0)


@pytest.mark.parametrize("task", [int, exit, print])
def test_a_task_gives_its_place_back_whatever_comes_of_it(task: Any) -> None:
    seen: list[BaseException] = []
    with Pool(2, overflow="raise", exception_handler=seen.append) as pool:
        sub = pool.subpool(1)
        for _ in range(many(100)):
            sub.submit(task, "").exception(LIMIT)
            assert numbers(sub) == (1, 0, 1, 0)
            sub.go(task, "")
            assert sub.wait(LIMIT)
        assert_settled(pool)
    assert len(seen) in (0, many(100))


def test_cancelling_a_task_gives_both_places_back(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        sub = pool.subpool(1)
        pool.go(gate)
        gate.wait_entered()
        for _ in range(200):
            future = sub.submit(abs, -1)
            assert numbers(sub) == (1, 1, 0, 0)
            assert future.cancel()
            assert numbers(sub) == (1, 0, 1, 0)
        queued = sub.submit(abs, -1)
        blocked = Thread(sub.submit, abs, -2)
        eventually(lambda: sub.waiting == 1)
        assert queued.cancel()
        future = blocked.result()
        assert sub.wait(timeout=0) is False
        gate.open()
        assert future.result(LIMIT) == 2
        assert sub.wait(LIMIT)
        assert_settled(pool)
        assert pool.stats().cancelled == 201


def test_a_deadline_gives_both_places_back(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        sub = pool.subpool(1)
        pool.go(gate)
        gate.wait_entered()
        late = sub.options(deadline=1000).submit(abs, -1)
        blocked = Thread(sub.submit, abs, -2)
        eventually(lambda: sub.waiting == 1)
        pool._advance_clock(1000)
        future = blocked.result()
        assert late.cancelled()
        gate.open()
        assert future.result(LIMIT) == 2
        assert_settled(pool)


def test_refused_tasks_give_their_place_back(gate: Gate) -> None:
    with Pool(1, overflow="raise") as pool:
        sub = pool.subpool(5)
        pool.go(gate)
        gate.wait_entered()
        for _ in range(10):
            with pytest.raises(PoolOverloadError):
                sub.submit(abs, -1)  # there is a place here, and none in the pool
            with pytest.raises(TypeError):
                sub.submit(3)  # type: ignore[arg-type]
        assert numbers(sub) == (5, 0, 5, 0)
        gate.open()


def test_wait_is_for_the_tasks_of_the_sub_pool_only(gate: Gate) -> None:
    own = Gate()
    with Pool(3) as pool:
        sub = pool.subpool(1)
        assert sub.wait() is True
        pool.go(gate)
        sub.go(own)
        own.wait_entered()
        assert sub.wait(timeout=0) is False
        assert sub.wait(timeout=0.01) is False
        waiters = [Thread(sub.wait, LIMIT) for _ in range(3)]
        own.open()
        assert [waiter.result() for waiter in waiters] == [True] * 3
        assert pool.wait(timeout=0) is False
        gate.open()


def test_wait_returns_when_the_results_have_been_told() -> None:
    told: list[int] = []

    def tell(_: object) -> None:
        time.sleep(0.02)
        told.append(1)

    started = Gate()
    with Pool(2) as pool:
        sub = pool.subpool(1)
        future = sub.submit(started)
        future.add_done_callback(tell)
        started.open()
        assert sub.wait(LIMIT)
        assert told == [1]


def test_tune_sets_how_many(gate: Gate) -> None:
    with Pool(8) as pool:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        blocked = [Thread(sub.go, gate) for _ in range(4)]
        eventually(lambda: sub.waiting == 4)
        sub.tune(3)
        gate.wait_entered(2)
        assert numbers(sub) == (3, 3, 0, 2)
        sub.tune(1)
        assert numbers(sub) == (1, 3, 0, 2)
        gate.open()
        for thread in blocked:
            thread.result()
        assert sub.wait(LIMIT)
        assert numbers(sub) == (1, 0, 1, 0)
        meter = Meter()
        list(sub.map(meter, range(50)))
        assert meter.most == 1


@pytest.mark.parametrize(
    ("n", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (1.5, TypeError),
        ("2", TypeError),
        (True, TypeError),
        (None, TypeError),
    ],
)
def test_n_is_a_whole_number_of_at_least_1(n: Any, error: type[Exception]) -> None:
    with Pool(2) as pool:
        sub = pool.subpool(1)
        for call in (pool.subpool, sub.tune):
            with pytest.raises(error, match=rf"^n must be .* not {n!r}$"):
                call(n)
        with pytest.raises(TypeError, match="n must be an int, not <SubPool"):
            pool.subpool(sub)  # type: ignore[arg-type]
        assert sub.capacity == 1


def test_a_cancelled_future_of_a_sub_pool_is_one_like_any_other(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        future = pool.subpool(1).submit(abs, -1)
        assert future.cancel()
        with pytest.raises(CancelledError):
            future.result(LIMIT)
        pool.release()
        with pytest.raises(PoolClosedError):
            pool.subpool(1).submit(abs, -1)
        gate.open()

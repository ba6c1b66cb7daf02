"""A counter of unfinished jobs, as Go's `sync.WaitGroup`. For `await` see test_await.py."""

import threading
import time
from typing import Any

import antspy
import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, WaitGroup
from support import Gate, Thread


def test_wait_returns_when_all_jobs_are_done() -> None:
    group = WaitGroup()
    group.add(2)
    waiters = [Thread(group.wait) for _ in range(5)]
    group.done()
    time.sleep(0.02)
    assert all(waiter.is_alive() for waiter in waiters)
    group.done()
    assert [waiter.result() for waiter in waiters] == [True] * 5


def test_a_group_with_nothing_to_do_does_not_wait() -> None:
    assert WaitGroup().wait() is True
    assert WaitGroup().wait(timeout=0) is True


def test_wait_returns_false_when_it_takes_too_long() -> None:
    group = WaitGroup()
    group.add()
    assert group.wait(timeout=0) is False
    assert group.wait(timeout=0.02) is False
    group.done()
    assert group.wait(timeout=0.02) is True


def test_count_is_what_was_added_and_is_not_done() -> None:
    group = WaitGroup()
    group.add()
    group.add(5)
    group.add(-2)
    group.done()
    group.add(0)
    assert group.count == 3
    assert "3" in repr(group)


@pytest.mark.parametrize("call", [lambda group: group.done(), lambda group: group.add(-3)])
def test_a_count_below_zero_is_refused_and_leaves_the_count_as_it_was(call: Any) -> None:
    group = WaitGroup()
    with pytest.raises(ValueError, match="below 0"):
        call(group)
    assert group.count == 0
    group.add(2)
    with pytest.raises(ValueError, match=r"-3"):
        group.add(-3)
    assert group.count == 2


def test_a_group_can_be_used_again_and_again() -> None:
    ran: list[int] = []
    with Pool(4) as pool:
        group = WaitGroup(pool)
        for batch in range(200):
            for _ in range(10):
                group.go(ran.append, batch)
            assert group.wait(timeout=10)
            assert len(ran) == 10 * (batch + 1)


def test_go_runs_a_task_with_its_arguments_and_counts_it(gate: Gate) -> None:
    seen: list[Any] = []

    def task(*args: object, **kwargs: object) -> None:
        gate()
        seen.append((args, kwargs))

    with Pool(2) as pool:
        group = WaitGroup(pool)
        group.go(task, 1, key=2)
        assert group.count == 1
        gate.open()
        assert group.wait(timeout=10)
    assert seen == [((1,), {"key": 2})]


def test_go_without_a_pool_uses_the_default_pool() -> None:
    names: list[str] = []
    group = WaitGroup()
    group.go(lambda: names.append(threading.current_thread().name))
    assert group.wait(timeout=10)
    assert names[0].startswith("antspy-default")
    assert antspy.running() >= 1


def test_a_task_that_raises_is_done_and_its_exception_is_handled() -> None:
    seen: list[BaseException] = []
    with Pool(2, exception_handler=seen.append) as pool:
        group = WaitGroup(pool)
        group.go(divmod, 1, 0)
        assert group.wait(timeout=10)
        assert [type(error) for error in seen] == [ZeroDivisionError]


def test_a_go_that_is_refused_leaves_the_count_as_it_was(gate: Gate) -> None:
    pool = Pool(1, overflow="raise")
    group = WaitGroup(pool)
    group.go(gate)
    with pytest.raises(PoolOverloadError):
        group.go(gate)
    with pytest.raises(TypeError, match="fn"):
        group.go(None)  # type: ignore[arg-type]
    assert group.count == 1
    pool.release()
    with pytest.raises(PoolClosedError):
        group.go(gate)
    assert group.count == 1
    gate.open()
    assert group.wait(timeout=10)


def test_a_task_that_is_discarded_or_cancelled_is_done(gate: Gate) -> None:
    pool = Pool(1, overflow="discard")
    other = Pool(1, queue_size=1)
    discarded, cancelled = WaitGroup(pool), WaitGroup(other)
    pool.go(gate)
    other.go(gate)
    gate.wait_entered(2)
    discarded.go(gate)
    cancelled.go(gate)
    assert (discarded.count, cancelled.count) == (0, 1)
    other.shutdown(wait=False, cancel_futures=True)
    assert cancelled.wait(timeout=10)
    gate.open()
    pool.shutdown()
    other.shutdown()


def test_with_waits_at_its_end() -> None:
    seen: list[int] = []

    def task(number: int) -> None:
        time.sleep(0.02)
        seen.append(number)

    with Pool(4) as pool:
        with WaitGroup(pool) as group:
            for number in range(4):
                group.go(task, number)
        assert sorted(seen) == [0, 1, 2, 3]


def test_with_waits_also_when_its_body_raises(gate: Gate) -> None:
    with Pool(1) as pool:
        group = WaitGroup(pool)

        def body() -> None:
            with group:
                group.go(time.sleep, 0.05)
                raise LookupError("the body's own")

        with pytest.raises(LookupError, match="the body's own"):
            body()
        assert group.count == 0


@pytest.mark.timeout(30)
def test_no_wake_up_is_lost_between_the_last_done_and_a_wait() -> None:
    with Pool(4) as pool:
        for number in range(3000):
            group = WaitGroup(pool)
            for _ in range(number % 4 + 1):
                group.go(int)
            assert group.wait(timeout=10)
            assert group.count == 0


def test_a_tasks_place_is_free_when_its_group_is_told() -> None:
    with Pool(1, overflow="raise") as pool:
        group = WaitGroup(pool)
        for _ in range(1000):
            group.go(int)
            assert group.wait(timeout=10)

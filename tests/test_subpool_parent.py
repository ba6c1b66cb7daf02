"""Sub-pools and what else a pool does: its overflow, its end, nested tasks, groups, maps and terms."""

import gc
import threading
import weakref

import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, SubPool
from antspy.settings import Overflow
from support import LIMIT, Gate, Thread, assert_settled, eventually


def test_caller_runs(gate: Gate) -> None:
    with Pool(3, overflow="caller_runs") as pool:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        assert sub.submit(threading.get_ident).result(LIMIT) == threading.get_ident()
        assert pool.submit(threading.get_ident).result(LIMIT) != threading.get_ident()
        gate.open()
        assert_settled(pool)


def test_discard(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(3, overflow="discard") as pool:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        assert sub.submit(ran.append, 1).cancelled()
        sub.go(ran.append, 2)
        assert pool.stats().discarded == 2
        pool.submit(ran.append, 3).result(LIMIT)
        gate.open()
        assert sub.wait(LIMIT)
        sub.submit(ran.append, 4).result(LIMIT)
        assert_settled(pool)
    assert ran == [3, 4]


def test_no_more_callers_are_blocked_than_the_parent_allows(gate: Gate) -> None:
    with Pool(3, max_blocking=1) as pool:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        blocked = Thread(sub.submit, abs, -1)
        eventually(lambda: sub.waiting == 1)
        overloaded = Thread(sub.submit, abs, -2)
        with pytest.raises(PoolOverloadError):
            overloaded.result()
        gate.open()
        assert blocked.result().result(LIMIT) == 1
        assert_settled(pool)


@pytest.mark.parametrize("wait", [True, False])
def test_closing_the_parent_sends_blocked_submitters_away(gate: Gate, wait: bool) -> None:
    pool = Pool(3)
    sub = pool.subpool(1)
    running = sub.submit(gate, 1)
    gate.wait_entered()
    blocked = [Thread(call, abs, -1) for call in (sub.submit, sub.go, sub.options(timeout=LIMIT).submit)]
    eventually(lambda: sub.waiting == 3)
    closing = Thread(pool.shutdown, wait)
    for thread in blocked:
        with pytest.raises(PoolClosedError):
            thread.result()
    assert sub.closed
    with pytest.raises(PoolClosedError):
        sub.submit(abs, -1)
    gate.open()
    closing.result()
    assert running.result(LIMIT) == 1
    assert sub.wait(LIMIT)
    assert (sub.running, sub.waiting, pool.stats().rejected) == (0, 0, 4)
    pool.shutdown()
    pool.reboot()
    assert sub.submit(abs, -3).result(LIMIT) == 3
    pool.shutdown()


def test_closing_the_parent_sends_those_away_that_wait_for_its_own_places(gate: Gate) -> None:
    pool = Pool(1)
    sub = pool.subpool(1)
    pool.go(gate)
    gate.wait_entered()
    blocked = Thread(sub.submit, abs, -1)
    eventually(lambda: pool.waiting == 1)
    pool.release()
    with pytest.raises(PoolClosedError):
        blocked.result()
    assert sub.running == 0
    gate.open()
    pool.shutdown()


def test_closing_meets_submitting() -> None:
    for _ in range(100):
        pool = Pool(2)
        sub = pool.subpool(1)
        start = threading.Barrier(5)

        def submit_many(sub: SubPool = sub, start: threading.Barrier = start) -> int:
            start.wait(LIMIT)
            for count in range(1000):
                try:
                    sub.go(int)
                except PoolClosedError:
                    return count
            return 1000

        threads = [Thread(submit_many) for _ in range(4)]
        start.wait(LIMIT)
        pool.shutdown()
        accepted = sum(thread.result() for thread in threads)
        assert pool.stats().completed == accepted
        assert (sub.running, sub.waiting) == (0, 0)


@pytest.mark.parametrize("queue_size", [0, 1, None])
@pytest.mark.parametrize("capacity", [1, 3])
def test_a_task_that_submits_to_its_own_sub_pool_of_one_does_not_deadlock(
    capacity: int, queue_size: int | None
) -> None:
    with Pool(capacity, queue_size=queue_size) as pool:
        sub = pool.subpool(1)

        def down(left: int) -> int:
            return 1 + sub.submit(down, left - 1).result(LIMIT) if left else 0

        assert sub.submit(down, 50).result(LIMIT) == 50
        assert pool.submit(down, 50).result(LIMIT) == 50
        assert sub.wait(LIMIT)
        assert (sub.running, sub.waiting) == (0, 0)
        assert_settled(pool)


@pytest.mark.parametrize("queue_size", [0, 1, None])
def test_tasks_of_two_sub_pools_that_submit_to_each_other(queue_size: int | None) -> None:
    with Pool(2, queue_size=queue_size) as pool:
        subs = [pool.subpool(1), pool.subpool(1)]

        def down(left: int) -> int:
            return 1 + subs[left % 2].submit(down, left - 1).result(LIMIT) if left else 0

        threads = [Thread(subs[number % 2].submit, down, 20) for number in range(8)]
        assert [thread.result().result(LIMIT) for thread in threads] == [20] * 8
        assert_settled(pool)
        assert [sub.running for sub in subs] == [0, 0]


def test_go_in_a_task_of_a_full_sub_pool_runs_at_once() -> None:
    order: list[str] = []
    with Pool(2) as pool:
        sub = pool.subpool(1)

        def outer() -> None:
            sub.go(order.append, "inner")
            order.append("outer")

        sub.submit(outer).result(LIMIT)
        assert_settled(pool)
    assert order == ["inner", "outer"]


@pytest.mark.parametrize("queue_size", [0, None])
def test_a_group_in_a_sub_pool(queue_size: int | None) -> None:
    with Pool(3, queue_size=queue_size) as pool:
        sub = pool.subpool(1)
        with sub.group() as group:
            for number in range(20):
                group.submit(abs, -number)
        assert group.results() == list(range(20))

        def tree(depth: int) -> int:
            with sub.group() as inner:
                for _ in range(2 if depth else 0):
                    inner.submit(tree, depth - 1)
            results: list[int] = inner.results()
            return 1 + sum(results)

        assert sub.submit(tree, 4).result(LIMIT) == 31
        assert_settled(pool)
        assert sub.running == 0


@pytest.mark.parametrize("chunksize", [1, 3])
def test_map_in_a_sub_pool_looks_ahead_no_further_than_its_places(chunksize: int) -> None:
    taken: list[int] = []

    def take(number: int) -> int:
        taken.append(number)
        return number

    with Pool(8, queue_size=8) as pool:
        sub = pool.subpool(2)
        results = sub.map(abs, (take(number) for number in range(30)), chunksize=chunksize)
        assert len(taken) == 2 * chunksize
        assert list(results) == list(range(30))
        assert pool.submit(lambda: list(sub.map(abs, [-1, -2, -3]))).result(LIMIT) == [1, 2, 3]
        assert_settled(pool)


def test_a_map_in_a_sub_pool_keeps_its_timeout(gate: Gate) -> None:
    with Pool(8) as pool:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        with pytest.raises(TimeoutError):
            sub.map(abs, [-1], timeout=0.01)
        gate.open()
        assert sub.wait(LIMIT)
        assert list(sub.map(abs, [-1, -2], timeout=LIMIT)) == [1, 2]


def test_options_of_a_sub_pool(gate: Gate) -> None:
    with Pool(3) as pool:
        sub = pool.subpool(1)
        view = sub.options(timeout=0.01, name="polite")
        assert view.submit(abs, -1).name == "polite"
        assert sub.wait(LIMIT)
        view.go(gate)
        gate.wait_entered()
        for limited in (view, view.options(priority="high"), sub.options(timeout=0)):
            with pytest.raises(TimeoutError):
                limited.submit(abs, -1)
        assert (view.capacity, view.running, view.free, view.waiting) == (1, 1, 0, 0)
        assert view.wait(timeout=0) is False
        view.tune(2)
        assert sub.capacity == 2
        assert list(view.map(abs, [-1, -2])) == [1, 2]
        gate.open()
        assert view.wait(LIMIT)
        assert repr(view) == f"<PoolView of {sub!r} timeout=0.01 name='polite'>"
        assert repr(sub) == f"<SubPool capacity=2 of {pool!r}>"


def test_a_task_that_waits_for_a_sub_pool_of_its_own_pool_is_told_so() -> None:
    with Pool(1, queue_size=5) as pool:
        sub = pool.subpool(1)
        with pytest.raises(RuntimeError, match="itself"):
            sub.submit(sub.wait, 2).result(LIMIT)

        def outer() -> None:
            sub.go(int)  # queued: there is nobody else to run it
            sub.wait(2)

        with pytest.raises(RuntimeError, match="itself"):
            pool.submit(outer).result(LIMIT)
        assert sub.wait(LIMIT)
        assert pool.submit(sub.wait, 2).result(LIMIT) is True  # nothing to wait for


@pytest.mark.parametrize("overflow", ["block", "raise", "caller_runs", "discard"])
def test_an_empty_sub_pool_is_nothing_to_wait_for(overflow: Overflow) -> None:
    with Pool(1, overflow=overflow) as pool:
        sub = pool.subpool(3)
        assert sub.submit(abs, -1).result(LIMIT) == 1
        assert sub.wait(timeout=LIMIT)
        assert not sub.closed


def test_a_sub_pool_keeps_its_parent_and_is_not_kept_by_it() -> None:
    sub = Pool(1).subpool(1)
    assert sub.submit(abs, -1).result(LIMIT) == 1
    sub._pool.shutdown()
    with Pool(1) as pool:
        refs = [weakref.ref(pool.subpool(1)) for _ in range(100)]
        gc.collect()
        assert [ref() for ref in refs] == [None] * 100

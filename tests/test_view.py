"""`Pool.options`: a pool whose tasks are handed in on other terms. For lanes see test_priority.py."""

import threading
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest
from antspy import Pool, PoolOverloadError, PoolWithFunc
from support import LIMIT, Gate, Thread, assert_settled, eventually

SPENT = 1000.0
"""Seconds that only the pool's own clock lets pass."""


def keywords(*args: object, **kwargs: object) -> tuple[tuple[object, ...], dict[str, object]]:
    return args, kwargs


def test_every_keyword_of_a_call_goes_to_the_function() -> None:
    given = {"timeout": 1, "deadline": "never", "priority": None, "name": "mine", "fn": 2, "self": 3}
    seen: list[object] = []
    with Pool(1) as pool:
        view = pool.options(timeout=5, deadline=5, priority="high", name="its")
        future = view.submit(keywords, 1, **given)
        assert future.result(LIMIT) == ((1,), given)
        assert future.name == "its"
        view.go(lambda **kwargs: seen.append(kwargs), **given)
        assert pool.wait(LIMIT)
        assert pool.submit(keywords, **given).result(LIMIT) == ((), given)
    assert seen == [given]


@pytest.mark.parametrize("timeout", [0, 0.02])
def test_who_waits_for_a_place_for_too_long_gets_a_timeout_error(gate: Gate, timeout: float) -> None:
    ran: list[int] = []
    with Pool(1) as pool:
        pool.go(gate)
        gate.wait_entered()
        view = pool.options(timeout=timeout)
        for call in (view.submit, view.go):
            start = time.monotonic()
            with pytest.raises(TimeoutError):
                call(ran.append, 1)
            assert time.monotonic() - start >= timeout
        assert (pool.waiting, pool.queued, pool.stats().submitted) == (0, 0, 1)
        gate.open()
        assert_settled(pool)
        assert pool.stats().rejected == 2
        view.submit(ran.append, 2).result(LIMIT)  # the place is there
    assert ran == [2]


def test_who_gets_a_place_in_time_has_all_the_time_to_run(gate: Gate) -> None:
    with Pool(1) as pool:
        pool.go(gate)
        gate.wait_entered()
        blocked = Thread(lambda: pool.options(timeout=LIMIT).submit(abs, -1).result(LIMIT))
        eventually(lambda: pool.waiting == 1)
        gate.open()
        assert blocked.result() == 1
        assert pool.options(timeout=0).submit(time.sleep, 0.02).result(LIMIT) is None


def test_timeouts_that_meet_places_lose_neither() -> None:
    # Places come free just when the waits end: each task is either refused or run.
    ran: list[int] = []
    lock = threading.Lock()
    accepted = refused = 0

    def task(number: int) -> None:
        time.sleep(0.0002)
        ran.append(number)

    def submit_many(start: int) -> None:
        nonlocal accepted, refused
        for number in range(start, start + 300):
            try:
                view.go(task, number)
            except TimeoutError:
                with lock:
                    refused += 1
            else:
                with lock:
                    accepted += 1

    with Pool(2, queue_size=1) as pool:
        view = pool.options(timeout=0.0003)
        for thread in [Thread(submit_many, start) for start in range(0, 2400, 300)]:
            thread.result()
        assert_settled(pool)
        assert len(ran) == len(set(ran)) == accepted == pool.stats().completed
        assert refused == pool.stats().rejected == 2400 - accepted
        for _ in range(3):
            pool.options(timeout=LIMIT).submit(abs, -1).result(LIMIT)
    assert accepted > 0


def test_a_task_whose_deadline_passes_in_the_queue_is_cancelled_and_its_place_free(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        late = pool.options(deadline=SPENT).submit(ran.append, 1)
        called = threading.Event()
        late.add_done_callback(lambda _: called.set())
        blocked = Thread(pool.submit, ran.append, 2)
        eventually(lambda: pool.waiting == 1)
        pool._advance_clock(SPENT - 1)
        time.sleep(0.02)
        assert (late.done(), pool.waiting) == (False, 1)
        pool._advance_clock(1)
        future = blocked.result()  # goes on while the only worker is still busy
        assert late.cancelled()
        with pytest.raises(CancelledError):
            late.result(LIMIT)
        assert called.wait(LIMIT)
        assert (pool.queued, pool.stats().cancelled) == (1, 1)
        gate.open()
        future.result(LIMIT)
        assert_settled(pool)
    assert ran == [2]


def test_who_waits_for_the_result_of_a_task_that_is_late_is_told(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        waiter = Thread(pool.options(deadline=SPENT).submit(abs, -1).result)
        pool._advance_clock(SPENT)
        with pytest.raises(CancelledError):
            waiter.result()
        gate.open()


def test_go_tasks_that_are_late_are_counted_as_cancelled(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=100) as pool:
        pool.go(gate)
        gate.wait_entered()
        view = pool.options(deadline=SPENT)
        for number in range(100):
            (view if number % 2 else pool).go(ran.append, number)
        pool._advance_clock(SPENT)
        eventually(lambda: pool.stats().cancelled == 50)
        assert pool.queued == 50
        gate.open()
        assert_settled(pool)
        assert pool.stats().completed == 51
    assert ran == list(range(0, 100, 2))


def test_deadlines_pass_in_their_own_order(gate: Gate) -> None:
    with Pool(1, queue_size=None) as pool:
        pool.go(gate)
        gate.wait_entered()
        order = [7, 3, 9, 1, 5]
        futures = {seconds: pool.options(deadline=seconds * SPENT).submit(int) for seconds in order}
        for now in range(1, 10):
            pool._advance_clock(SPENT)
            due = [futures[seconds] for seconds in order if seconds <= now]
            for future in due:
                eventually(future.cancelled)
            assert [it.done() for it in futures.values()].count(True) == len(due)
        gate.open()
        assert_settled(pool)


def test_a_deadline_that_passes_while_waiting_for_a_place_is_a_timeout(gate: Gate) -> None:
    with Pool(1) as pool:
        pool.go(gate)
        gate.wait_entered()
        for view in (pool.options(deadline=0.02), pool.options(deadline=0.02, timeout=LIMIT)):
            with pytest.raises(TimeoutError):
                view.submit(abs, -1)
        with pytest.raises(TimeoutError):
            pool.options(deadline=LIMIT, timeout=0.02).go(abs, -1)
        assert (pool.stats().submitted, pool.stats().rejected) == (1, 3)
        gate.open()


def test_a_task_that_has_started_is_not_touched_by_its_deadline(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        future = pool.options(deadline=SPENT).submit(gate, 1)
        gate.wait_entered()
        late = pool.options(deadline=SPENT).submit(abs, -1)
        pool._advance_clock(2 * SPENT)
        eventually(late.cancelled)
        assert future.running()
        gate.open()
        assert future.result(LIMIT) == 1
        assert_settled(pool)
        assert pool.stats().cancelled == 1


def test_deadlines_count_from_the_submit_on(gate: Gate) -> None:
    with Pool(1, queue_size=2) as pool:
        pool.go(gate)
        gate.wait_entered()
        view = pool.options(deadline=SPENT)
        pool._advance_clock(10 * SPENT)
        future = view.submit(abs, -1)
        pool._advance_clock(SPENT / 2)
        later = view.submit(abs, -2)
        pool._advance_clock(SPENT / 2)
        eventually(future.cancelled)
        assert not later.done()
        gate.open()
        assert later.result(LIMIT) == 2


def test_a_full_pool_that_may_not_wait_does_not_wait_for_the_timeout(gate: Gate) -> None:
    with Pool(1, overflow="raise") as pool, Pool(1, overflow="discard") as discarding:
        for full in (pool, discarding):
            full.go(gate)
        gate.wait_entered(2)
        with pytest.raises(PoolOverloadError):
            pool.options(timeout=LIMIT).submit(abs, -1)
        assert discarding.options(timeout=LIMIT).submit(abs, -1).cancelled()
        gate.open()


def test_a_pool_with_func_has_views(gate: Gate) -> None:
    seen: list[Any] = []

    def call(fn: Any, *args: Any) -> Any:
        seen.append(args)
        return fn(*args)

    with PoolWithFunc(call, 1, queue_size=2) as pool:
        view = pool.options(name="it", deadline=SPENT)
        running = pool.submit(gate, 1)
        gate.wait_entered()
        late = view.submit(abs, -1)
        view.invoke(abs, -2)
        with pytest.raises(TimeoutError):
            view.options(timeout=0).submit(abs, -3)
        assert late.name == "it"
        pool._advance_clock(SPENT)
        eventually(lambda: pool.stats().cancelled == 2)
        assert view.options(deadline=None, priority="high").submit(abs, -4).name == "it"
        gate.open()
        assert running.result(LIMIT) == 1
        assert view.wait(LIMIT)
        assert view.capacity == 1
        assert repr(view).startswith("<PoolWithFuncView of <PoolWithFunc ")
    assert seen == [(1,), (-4,)]

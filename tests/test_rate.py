"""`Pool(rate=...)`: at most so many tasks are started a second."""

import math
import threading
import time
from concurrent.futures import CancelledError
from typing import Any

import pytest
from antspy import Pool, PoolWithFunc
from support import LIMIT, Gate, Thread, assert_settled, eventually

CATCH_UP = 0.001
"""Seconds of lateness that a pool makes up for."""

SLOW = 0.001
"""A rate at which nothing more starts by itself during a test."""


@pytest.mark.parametrize("rate", [0, -1, 0.0, math.nan, math.inf, -math.inf])
def test_a_rate_that_makes_no_sense_is_a_value_error(rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate must be .* greater than 0"):
        Pool(1, rate=rate)


@pytest.mark.parametrize("rate", ["fast", True, [], 1j])
def test_a_rate_that_is_no_number_is_a_type_error(rate: Any) -> None:
    with pytest.raises(TypeError, match="rate must be a number of tasks a second or None"):
        Pool(1, rate=rate)


def test_starts_are_evenly_spaced() -> None:
    starts: list[float] = []
    rate = 500
    with Pool(4, queue_size=None, rate=rate) as pool:
        for _ in range(50):
            pool.go(lambda: starts.append(time.monotonic()))
        assert_settled(pool)
    for first in range(len(starts)):
        for later in range(first + 1, len(starts)):
            # By the clock of who starts them; the task itself may run late, and the first one most of all.
            allowed = (starts[later] - starts[0] + CATCH_UP) * rate + 1
            assert later <= allowed + 1
    assert starts[-1] - starts[0] >= 49 / rate - 2 * CATCH_UP


def test_the_first_task_starts_at_once_and_the_next_when_it_is_due() -> None:
    ran: list[int] = []
    with Pool(4, queue_size=None, rate=SLOW) as pool:
        for number in range(4):
            pool.go(ran.append, number)
        eventually(lambda: ran == [0])
        for count in range(2, 5):
            pool._advance_clock(1 / SLOW - 1)
            time.sleep(0.01)
            assert len(ran) == count - 1
            pool._advance_clock(1)
            eventually(lambda: len(ran) >= count)  # noqa: B023
            assert ran == list(range(count))


def test_what_was_missed_is_not_made_up_for() -> None:
    ran: list[int] = []
    with Pool(4, queue_size=None, rate=SLOW) as pool:
        pool.submit(ran.append, 0).result(LIMIT)
        pool._advance_clock(10 / SLOW)
        for number in range(1, 5):
            pool.go(ran.append, number)
        eventually(lambda: len(ran) >= 2)
        time.sleep(0.01)
        assert ran == [0, 1]
        pool._advance_clock(3 / SLOW)
        eventually(lambda: len(ran) >= 3)
        time.sleep(0.01)
        assert ran == [0, 1, 2]
        pool.shutdown(wait=False, cancel_futures=True)


def test_a_task_that_waits_for_its_time_takes_a_place(gate: Gate) -> None:
    with Pool(2, rate=SLOW) as pool:
        pool.submit(int).result(LIMIT)
        futures = [pool.submit(abs, -number) for number in range(2)]
        blocked = Thread(pool.submit, abs, -2)
        eventually(lambda: pool.waiting == 1)
        assert (pool.queued, pool.stats().started) == (2, 1)
        pool._advance_clock(1 / SLOW)
        futures.append(blocked.result())
        pool._advance_clock(1 / SLOW)
        eventually(lambda: pool.stats().started == 3)
        pool._advance_clock(1 / SLOW)
        assert [future.result(LIMIT) for future in futures] == [0, 1, 2]


def test_a_task_that_waits_for_its_time_can_be_cancelled() -> None:
    with Pool(1, queue_size=1, rate=SLOW) as pool:
        pool.submit(int).result(LIMIT)
        future = pool.submit(abs, -1)
        assert future.cancel()
        with pytest.raises(CancelledError):
            future.result(LIMIT)
        assert_settled(pool)
        pool._advance_clock(1 / SLOW)
        assert pool.submit(abs, -2).result(LIMIT) == 2
        assert pool.stats().cancelled == 1


def test_a_cancelled_task_does_not_use_up_a_start() -> None:
    with Pool(1, queue_size=None, rate=SLOW) as pool:
        pool.submit(int).result(LIMIT)
        futures = [pool.submit(abs, -number) for number in range(10)]
        for future in futures[:9]:
            assert future.cancel()
        pool._advance_clock(1 / SLOW)
        assert futures[9].result(LIMIT) == 9


def test_a_deadline_ends_the_wait_for_its_time() -> None:
    with Pool(1, queue_size=2, rate=SLOW) as pool:
        pool.submit(int).result(LIMIT)
        late = pool.options(deadline=10).submit(abs, -1)
        pool._advance_clock(10)
        eventually(late.cancelled)
        assert_settled(pool)


@pytest.mark.parametrize("cancel", [True, False])
def test_a_pool_with_a_rate_can_be_closed(cancel: bool) -> None:
    pool = Pool(2, queue_size=None, rate=SLOW if cancel else 200)
    futures = [pool.submit(abs, -number) for number in range(20)]
    futures[0].result(LIMIT)
    pool.shutdown(cancel_futures=cancel)
    ran = [future for future in futures if not future.cancelled()]
    assert len(ran) == (1 if cancel else 20)
    assert [future.result() for future in ran] == list(range(len(ran)))


def test_a_rate_needs_no_busy_waiting() -> None:
    with Pool(8, queue_size=None, rate=50) as pool:
        for _ in range(10):
            pool.go(int)
        before, start = time.process_time(), time.monotonic()
        assert_settled(pool)
        assert time.monotonic() - start > 0.15
        assert time.process_time() - before < 0.1


def test_idle_workers_expire_between_two_starts() -> None:
    with Pool(4, rate=1000, expiry=0.01) as pool:
        for _ in range(3):
            pool.submit(int).result(LIMIT)
            eventually(lambda: pool.running == 0)
        assert pool.stats().workers_expired == pool.stats().workers_started


def test_a_rate_holds_for_all_ways_of_submitting() -> None:
    starts: list[float] = []

    def start(*_: object) -> None:
        starts.append(time.monotonic())

    with PoolWithFunc(start, 2, rate=200) as with_func:
        for _ in range(5):
            with_func.invoke()
            with_func.submit()
        assert with_func.wait(LIMIT)
    with Pool(2, rate=200) as pool:
        begin = time.monotonic()
        list(pool.map(start, range(5)))
        for _ in range(5):
            pool.options(priority="low").go(start)
        assert_settled(pool)
        assert time.monotonic() - begin >= 9 / 200 - 2 * CATCH_UP
    assert starts[9] - starts[0] >= 9 / 200 - 2 * CATCH_UP


def test_nested_tasks_keep_to_the_rate() -> None:
    with Pool(1, rate=200) as pool:

        def outer() -> int:
            return sum(pool.submit(abs, -1).result(LIMIT) for _ in range(10))

        begin = time.monotonic()
        assert pool.submit(outer).result(LIMIT) == 10
        assert time.monotonic() - begin >= 10 / 200 - 2 * CATCH_UP
        assert_settled(pool)


def test_a_rate_leaves_tasks_that_run_alone(gate: Gate) -> None:
    barrier = threading.Barrier(5)
    with Pool(5, rate=1000) as pool:
        futures = [pool.submit(barrier.wait, LIMIT) for _ in range(5)]
        assert sorted(future.result(LIMIT) for future in futures) == list(range(5))


def test_a_high_rate_is_reached() -> None:
    with Pool(2, queue_size=None, rate=5000) as pool:
        begin = time.monotonic()
        for _ in range(1000):
            pool.go(int)
        assert_settled(pool)
        taken = time.monotonic() - begin
    assert taken >= 0.2 - 2 * CATCH_UP
    assert taken < 0.2 * 10  # a busy machine may be late

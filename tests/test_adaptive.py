"""A capacity that finds itself: its bounds, and the pool that has it. How it finds it is tested in Rust."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from antspy import Adaptive, MultiPool, Pool, PoolWithFunc
from support import LIMIT

TASK = 0.01
"""Seconds that a waiting task takes."""


@contextmanager
def fed(pool: Pool, task: Callable[..., object], *arguments: Any) -> Iterator[None]:
    """The pool has more to do than it can, meanwhile."""
    enough = threading.Event()

    def feed() -> None:
        while not enough.is_set():
            pool.go(task, *arguments)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        yield
    finally:
        enough.set()
        feeder.join()


def becomes(pool: Pool, reached: Callable[[int], bool]) -> bool:
    """Whether the capacity comes there in time."""
    end = time.monotonic() + LIMIT / 2
    while time.monotonic() < end:
        if reached(pool.capacity or 0):
            return True
        time.sleep(0.01)
    return False


def test_it_is_a_value() -> None:
    adaptive = Adaptive(minimum=2, maximum=2000)
    assert adaptive == Adaptive(2, 2000) != Adaptive(2, 2001)
    assert hash(adaptive) == hash(Adaptive(2, 2000))
    assert repr(adaptive) == "Adaptive(minimum=2, maximum=2000)"
    assert (Adaptive().minimum, Adaptive().maximum) == (1, 1000)
    with pytest.raises(AttributeError):
        adaptive.minimum = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("bounds", "error", "message"),
    [
        ((0, 5), ValueError, "minimum must be at least 1, not 0"),
        ((5, 4), ValueError, "maximum must be from the minimum, 5, to 4294967295, not 4"),
        ((1, 2**32), ValueError, "maximum must be from the minimum, 1, to 4294967295, not 4294967296"),
        (("two", 4), TypeError, "minimum must be an int, not 'two'"),
        ((True, 4), TypeError, "minimum must be an int, not True"),
        ((1, 4.0), TypeError, "maximum must be an int, not 4.0"),
        ((1, None), TypeError, "maximum must be an int, not None"),
    ],
)
def test_bounds_that_make_no_sense(bounds: tuple[Any, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        Adaptive(*bounds)
    assert str(caught.value) == message


def test_a_pool_that_tunes_itself_starts_no_workers_in_advance() -> None:
    with pytest.raises(ValueError, match="prealloc needs a capacity that stays, not an Adaptive"):
        Pool(Adaptive(2, 8), prealloc=True)


def test_workers_that_stay_are_at_most_the_maximum() -> None:
    with Pool(Adaptive(2, 8), min_workers=8) as pool:
        assert pool.submit(abs, -1).result() == 1
    with pytest.raises(ValueError, match="min_workers must be at most the capacity, 8, not 9"):
        Pool(Adaptive(2, 8), min_workers=9)


def test_waiting_tasks_get_more_and_more_workers() -> None:
    with Pool(Adaptive(2, 64)) as pool:
        assert pool.capacity == 2
        with fed(pool, time.sleep, TASK):
            assert becomes(pool, lambda capacity: capacity >= 32)
            assert (pool.capacity or 0) <= 64
        assert pool.stats().failed == 0


def test_work_under_the_interpreter_lock_gets_few() -> None:
    with Pool(Adaptive(1, 64)) as pool, fed(pool, sum, range(20_000)):
        seen = []
        end = time.monotonic() + 6
        while time.monotonic() < end:
            seen.append(pool.capacity or 0)
            time.sleep(0.05)
    late = sorted(seen[len(seen) // 2 :])
    assert late[len(late) // 2] <= 4, seen


def test_a_pool_with_little_to_do_keeps_its_capacity() -> None:
    with Pool(Adaptive(2, 64)) as pool:
        pool.tune(16)
        pool.tune(Adaptive(2, 64))
        for _ in range(50):
            pool.submit(time.sleep, TASK).result()
        assert pool.capacity == 16


def test_it_may_begin_and_end_at_any_time() -> None:
    with Pool(4) as pool:
        pool.tune(Adaptive(8, 64))
        assert pool.capacity == 8
        with fed(pool, time.sleep, TASK):
            assert becomes(pool, lambda capacity: capacity > 8)
            pool.tune(3)
            started = pool.stats().started
            assert becomes(pool, lambda _: pool.stats().started > started + 200)
            assert pool.capacity == 3


def test_a_pool_that_is_opened_again_goes_on_with_what_it_has_found() -> None:
    pool = Pool(Adaptive(2, 64))
    with fed(pool, time.sleep, TASK):
        assert becomes(pool, lambda capacity: capacity >= 8)
    pool.wait()
    found = pool.capacity
    pool.release(LIMIT)
    pool.reboot()
    assert pool.capacity == found
    with pool, fed(pool, time.sleep, TASK):
        assert becomes(pool, lambda capacity: capacity >= 32)


def test_map_asks_for_more_than_the_least() -> None:
    def task(number: int) -> int:
        time.sleep(TASK)
        return number

    with Pool(Adaptive(2, 64)) as pool:
        results = pool.map(task, range(10**9))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        end = time.monotonic() + LIMIT / 2
        while (pool.capacity or 0) < 32 and time.monotonic() < end:
            next(results)
        assert (pool.capacity or 0) >= 32
        results.close()  # type: ignore[attr-defined]


def test_map_gives_the_first_result_before_it_has_the_most_that_there_may_be() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with Pool(Adaptive(1, 1000)) as pool:
        results = pool.map(abs, numbers())
        assert next(results) == 0
        assert len(taken) < 10
        results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("overflow", ["raise", "discard", "caller_runs"])
def test_map_fits_into_a_pool_that_does_not_wait(
    overflow: Literal["raise", "discard", "caller_runs"],
) -> None:
    def task(number: int) -> int:
        time.sleep(0.001)
        return number

    with Pool(Adaptive(2, 1000), overflow=overflow) as pool:
        assert list(pool.map(task, range(20))) == list(range(20))

    async def gather() -> list[int]:
        return [result async for result in pool.amap(task, range(20))]

    with Pool(Adaptive(2, 1000), overflow=overflow) as pool:
        assert asyncio.run(gather()) == list(range(20))
    with MultiPool(2, Adaptive(2, 1000), overflow=overflow) as pools:
        assert list(pools.map(task, range(20))) == list(range(20))


def test_every_kind_of_pool_takes_one() -> None:
    with PoolWithFunc(abs, Adaptive(2, 8)) as one:
        assert (one.capacity, one.submit(-1).result()) == (2, 1)
    with MultiPool(2, Adaptive(2, 8)) as many:
        assert (many.capacity, many.submit(abs, -1).result()) == (4, 1)
        many.tune(Adaptive(3, 8))
        assert many.capacity == 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_begins_with_what_has_been_found() -> None:
    pool = Pool(Adaptive(2, 64))
    with fed(pool, time.sleep, TASK):
        assert becomes(pool, lambda capacity: capacity >= 8)
    pool.wait()
    found = pool.capacity or 0
    child = os.fork()
    if child == 0:
        # What does not come to this ends otherwise than with 0.
        with fed(pool, time.sleep, TASK):
            grown = pool.capacity == found and becomes(pool, lambda capacity: capacity >= 32)
        os._exit(0 if grown else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    pool.release(LIMIT)

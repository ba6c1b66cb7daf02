"""What type checkers make of a pool."""

import concurrent.futures
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, assert_type

from antspy import Future, MultiPool, Pool, PoolView, PoolWithFunc, Stats, SubPool, progress, worker_state
from functions import greet, pair, work


class OwnPool(Pool):
    """A user's."""


def check_submit(pool: Pool) -> None:
    assert_type(pool.submit(greet, "ant"), Future[str])
    assert_type(pool.submit(greet, "ant", loud=True), Future[str])
    assert_type(pool.submit(greet, name="ant"), Future[str])
    assert_type(pool.submit(work), Future[None])
    assert_type(pool.submit(pair, 1, "a"), Future[tuple[int, str]])
    assert_type(pool.submit(pair, "a", None), Future[tuple[str, None]])
    assert_type(pool.submit([1].index, 1), Future[int])
    assert_type(pool.submit(int, "ff", base=16), Future[int])
    assert_type(pool.submit(lambda: 3.5), Future[float])
    pool.go(greet, "ant", loud=True)
    pool.go(work)


def check_submit_of_a_parameter(pool: Pool, call: Callable[..., int]) -> None:
    assert_type(pool.submit(call, "whatever", more=True), Future[int])


def check_map(pool: Pool) -> None:
    assert_type(pool.map(len, ["a", "b"]), Iterator[int])
    assert_type(pool.map(pow, [2, 3], [5, 2], timeout=1, chunksize=2, buffersize=4), Iterator[int])
    assert_type(list(pool.map(greet, ["ant"])), list[str])
    assert_type(pool.map(greet, ["ant"], progress=True), Iterator[str])
    assert_type(pool.options().map(greet, ["ant"], progress="greetings"), Iterator[str])


def check_progress(pool: Pool, multi: MultiPool, one: PoolWithFunc[str]) -> None:
    assert_type(progress(pool), AbstractContextManager[None])
    assert_type(progress(pool.options(name="ant"), "tasks"), AbstractContextManager[None])
    assert_type(progress(multi), AbstractContextManager[None])
    assert_type(progress(one), AbstractContextManager[None])


def check_numbers(pool: Pool) -> None:
    assert_type(pool.capacity, int | None)
    assert_type(pool.free, int | None)
    assert_type(pool.running, int)
    assert_type(pool.busy, int)
    assert_type(pool.idle, int)
    assert_type(pool.queued, int)
    assert_type(pool.waiting, int)
    assert_type(pool.paused, bool)
    assert_type(pool.closed, bool)
    assert_type(pool.stats(), Stats)
    assert_type(pool.stats().queue_time.mean, float)


def check_life(pool: Pool) -> None:
    assert_type(pool.wait(1.5), bool)
    pool.tune(None)
    pool.release(timeout=None)
    pool.reboot()
    pool.shutdown(wait=False, cancel_futures=True)


async def check_life_in_a_coroutine(pool: Pool) -> None:
    await pool.arelease(timeout=1)


def check_made_of_it(pool: Pool) -> None:
    assert_type(pool.options(priority="high", timeout=None), PoolView)
    assert_type(pool.subpool(2), SubPool)


def check_settings() -> None:
    made = Pool(
        None,
        queue_size=None,
        overflow="raise",
        exception_handler=print,
        initializer=greet,
        initargs=("ant",),
        finalizer=print,
    )
    assert_type(made, Pool)
    assert_type(worker_state(), Any)


def check_executor(pool: Pool) -> None:
    executor: concurrent.futures.Executor = pool
    future: concurrent.futures.Future[str] = pool.submit(greet, "ant")
    with pool as same, OwnPool(3) as own:
        assert_type(same, Pool)
        assert_type(own, OwnPool)
        assert_type(own.submit(greet, "ant"), Future[str])
    del executor, future

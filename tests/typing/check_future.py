"""What type checkers make of a future."""

import asyncio
import concurrent.futures
from typing import assert_type

from antspy import Future, Pool
from functions import greet


def check_future(pool: Pool) -> None:
    future = pool.submit(greet, "ant")
    assert_type(future.result(timeout=1), str)
    assert_type(future.exception(), BaseException | None)
    assert_type(future.done(), bool)
    assert_type(future.cancel(), bool)
    assert_type(future.name, str | None)
    assert_type(future.interrupt(KeyError), bool)
    future.add_done_callback(see)


def see(future: Future[str]) -> None:
    assert_type(future.result(), str)


async def check_await(pool: Pool) -> None:
    assert_type(await pool.submit(greet, "ant"), str)
    both = await asyncio.gather(pool.submit(greet, "ant"), pool.submit(len, "ant"))
    assert_type(both, tuple[str, int])
    assert_type(await asyncio.wait_for(pool.submit(greet, "ant"), 1), str)
    assert_type(await asyncio.wrap_future(pool.submit(greet, "ant")), str)


def check_standard_library(pool: Pool) -> None:
    futures = [pool.submit(greet, name) for name in ("ant", "bee")]
    done, pending = concurrent.futures.wait(futures)
    # The standard library's signature says no more.
    assert_type(done, set[concurrent.futures.Future[str]])
    assert_type(pending, set[concurrent.futures.Future[str]])
    for future in concurrent.futures.as_completed(futures):
        assert_type(future.result(), str)

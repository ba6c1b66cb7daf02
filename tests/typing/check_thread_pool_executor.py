"""What type checkers make of the standard library's executor on this core."""

import asyncio
import concurrent.futures
from collections.abc import Iterator
from typing import assert_type

from antspy import Future, Pool, ThreadPoolExecutor
from functions import greet


def check_executor() -> None:
    with ThreadPoolExecutor(4, "ant", print, ("started",), expiry=3) as executor:
        assert_type(executor, ThreadPoolExecutor)
        assert_type(executor.submit(greet, "ant", loud=True), Future[str])
        assert_type(executor.map(len, ["a"], timeout=3, buffersize=2), Iterator[int])
    executor.shutdown(wait=False, cancel_futures=True)


def check_in_place_of(executor: ThreadPoolExecutor) -> None:
    standard: concurrent.futures.ThreadPoolExecutor = executor
    pool: Pool = executor
    assert_type(standard.submit(greet, "ant").result(), str)
    del pool


async def check_in_an_event_loop(executor: ThreadPoolExecutor) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(executor)
    assert_type(await loop.run_in_executor(executor, greet, "ant"), str)

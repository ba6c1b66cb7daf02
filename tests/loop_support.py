"""What the tests of coroutines have in common."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from antspy import Pool
from support import LIMIT, Gate

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T], debug: bool | None = None) -> T:
    """Run a coroutine in a loop of its own, and not for ever."""

    async def limited() -> T:
        # A task of its own, as up to 3.11. Else a GeneratorExit that an await raises comes to the outermost
        # coroutine, which closes this one by another.
        return await asyncio.wait_for(asyncio.create_task(main), LIMIT)

    return asyncio.run(limited(), debug=debug)


async def until(condition: Callable[[], object]) -> None:
    """Wait for what nobody announces, without blocking the loop."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"not within {LIMIT} s"
        await asyncio.sleep(0.001)


async def turns(count: int = 3) -> None:
    """Let the loop go round: what can go on in it does."""
    for _ in range(count):
        await asyncio.sleep(0)


async def start(coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Have a coroutine come as far as it can."""
    task = asyncio.create_task(coroutine)
    await turns()
    return task


def fill(pool: Pool, gate: Gate, count: int = 1) -> None:
    """Have `count` tasks run that stay until the gate is opened."""
    for _ in range(count):
        pool.go(gate)
    gate.wait_entered(count)


def assert_account(pool: Pool) -> None:
    """Check that each task of a pool that has come to rest is counted once."""
    assert pool.wait(timeout=LIMIT)
    stats = pool.stats()
    assert (pool.waiting, pool.queued, pool._in_flight) == (0, 0, 0)
    assert stats.submitted == stats.completed + stats.failed + stats.cancelled

"""`Pool.amap`: items may come asynchronously, and results do."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing
from itertools import count
from typing import Any, TypeVar

from .coroutine import Items, Submits
from .future import Future
from .map import run_chunk

T = TypeVar("T")

_TURN = 256
"""So many tasks are submitted in one turn of the loop, where nothing else is waited for."""


def results(
    pool: Submits, fn: Callable[..., T], iterables: tuple[Items, ...], chunksize: int, ahead: int | None
) -> AsyncGenerator[T]:
    """Yield the results in order, with so many tasks ahead of them."""
    rows = _rows(iterables)
    if chunksize == 1:
        return _results(pool, fn, rows, ahead)
    return _flatten(_results(pool, run_chunk, _chunks(fn, rows, chunksize), ahead))


async def _results(
    pool: Submits, fn: Callable[..., T], rows: AsyncGenerator[tuple[Any, ...]], ahead: int | None
) -> AsyncGenerator[T]:
    # Items are taken and submitted by a task of the loop, so that a result is yielded as soon as it is there,
    # also while the next item, or a place for it, is waited for.
    room = asyncio.Semaphore(sys.maxsize if ahead is None else ahead)
    pending: asyncio.Queue[Future[T] | None] = asyncio.Queue()
    feeder = asyncio.create_task(_feed(pool, fn, rows, room, pending))
    try:
        while (future := await pending.get()) is not None:
            result = await future
            room.release()
            yield result
        await feeder  # it raises what an iterable raised, or the pool
    finally:
        # Abandoned, or a task raised: what has not started will not.
        feeder.cancel()
        while not pending.empty():
            if (future := pending.get_nowait()) is not None:
                future.cancel()
        await asyncio.gather(feeder, return_exceptions=True)


async def _feed(
    pool: Submits,
    fn: Callable[..., T],
    rows: AsyncGenerator[tuple[Any, ...]],
    room: asyncio.Semaphore,
    pending: asyncio.Queue[Future[T] | None],
) -> None:
    try:
        async with aclosing(rows):
            for number in count(1):
                await room.acquire()
                row = await anext(rows, None)
                if row is None:
                    return
                pending.put_nowait(await pool.asubmit(fn, *row))
                if number % _TURN == 0:
                    await asyncio.sleep(0)
    finally:
        pending.put_nowait(None)


async def _flatten(chunks: AsyncGenerator[list[T]]) -> AsyncGenerator[T]:
    async with aclosing(chunks):
        async for chunk in chunks:
            for result in chunk:
                yield result


async def _chunks(
    fn: Callable[..., T], rows: AsyncGenerator[tuple[Any, ...]], size: int
) -> AsyncGenerator[tuple[Any, ...]]:
    """Arguments for `run_chunk`."""
    chunk: list[tuple[Any, ...]] = []
    async with aclosing(rows):
        async for row in rows:
            chunk.append(row)
            if len(chunk) == size:
                yield fn, chunk
                chunk = []
    if chunk:
        yield fn, chunk


async def _rows(iterables: tuple[Items, ...]) -> AsyncGenerator[tuple[Any, ...]]:
    """`zip`, also of asynchronous iterables."""
    iterators = [aiter(it) if isinstance(it, AsyncIterable) else iter(it) for it in iterables]
    while iterators:
        row = []
        for iterator in iterators:
            try:
                row.append(await anext(iterator) if isinstance(iterator, AsyncIterator) else next(iterator))
            except (StopIteration, StopAsyncIteration):
                return
        yield tuple(row)

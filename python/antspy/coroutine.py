"""What pools offer to coroutines: nothing here blocks their event loop."""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from typing import Any, ParamSpec, Self, TypeVar

from ._antspy import _Admission, _Wait
from .deadline import deadline
from .future import Future
from .lazy import loop_future
from .map import look_ahead
from .progress import ashown, judge, map_bar

P = ParamSpec("P")
T = TypeVar("T")

Items = Iterable[Any] | AsyncIterable[Any]


async def admitted(entry: Future[T] | _Admission) -> Future[T]:
    """Wait for a place, in a sub-pool's line and then in the pool's; return the future of the task."""
    while isinstance(entry, _Admission):
        try:
            await loop_future.wait_for(entry, entry.seconds)
        except BaseException:
            entry.abandon()
            raise
        entry = entry.proceed()  # also if it is late: its turn may have come in the last moment
    return entry


class Submits:
    """The ways in for coroutines: of pools and of their views."""

    __slots__ = ()

    _begin: Callable[..., Any]
    """Submits without blocking: returns a future, or an admission that stands in line."""
    _places: Any

    async def asubmit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` on a worker, and return a future for its result, which can be awaited.

        As `submit`, but the event loop goes on while this waits for a place. It stands in the same line as
        those who are blocked in `submit`, and counts as `waiting`. With `overflow="caller_runs"` it waits,
        too: the task would block the loop. Cancelled, it leaves the line, and the task is not accepted.

        >>> import asyncio
        >>> from antspy import Pool
        >>> async def main():
        ...     async with Pool(2) as pool:
        ...         futures = [await pool.asubmit(pow, base, 2) for base in range(3)]
        ...         return [await future for future in futures]
        >>> asyncio.run(main())
        [0, 1, 4]
        """
        return await admitted(self._begin(fn, *args, **kwargs))

    def arun(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "loop_future.LoopFuture[T]":
        """Run `fn(*args, **kwargs)` on a worker; `await` gives what it returned.

        Returns a future of the running event loop, as `loop.run_in_executor` does, so that many of them can
        be gathered without a task for each; it can also be given to whatever takes a coroutine. The task is
        submitted at once; where `asubmit` waits for a place, it stands in line. Cancelling the future cancels
        a task that has not started. Outside of an event loop this returns a coroutine, which submits the task
        once it runs.

        >>> import asyncio
        >>> from antspy import Pool
        >>> async def main():
        ...     async with Pool(2) as pool:
        ...         return await asyncio.gather(pool.arun(pow, 2, 5), pool.arun(pow, 3, 2))
        >>> asyncio.run(main())
        [32, 9]
        """
        return loop_future.run(self._begin, fn, *args, **kwargs)

    def amap(
        self,
        fn: Callable[..., T],
        *iterables: Items,
        chunksize: int = 1,
        buffersize: int | None = None,
        progress: bool | str = False,
    ) -> AsyncGenerator[T]:
        """Call `fn` with the items of `iterables`, several at once, and yield the results in order.

        Items are taken from `iterables` as results are consumed, never more ahead than the pool has places or
        than `buffersize`. When the loop over it ends early, the tasks that have not started are cancelled; so
        they are by `aclose()`.

        Args:
            fn: Called with one item of each iterable.
            iterables: Any, also asynchronous ones; the shortest ends it.
            chunksize: How many items one task takes.
            buffersize: How many tasks to look ahead; `None`: as many as the pool has places.
            progress: Whether to show on stderr how many results have been given out, of how many, with `fn`'s
                name or with this description. By rich or tqdm: see `antspy.progress`.

        Raises:
            Exception: What `fn` raised, at the place of its result.

        >>> import asyncio
        >>> from antspy import Pool
        >>> async def main():
        ...     async with Pool(2) as pool:
        ...         return [result async for result in pool.amap(pow, [2, 3], [5, 2])]
        >>> asyncio.run(main())
        [32, 9]
        """
        from .async_map import results

        ahead = look_ahead(self, fn, chunksize, buffersize)
        judge(progress)
        found = results(self, fn, iterables, chunksize, ahead)
        return found if progress is False else ashown(found, map_bar(progress, fn, iterables))


class Releases:
    """The end of a pool, for coroutines."""

    release: Callable[..., None]
    _join: Callable[..., _Wait | None]
    _leave: Callable[..., object]
    _see_off: Callable[[], None]
    running: Any

    async def arelease(self, timeout: float | None = None) -> None:
        """Close the pool as `release` does, and wait in a coroutine until all workers are gone.

        The event loop goes on meanwhile. Cancelling this ends the wait and opens nothing; it may be called
        again. `async with pool:` does this at its end.

        Args:
            timeout: Seconds to wait; `None`: for ever.

        Raises:
            TimeoutError: Workers are left.
            RuntimeError: Called by a task of this pool: it would wait for itself.

        >>> import asyncio
        >>> from antspy import Pool
        >>> pool = Pool(2)
        >>> pool.submit(abs, -1).result()
        1
        >>> asyncio.run(pool.arelease())
        >>> pool.closed, pool.running
        (True, 0)
        """
        deadline(timeout)
        self.release()
        if not await loop_future.wait_for(self, timeout):
            raise TimeoutError(
                f"the pool still has {self.running} workers after {timeout} s; arelease() may be called again"
            )
        self._see_off()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the pool, and wait for what was accepted."""
        await self.arelease()

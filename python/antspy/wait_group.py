"""Waiting for a number of jobs."""

from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, ParamSpec, Self

from ._antspy import _WaitGroup
from .default import default_pool
from .lazy import loop_future
from .pool import Pool

P = ParamSpec("P")


class WaitGroup(_WaitGroup):
    """A counter of unfinished jobs that can be waited for, as Go's `sync.WaitGroup`.

    Args:
        pool: Where `go` runs its tasks; `None` is the default pool.

    `wait` in a task that the group counts waits for itself. A call that fails leaves the count as it was.

    >>> from antspy import Pool, WaitGroup
    >>> seen = []
    >>> with Pool(4) as pool, WaitGroup(pool) as group:
    ...     for number in range(3):
    ...         group.go(seen.append, number)
    >>> sorted(seen)
    [0, 1, 2]
    """

    def __init__(self, pool: Pool | None = None) -> None:
        if pool is not None and not isinstance(pool, Pool):
            raise TypeError(f"pool must be a Pool or None, not {pool!r}")
        self._pool = pool
        if pool is not None:
            self._use(pool)

    def go(self, fn: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Run `fn(*args, **kwargs)` on the pool as one job of this group, whatever comes of it.

        Raises:
            Exception: What `Pool.go` raises; the count is then as it was.

        >>> from antspy import WaitGroup
        >>> group = WaitGroup()
        >>> group.go(print, "ran")
        >>> group.wait()
        ran
        True
        """
        pool = default_pool() if self._pool is None else self._pool
        self._go(pool, fn, *args, **kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait for all jobs."""
        self.wait()

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for all jobs in a coroutine, without blocking its loop."""
        yield from loop_future.wait_for(self).__await__()

    async def __aenter__(self) -> "WaitGroup":
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Wait for all jobs, without blocking the loop."""
        await self

    def __repr__(self) -> str:
        return f"<WaitGroup count={self.count}>"

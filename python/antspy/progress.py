"""How far a map, or a pool, has come: shown on stderr while it works.

Nothing here is on a task's way. A map's results are counted as they are given out, and a pool's numbers read
from `stats()`, by the thread that draws (`screen.py`).
"""

import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, aclosing, closing, contextmanager
from itertools import compress, repeat
from operator import length_hint
from sys import maxsize
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .stats import Stats

if TYPE_CHECKING:
    from .screen import Screen

T = TypeVar("T")


class HasStats(Protocol):
    """What has numbers: a pool, several pools as one, or a view of either."""

    def stats(self) -> Stats:
        """Return what it has done so far."""
        ...


class Bar:
    """What one bar shows: how much of what is done."""

    __slots__ = ("_screen", "begun", "description", "done", "gone", "note", "over", "stays", "total")

    _screen: "Screen"

    def __init__(self, description: str, total: int | None) -> None:
        from .name import shown  # in vain at the top: that needs the module of maps, and it this one

        self.description = shown(description)
        self.done = 0
        self.total = total
        self.note = ""
        self.begun = time.monotonic()
        self.over = False
        self.stays = True  # as a line, when it is over; not that of a part of what an older bar shows
        self.gone = threading.Event()

    def look(self) -> None:
        """Bring the numbers up to date. Called by the thread that draws, before each picture."""

    def begin(self) -> None:
        """Show it from now on."""
        from .screen import current

        self._screen = current()
        self._screen.add(self)

    def end(self, wait: bool = True) -> None:
        """Show it no more; with `wait`, return when the last picture has been drawn."""
        self.over = True
        self._screen.end(self, wait)


class MapBar(Bar):
    """That of a map: what was given out is counted by an iterator, which gives a tick for each result."""

    __slots__ = ("ticks",)

    def __init__(self, description: str, total: int | None) -> None:
        super().__init__(description, total)
        self.ticks = repeat(True, maxsize)

    def look(self) -> None:
        self.done = maxsize - length_hint(self.ticks)


class PoolBar(Bar):
    """That of a pool, from now on. What is unfinished now is part of it."""

    __slots__ = ("_before", "_pool")

    def __init__(self, description: str, pool: HasStats) -> None:
        super().__init__(description, 0)
        self._pool = pool
        self._before = pool.stats()
        self.look()

    def look(self) -> None:
        stats = self._pool.stats()
        self.done = stats.ended - self._before.ended
        self.total = stats.submitted - self._before.ended
        self.note = (
            f"{stats.failed - self._before.failed} failed, {stats.running} running, {stats.queued} queued"
        )


def judge_pool(pool: object) -> None:
    """Raise `TypeError` if it has no numbers."""
    if isinstance(pool, type) or not callable(getattr(pool, "stats", None)):
        raise TypeError(f"pool must be a pool, with stats(), not {pool!r}")


def judge(progress: bool | str) -> None:
    """Judge the argument of `map`."""
    if not isinstance(progress, (bool, str)):
        raise TypeError(f"progress must be a bool, or a str that describes the work, not {progress!r}")


def map_bar(progress: bool | str, fn: Callable[..., Any], iterables: Iterable[Any]) -> MapBar:
    """Return the bar of a map: its total is the length of the shortest iterable that has one."""
    from .name import name_of

    lengths = [length for it in iterables if (length := _length(it)) is not None]
    return MapBar(progress if isinstance(progress, str) else name_of(fn), min(lengths, default=None))


def _length(iterable: object) -> int | None:
    try:
        return len(iterable) if isinstance(iterable, Sized) else None
    except Exception:  # it is longer than `sys.maxsize`, or finds out that it has none
        return None


def shown(results: Iterator[T], bar: MapBar) -> Iterator[T]:
    """Yield the results, and show how many there were."""
    shown = _shown(results, bar)
    next(shown)  # one that has not begun has no end, either: nothing would end the bar
    return shown


def _shown(results: Any, bar: MapBar) -> Generator[Any, None, None]:
    bar.begin()
    try:
        with closing(results):  # before the bar: what has not started will not
            yield None
            yield from compress(results, bar.ticks)  # in C: no Python runs for a result
        bar.look()
        bar.total = bar.done
    finally:
        bar.end()


async def ashown(results: AsyncGenerator[T], bar: MapBar) -> AsyncGenerator[T]:
    """The same in a coroutine, whose loop waits for no picture."""
    bar.begin()
    try:
        async with aclosing(results):
            async for result in results:
                next(bar.ticks)
                yield result
        bar.look()
        bar.total = bar.done
    finally:
        bar.end(wait=False)


def progress(pool: HasStats, description: str = "tasks") -> AbstractContextManager[None]:
    """Show on stderr, while a block runs, how many of a pool's tasks are done, failed, running and queued.

    For programs that hand in tasks by `go` or `submit`; a map has `progress=True`. Tasks are counted from the
    block's beginning on, with those that were unfinished then. The block does not wait for them at its end:
    `pool.wait()` does. It is drawn by rich if that is installed, else by tqdm, else as a plain line; where
    stderr is not a terminal, there is one line at the end, or without either library nothing.

    Args:
        pool: A pool, several pools as one, or a view of either: what has `stats()`. A sub-pool has none of
            its own.
        description: What is written before the numbers.

    Raises:
        TypeError: `pool` has no `stats()`, or `description` is not a str.

    >>> import antspy
    >>> with antspy.Pool(4) as pool, antspy.progress(pool, "squares"):
    ...     for number in range(100):
    ...         pool.go(pow, number, 2)
    ...     pool.wait()
    True
    """
    judge_pool(pool)
    if not isinstance(description, str):
        raise TypeError(f"description must be a str, not {description!r}")
    return _watched(PoolBar(description, pool))


@contextmanager
def _watched(bar: Bar) -> Iterator[None]:
    bar.begin()
    try:
        yield
    finally:
        bar.end()

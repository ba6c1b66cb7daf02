"""What the pools for tests share: a real pool without workers, whose tasks this thread runs."""

import weakref
from collections.abc import Callable
from typing import Unpack

from antspy.adaptive import Adaptive
from antspy.pool import Pool
from antspy.settings import Settings, complete

from .errors import StuckError

WITHOUT_WORKERS: Settings = {"prealloc": False, "initializer": None, "initargs": (), "finalizer": None}
"""What needs workers. There is nothing to start early, so `prealloc` is ignored; the others are refused."""


class ThreadlessPool(Pool):
    """A pool without workers. Not for use itself: see `InlinePool` and `SeededPool`."""

    def __init__(
        self, capacity: int | Adaptive | None, *, inline: bool, **settings: Unpack[Settings]
    ) -> None:
        for name in WITHOUT_WORKERS:
            if name != "prealloc" and settings.get(name):
                raise ValueError(f"{name} needs workers, and {type(self).__name__} has none")
        self._open(
            capacity,
            **complete({**settings, **WITHOUT_WORKERS}, type(self).__name__),
            function=None,
            driver=_driver(weakref.ref(self)),
            inline=inline,
        )

    def _draw(self, count: int) -> int:
        """Return which of the first `count` queued tasks runs next."""
        return 0

    def run_one(self) -> bool:
        """Run one queued task in this thread; `False`: there is none that may start.

        First those whose deadline has passed are cancelled.
        """
        self._end_late()
        queued = 0 if self.paused else self.queued
        if queued == 0:
            return False
        capacity = self.capacity
        count = queued if capacity is None else min(queued, capacity)
        return self._run_queued(self._draw(count) if count > 1 else 0)

    def run_all(self) -> int:
        """Run queued tasks until there is none, also what they submit; return how many ran."""
        count = 0
        while self.run_one():
            count += 1
        return count

    def advance(self, seconds: float) -> None:
        """Move the pool's clock on, and cancel the tasks whose deadline has passed.

        The clock stands still otherwise, but for a task that has to wait for its start in a pool with a
        `rate`: then it is that time at once. It is the clock of `options(deadline=)`, of `rate`, and of the
        times in `stats()`.

        Args:
            seconds: At least 0.

        Raises:
            ValueError: `seconds` is negative, or not a number.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"seconds must be at least 0, not {seconds!r}")
        self._advance_clock(seconds)
        self._end_late()

    def release(self, timeout: float | None = 0) -> None:
        """As `Pool.release`; what was accepted runs in this call, whatever `timeout` says."""
        super().release(timeout)
        self.run_all()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As `Pool.shutdown`; what was accepted runs in this call, also with `wait=False`."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        self.run_all()


def _driver(owner: "weakref.ref[ThreadlessPool]") -> Callable[[bool], bool]:
    """Return what the core calls for somebody who waits; it must not keep the pool alive."""

    def step(timed: bool) -> bool:
        pool = owner()
        if pool is not None and pool.run_one():
            return True
        if timed:
            return False
        if pool is None:
            raise StuckError("the pool that would run the task is gone")
        paused = ": it is paused" if pool.paused else ""
        raise StuckError(f"{pool!r} has no task left that could end this wait{paused}")

    return step

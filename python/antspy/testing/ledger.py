"""What a test has made and left behind: its pools, their workers, exceptions that nobody has looked at."""

import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

from antspy import exception_handler
from antspy.default import default_pool
from antspy.pool import Pool
from antspy.pool_with_func import PoolWithFunc
from antspy.thread_pool_executor import ThreadPoolExecutor

from .pool import ThreadlessPool
from .seeded_pool import SeededPool

CLASSES: tuple[type[Any], ...] = (Pool, PoolWithFunc, ThreadPoolExecutor, ThreadlessPool)
_PACKAGE = str(Path(__file__).parents[1])
_NOBODY = "exception in a task that nobody waits for"


class Ledger:
    """Keeps account from `begin` to `end`.

    Args:
        patience: Seconds that tasks of the default pool, and workers of pools that have ended, have to end.
    """

    def __init__(self, patience: float = 5.0) -> None:
        self._patience = patience
        self._in_flight = 0
        self._made: list[_Made] = []
        self._errors: list[str] = []
        self._seeds: list[str] = []

    def begin(self) -> None:
        """Begin: note each pool that is made from now on."""
        self._in_flight = default_pool()._in_flight
        _open.append(self)

    def settle(self) -> list[str]:
        """End, and return what has been left behind, a line each."""
        gc.collect()  # what ends in a cycle has been left behind by nobody
        until = time.monotonic() + self._patience
        left = [line for made in self._made for line in made.left(until)]
        default = default_pool()
        if not _comes(lambda: default._in_flight <= self._in_flight, until):
            more = default._in_flight - self._in_flight
            left.append(f"the default pool has more unfinished tasks than before the test, by {more}")
        self.end()
        return left + self._errors

    def end(self) -> None:
        """End: what comes from now on is not noted."""
        _open.remove(self)

    @property
    def seeds(self) -> list[str]:
        """The seeded pools that were made, with their seeds."""
        return self._seeds

    def note(self, pool: Any, place: str) -> None:
        """A pool has been made."""
        self._made.append(_Made(pool, place))
        if isinstance(pool, SeededPool):
            self._seeds.append(f"{type(pool).__name__}(seed={pool.seed}), made at {place}")

    def note_error(self, error: BaseException) -> None:
        """An exception went to the log because nobody waited for it."""
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        self._errors.append(f"an exception that nobody looked at: {error!r}{notes}")


class _Made:
    """A pool that a test has made, and its workers, which may outlive it."""

    def __init__(self, pool: Any, place: str) -> None:
        self._place = place
        self._kind = type(pool).__name__
        self._has_workers = not isinstance(pool, ThreadlessPool)
        self._pool = weakref.ref(pool, self._ends)
        self._crew = weakref.ref(pool._crew)  # lives until the last worker has left
        self._threads: set[threading.Thread] = set()

    def _ends(self, pool: object) -> None:
        self._threads = self._workers()  # the pool is about to forget them

    def _workers(self) -> set[threading.Thread]:
        return self._threads.union(self._crew() or ())

    def left(self, until: float) -> list[str]:
        """Return what is left of it, if that does not end by then."""
        pool = self._pool()
        if pool is None:
            gone = not self._has_workers or _comes(lambda: self._crew() is None, until)
            end, shown = "dropped", self._kind
        elif pool.closed:
            gone = _comes(lambda: not pool.running, until)
            end, shown = "closed", repr(pool)
        else:
            return [f"a pool is open: {pool!r}, made at {self._place}"]
        names = sorted(thread.name for thread in self._workers() if thread.is_alive())
        if gone or not names:  # without workers, something else holds what is left of the pool
            return []
        return [f"a {end} pool still has workers: {', '.join(names)} of {shown}, made at {self._place}"]


def _comes(what: Callable[[], bool], until: float) -> bool:
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.001)
    return True


_open: list[Ledger] = []


def watch() -> Callable[[], None]:
    """Have the pools' constructors, and who logs exceptions, tell the open ledgers; return what ends that."""
    before = [(kind, kind.__init__) for kind in CLASSES]
    for kind, init in before:
        kind.__init__ = _telling(init)
    reports: Any = exception_handler
    log = reports._log
    reports._log = _overhearing(log)

    def end() -> None:
        reports._log = log
        for kind, init in before:
            kind.__init__ = init

    return end


def _telling(init: Callable[..., None]) -> Callable[..., None]:
    @wraps(init)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        for ledger in _open:
            ledger.note(self, _place(sys._getframe(1)))

    return made


def _overhearing(log: Callable[[str, BaseException], None]) -> Callable[[str, BaseException], None]:
    # Not by a handler of the logger: a program that configures logging may disable it.
    def overheard(message: str, error: BaseException) -> None:
        log(message, error)
        if message == _NOBODY:
            for ledger in _open:
                ledger.note_error(error)

    return overheard


def _place(frame: FrameType | None) -> str:
    """Where the program made it: the first frame outside of this package."""
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return "an unknown place" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"

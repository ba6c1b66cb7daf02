"""What a test has made and left behind: its pools, their workers, exceptions that nobody has looked at."""

import gc
import sys
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
        patience: Seconds that workers of closed pools have to leave.
    """

    def __init__(self, patience: float = 5.0) -> None:
        self._patience = patience
        self._made: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._errors: list[str] = []
        self._seeds: list[str] = []

    def begin(self) -> None:
        """Begin: note each pool that is made from now on."""
        _open.append(self)

    def settle(self) -> list[str]:
        """End, and return what has been left behind, a line each."""
        gc.collect()  # what ends in a cycle has been left behind by nobody
        left = [line for pool, place in list(self._made.items()) for line in self._left(pool, place)]
        default = default_pool()
        if default._in_flight and not default.wait(self._patience):
            left.append(f"the default pool still has {default._in_flight} unfinished tasks")
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
        self._made[pool] = place
        if isinstance(pool, SeededPool):
            self._seeds.append(f"{type(pool).__name__}(seed={pool.seed}), made at {place}")

    def note_error(self, error: BaseException) -> None:
        """An exception went to the log because nobody waited for it."""
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        self._errors.append(f"an exception that nobody looked at: {error!r}{notes}")

    def _left(self, pool: Any, place: str) -> list[str]:
        if not pool.closed:
            return [f"a pool is open: {pool!r}, made at {place}"]
        until = time.monotonic() + self._patience
        while pool.running and time.monotonic() < until:
            time.sleep(0.001)
        if not pool.running:
            return []
        names = ", ".join(sorted(thread.name for thread in pool._crew))
        return [f"a closed pool still has workers: {names} of {pool!r}, made at {place}"]


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

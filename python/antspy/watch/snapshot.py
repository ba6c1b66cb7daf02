"""What the pools of this process do now, as a document of JSON."""

import os
import sys
import threading
import time
from dataclasses import dataclass, fields
from heapq import nlargest
from operator import attrgetter, itemgetter
from threading import Lock
from traceback import StackSummary, walk_stack
from types import FrameType
from typing import Any, ClassVar

from .._antspy import __version__, _pools, _watch
from ..name import name_of
from ..stats import Stats
from ..worker import WorkerThread

FORMAT = 1
"""Of the document; another number means that what was there has another meaning."""

TIMES = ("queue_time", "run_time")
NUMBERS = (*(field.name for field in fields(Stats) if field.name not in TIMES), "closed", "paused")

Document = dict[str, Any]
Frames = dict[int, FrameType]


@dataclass(frozen=True)
class Task:
    """One that runs."""

    thread: WorkerThread
    name: str
    seconds: float
    """How long it has run."""
    at_least: bool = False
    """Whether it has begun before anybody watched."""


class Watch:
    """Sees what the workers of this process do, until it is closed.

    What a task is, and since when it runs, is written down by its worker while somebody watches. A task that
    has begun before is known by its stack, and has run at least since then. So are initializers, and
    callbacks, whose time is that since the start of their task.
    """

    _open: ClassVar[set["Watch"]] = set()
    _lock: ClassVar[Lock] = Lock()
    """Of those that are open."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._began = time.time()
        with self._lock:
            self._open.add(self)
            _watch(True)

    def close(self) -> None:
        """Workers say no more what they do, if nobody else watches."""
        with self._lock:
            self._open.discard(self)
            _watch(bool(self._open))

    @classmethod
    def forget_all(cls) -> None:
        """In a forked child nobody watches, and the lock may be held by a thread that is not there."""
        cls._lock = Lock()
        cls._open.clear()
        _watch(False)

    def snapshot(self, stacks: bool, slowest: int) -> Document:
        """Return the document: of each pool its numbers, and some of its running tasks.

        Args:
            stacks: Whether each of these comes with its Python stack.
            slowest: How many of the tasks of each pool, those that have run for the longest.
        """
        pools = [pool for pool in _pools() if is_alive(pool)]
        frames: Frames = {}
        slow = [self._slowest(pool, slowest, frames) for pool in pools]
        if stacks:
            frames = sys._current_frames()  # those of these tasks, and not of what ran before them
        document = {
            "format": FORMAT,
            "time": time.time(),
            "monotonic": time.monotonic(),
            "process": {
                "pid": os.getpid(),
                "program": sys.argv[0] if sys.argv else "",
                "python": sys.version.split()[0],
                "antspy": __version__,
                "threads": threading.active_count(),
                "watched_since": self._began,
            },
            "pools": [
                {
                    "id": pool["id"],
                    "name": pool["name"],
                    **{name: pool[name] for name in NUMBERS},
                    **{name: histogram(pool[name]) for name in TIMES},
                    "tasks": [shown(task, frames if stacks else None) for task in tasks],
                }
                for pool, tasks in zip(pools, slow, strict=True)
            ],
        }
        frames.clear()  # one of them is this one
        return document

    def _slowest(self, pool: dict[str, Any], most: int, frames: Frames) -> list[Task]:
        """Return the running tasks that have run for the longest; fill `frames` if they are needed for it.

        There may be thousands of workers: what is done for each is little, and names are for those returned.
        """
        if not most:
            return []
        begun: list[tuple[WorkerThread, Any, float]] = []
        others: list[WorkerThread] = []
        for thread in list(pool["crew"]):
            if isinstance(thread, WorkerThread):
                seen = thread.seat._look()
                if seen is None or seen[0] is None:
                    others.append(thread)
                else:
                    begun.append((thread, *seen))
        tasks: list[Task] = []
        if len(begun) < pool["busy"]:
            # Some are idle, and the others have a stack, unless they are in a function in C. Stacks first: a
            # worker that takes a task after that is idle here, and not at what it ran hours ago.
            if not frames:
                frames.update(sys._current_frames())
            watched = time.monotonic() - self._since
            for thread in others:
                if (frame := frame_of(thread, frames)) is not None:
                    seen = thread.seat._look()
                    age = watched if seen is None else min(watched, seen[1])
                    tasks.append(Task(thread, first_name(frame), age, at_least=age == watched))
        tasks += [
            Task(thread, name_of(what), seconds)
            for thread, what, seconds in nlargest(most, begun, key=itemgetter(2))
        ]
        return nlargest(most, tasks, key=attrgetter("seconds"))


def shown(task: Task, frames: Frames | None) -> dict[str, Any]:
    """Return what the document says of a task; with its stack, if there are `frames`."""
    told: dict[str, Any] = {
        "worker": task.thread.name,
        "thread": task.thread.native_id,
        "name": task.name,
        "seconds": round(task.seconds, 3),
        "at_least": task.at_least,
    }
    if frames is not None:
        told["stack"] = stack(frame_of(task.thread, frames))
    return told


def is_alive(pool: dict[str, Any]) -> bool:
    """Whether it has not come to its end."""
    return not pool["closed"] or bool(pool["busy"] or pool["idle"] or pool["queued"])


def frame_of(thread: WorkerThread, frames: Frames) -> FrameType | None:
    return None if thread.ident is None else frames.get(thread.ident)


def first_name(frame: FrameType) -> str:
    """Return the name of the function that a stack has begun with."""
    while frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_qualname


def stack(frame: FrameType | None) -> list[str]:
    """Return a line for each frame, the outermost first; none within a function in C."""
    if frame is None:
        return []
    summary = StackSummary.extract(walk_stack(frame), lookup_lines=False)
    summary.reverse()
    return [f'File "{it.filename}", line {it.lineno}, in {it.name}' for it in summary]


def histogram(times: tuple[list[int], float]) -> dict[str, Any]:
    """Return the sum in seconds, and `[upper bound in seconds, count]` of each bucket that is not empty."""
    counts, total = times
    buckets = [[2.0**power / 1e9, count] for power, count in enumerate(counts, start=1) if count]
    return {"sum": total, "buckets": buckets}

"""What every peer can be asked to do, so that each work is written once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from typing import Any, ClassVar

from case import Case

Task = Callable[..., Any]


class Peer:
    """One way to run many tasks, made for one case.

    A peer gives `go`, `submit`, `result` and `wait`, or does a whole work in a way of its own. The loops are
    here, and hold nothing but the peer's own calls.
    """

    name: ClassVar[str]
    """As tables show it."""
    library: ClassVar[str | None] = None
    """What must be installed."""
    tasks: ClassVar[int] = 20_000
    """How many tasks of nothing it does in a part of a second."""
    go: Task
    """Hands in a task, of which nobody wants the result."""
    submit: Task
    """Hands in a task, and returns a handle."""
    result: Callable[[Any], Any]
    """Waits for the result of a handle."""
    wait: Callable[[], object]
    """Waits until all is done; nothing can be handed in any more."""
    sleep: Callable[[float], object] = staticmethod(time.sleep)
    event: Callable[[], Any] = threading.Event
    lock: Callable[[], Any] = threading.Lock

    def __init__(self, case: Case) -> None:
        self.case = case

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be measured here."""
        if cls.library is None or find_spec(cls.library):
            return None
        return f"{cls.library} is not installed"

    def close(self) -> None:
        """Ends what is left after the work: not measured."""

    def run(self, task: Task, count: int) -> None:
        """Hand in a task `count` times, and wait until all are done."""
        go = self.go
        for _ in range(count):
            go(task)
        self.wait()

    def results(self, task: Task, count: int) -> None:
        """Hand in a task `count` times, and get every result."""
        submit, result = self.submit, self.result
        handles = [submit(task) for _ in range(count)]
        for handle in handles:
            result(handle)
        self.wait()

    def round_trips(self, task: Task, count: int) -> None:
        """Hand in one task, get its result, and again."""
        submit, result = self.submit, self.result
        for _ in range(count):
            result(submit(task))
        self.wait()

    def map(self, task: Task, items: Iterable[Any]) -> None:
        """Get the results of a task with each item, in order, one item at a time."""
        raise NotImplementedError

    def calls(self, function: Task, count: int) -> None:
        """Call one function with `count` numbers, and wait until all are done."""
        call = partial(self.go, function)
        for number in range(count):
            call(number)
        self.wait()

    async def gather(self, task: Task, count: int) -> None:
        """Gather the results of a task `count` times in a coroutine."""
        raise NotImplementedError

"""The floor: no pool, no thread, a bare call."""

from collections.abc import Iterable
from typing import Any

from vs.peer import Peer, Task


class Floor(Peer):
    name = "a bare call"
    tasks = 1_000_000

    def run(self, task: Task, count: int) -> None:
        for _ in range(count):
            task()

    def results(self, task: Task, count: int) -> None:
        for result in [task() for _ in range(count)]:
            _ = result

    round_trips = run

    def map(self, task: Task, items: Iterable[Any]) -> None:
        for _ in map(task, items):
            pass

    def calls(self, function: Task, count: int) -> None:
        for number in range(count):
            function(number)

    async def gather(self, task: Task, count: int) -> None:
        """All in the coroutine itself: what is left of it is one call for each."""
        for _ in range(count):
            task()

"""A pool at which coroutines stand in line, and their tasks go in by themselves."""

from math import inf
from typing import Any, Literal

from pool_model import PoolModel, Queue, Task, Verdict


class Line(Queue):
    """Those who wait for a place. Who leaves it is gone at once."""

    holds = "waiting"

    def remove(self, task: Task) -> None:
        self.lanes[task.lane].remove(task)


class LineModel(PoolModel):
    """A pool at which tasks wait for a place, up to `max_blocking` of them."""

    def __init__(self, capacity: int | None, max_blocking: int | None, **settings: Any) -> None:
        self.line = Line()
        self.max_blocking = inf if max_blocking is None else max_blocking
        super().__init__(capacity, overflow="raise", **settings)

    def numbers(self) -> dict[str, int | None]:
        return {**super().numbers(), "waiting": len(self.line.tasks())}

    def has_place(self, places: int = 1) -> bool:
        """Whether as many tasks more would go in."""
        return self.in_flight + places <= self.capacity + self.queue_size

    def hand_in(self, task: Task) -> Verdict | Literal["waiting"]:
        """`submit` of a coroutine. Its sub-pool has a place."""
        if self.phase == "closed" or (self.has_place() and not self.line.tasks()):
            return self.submit(task)
        if len(self.line.tasks()) >= self.max_blocking:
            self.counts["rejected"] += 1
            return "overload"
        if task.places is not None:
            task.places.taken += 1
        task.state = "waiting"
        self.line.push(task)
        return "waiting"

    def leave(self, task: Task) -> None:
        """Its coroutine waits no more."""
        self.line.remove(task)
        self._refuse(task)

    def _refuse(self, task: Task) -> None:
        task.state = "new"
        self.counts["rejected"] += 1
        if task.places is not None:
            task.places.taken -= 1

    def _place_is_free(self) -> None:
        while self.phase != "closed" and self.has_place() and (following := self.line.pop()):
            self._accept(following)

    def tune(self, capacity: int | None) -> None:
        self.capacity = inf if capacity is None else capacity
        self._place_is_free()
        super().tune(capacity)

    def _give_back(self, task: Task) -> None:
        super()._give_back(task)
        self._place_is_free()

    def _close(self) -> None:
        super()._close()
        for task in self.line.tasks():
            self.leave(task)

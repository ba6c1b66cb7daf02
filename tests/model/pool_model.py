"""What a pool must do, in plain Python: no thread, no lock, and time that passes when it is told to.

Between two calls the model is where a pool comes to rest: whoever can run runs. Tasks end when `end` says so.
"""

from collections import deque
from dataclasses import dataclass, field
from math import inf
from typing import Literal

Lane = Literal["high", "normal", "low"]
Verdict = Literal["accepted", "overload", "discarded", "closed"]

LANES: tuple[Lane, ...] = ("high", "normal", "low")
PATIENCE = 16
"""How often a lane is passed over in a row before its turn comes."""


@dataclass(eq=False)
class SubPool:
    """So many of a pool's places."""

    limit: int
    taken: int = 0


@dataclass(eq=False)
class Task:
    """One task that somebody hands in."""

    number: int
    lane: Lane = "normal"
    deadline: float | None = None
    """Seconds from its submission on within which it must have started."""
    places: SubPool | None = None
    group: "Group | None" = None
    state: Literal["new", "waiting", "queued", "running", "returned", "raised", "cancelled"] = "new"
    due: float = inf


@dataclass(eq=False)
class Group:
    """Tasks that fail together, in the order of their submission."""

    places: SubPool | None
    tasks: list[Task] = field(default_factory=list)
    failed: bool = False


class Queue:
    """Three lanes. The first of the highest one is next, unless others have been passed over too often.

    What is cancelled keeps its turn: it is dropped when the turn comes, or before that with all others.
    """

    holds = "queued"
    """The state of what waits here."""

    def __init__(self) -> None:
        self.lanes: dict[Lane, deque[Task]] = {lane: deque() for lane in LANES}
        self.passed: dict[Lane, int] = dict.fromkeys(LANES, 0)

    def tasks(self) -> list[Task]:
        """Those that wait, by lane."""
        return [task for lane in LANES for task in self.lanes[lane] if task.state == self.holds]

    def push(self, task: Task) -> None:
        self.lanes[task.lane].append(task)

    def pop(self) -> Task | None:
        """The next one that is not cancelled."""
        while ready := [lane for lane in LANES if self.lanes[lane]]:
            starving = [lane for lane in ready if self.passed[lane] >= PATIENCE]
            chosen = starving[-1] if starving else ready[0]
            for lane in ready:
                self.passed[lane] += 1
            self.passed[chosen] = 0
            task = self.lanes[chosen].popleft()
            if task.state == self.holds:
                return task
        return None

    def drop_cancelled(self) -> None:
        """Drops all that is cancelled."""
        waiting = self.tasks()
        for lane in LANES:
            self.lanes[lane] = deque(task for task in waiting if task.lane == lane)

    def sweep(self) -> None:
        """The same, if that is much, and most of all."""
        length = sum(map(len, self.lanes.values()))
        cancelled = length - len(self.tasks())
        if cancelled >= 64 and cancelled >= length // 2:
            self.drop_cancelled()


class PoolModel:
    """A pool with `overflow="raise"` or `"discard"`."""

    def __init__(
        self,
        capacity: int | None,
        queue_size: int | None,
        min_workers: int,
        expiry: float | None,
        prealloc: bool,
        overflow: Literal["raise", "discard"],
    ) -> None:
        self.capacity = _limit(capacity)
        self.queue_size = _limit(queue_size)
        self.min_workers = min_workers
        self.expiry = _limit(expiry)
        self.preallocated = capacity if prealloc else None
        self.overflow = overflow
        self.phase: Literal["open", "paused", "closed"] = "open"
        self.now = 0.0
        self.queue = Queue()
        self.running: list[Task] = []
        self.begun: list[Task] = []
        """All that have started, in that order."""
        self.idle: list[float] = []
        """Since when each idle worker has been so, the oldest first."""
        self.live = 0
        self.counts = dict.fromkeys(
            ("submitted", "completed", "failed", "cancelled", "discarded", "rejected"), 0
        )
        self.workers_started = self.workers_expired = 0
        self._preallocate()

    @property
    def in_flight(self) -> int:
        """Places taken."""
        return len(self.queue.tasks()) + len(self.running)

    def numbers(self) -> dict[str, int | None]:
        """What `Pool.stats` must say."""
        return {
            "capacity": None if self.capacity == inf else int(self.capacity),
            "busy": len(self.running),
            "idle": len(self.idle),
            "queued": len(self.queue.tasks()),
            "waiting": 0,
            "started": len(self.begun),
            **self.counts,
            "workers_started": self.workers_started,
            "workers_expired": self.workers_expired,
        }

    def submit(self, task: Task) -> Verdict:
        """Hands in a task."""
        if self.phase == "closed":
            self.counts["rejected"] += 1
            return "closed"
        places = task.places
        full = places is not None and places.taken >= places.limit
        if full or self.in_flight >= self.capacity + self.queue_size:
            if self.overflow == "discard":
                self.counts["discarded"] += 1
                return "discarded"
            self.counts["rejected"] += 1
            return "overload"
        if places is not None:
            places.taken += 1
        self._accept(task)
        if self.live == 0:  # the first worker is started before its task is queued, also during a pause
            self._start_worker()
        self._run_what_can()
        return "accepted"

    def end(self, task: Task, failed: bool) -> None:
        """A task that runs returns, or raises; then its worker looks for the next."""
        self.running.remove(task)
        task.state = "raised" if failed else "returned"
        self.counts["failed" if failed else "completed"] += 1
        self._give_back(task)
        if failed and task.group is not None:
            self._fail(task.group)
        if self.live > self.capacity:
            self.live -= 1
        elif self.phase != "paused" and (following := self.queue.pop()):
            self._begin(following)
        elif self.phase == "closed":
            self.live -= 1
        else:
            self.idle.append(self.now)
        self._run_what_can()

    def cancel(self, task: Task) -> bool:
        """Cancels a task that has not started; whether it is cancelled, now or before."""
        if task.state == "queued":
            task.state = "cancelled"
            self.counts["cancelled"] += 1
            self._give_back(task)
            self.queue.sweep()
        return task.state == "cancelled"

    def tune(self, capacity: int | None) -> None:
        """Idle workers that are too many leave, the oldest first; what is queued starts on new ones."""
        self.capacity = _limit(capacity)
        while self.live > self.capacity and self.idle:
            del self.idle[0]
            self.live -= 1
        self.queue.drop_cancelled()
        self._run_what_can()

    def pause(self) -> None:
        """Nothing starts any more."""
        if self.phase == "open":
            self.phase = "paused"

    def resume(self) -> None:
        """What is queued starts."""
        if self.phase == "paused":
            self.phase = "open"
        self.queue.drop_cancelled()
        self._run_what_can()

    def release(self) -> None:
        """Idle workers leave; what is queued runs."""
        self._close()
        self._run_what_can()

    def shutdown(self) -> None:
        """The same, but what is queued is cancelled."""
        self._close()
        for task in self.queue.tasks():
            self.cancel(task)
        self.queue.drop_cancelled()

    def reboot(self) -> None:
        """Opens a closed pool again, once nobody is left."""
        if self.phase == "closed":
            assert self.live == 0
            self.phase = "open"
            self._preallocate()

    def advance(self, seconds: float) -> None:
        """What is too late is cancelled, and workers that have been idle for too long leave."""
        self.now += seconds
        for task in self.queue.tasks():
            if task.due <= self.now:
                self.cancel(task)
        while self.live > self.min_workers and self.idle and self.idle[0] + self.expiry <= self.now:
            del self.idle[0]
            self.live -= 1
            self.workers_expired += 1

    def _accept(self, task: Task) -> None:
        self.counts["submitted"] += 1
        task.state = "queued"
        task.due = self.now + _limit(task.deadline)
        self.queue.push(task)

    def _preallocate(self) -> None:
        if self.preallocated is None:
            return
        for _ in range(self.preallocated if self.capacity == inf else int(self.capacity)):
            self._start_worker()

    def _start_worker(self) -> None:
        self.live += 1
        self.workers_started += 1
        self.idle.append(self.now)

    def _run_what_can(self) -> None:
        """The newest idle worker comes for the next task; a new one is started if nobody is idle."""
        while self.phase != "paused" and self.queue.tasks():
            if not self.idle:
                if self.live >= self.capacity:
                    return
                self._start_worker()
            self.idle.pop()
            following = self.queue.pop()
            assert following is not None
            self._begin(following)

    def _begin(self, task: Task) -> None:
        task.state = "running"
        self.running.append(task)
        self.begun.append(task)

    def _give_back(self, task: Task) -> None:
        if task.places is not None:
            task.places.taken -= 1

    def _fail(self, group: Group) -> None:
        group.failed = True
        for task in group.tasks:
            self.cancel(task)

    def _close(self) -> None:
        self.phase = "closed"
        self.live -= len(self.idle)
        self.idle.clear()
        self.queue.drop_cancelled()


def _limit(value: float | None) -> float:
    return inf if value is None else value

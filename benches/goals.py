"""What the pool is to reach, as ratios between figures of one run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from results import Figure
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import BareQueue
from vs.standard import Standard


class Key(NamedTuple):
    """Names a figure."""

    work: str
    setting: str
    peer: str


Medians = dict[Key, float]


@dataclass(frozen=True)
class Goal:
    """A ratio, or a figure in seconds, that is to be at most, or at least, so much."""

    title: str
    value: Callable[[Medians], float]
    """`KeyError`: what it needs has not been measured."""
    most: float | None = None
    least: float | None = None

    @property
    def wanted(self) -> str:
        return f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"

    def reached(self, value: float) -> bool:
        if self.most is not None:
            return value <= self.most
        return self.least is not None and value >= self.least


def part_of(work: str, setting: str, peer: str) -> Callable[[Medians], float]:
    """antspy's time as a part of the peer's."""
    return lambda of: of[Key(work, setting, Ours.name)] / of[Key(work, setting, peer)]


def times(work: str, setting: str, peer: str) -> Callable[[Medians], float]:
    """How many times faster than the peer."""
    return lambda of: of[Key(work, setting, peer)] / of[Key(work, setting, Ours.name)]


def growth(of: Medians) -> float:
    tasks = {
        setting: value
        for (work, setting, peer), value in of.items()
        if work == "growth_tasks" and peer == Ours.name
    }
    fewest = tasks["10,000 tasks"]
    return tasks[max(tasks, key=lambda setting: int(setting.split()[0].replace(",", "")))] / fewest


def evenness(of: Medians) -> float:
    settings = ("capacity 100", "capacity 1,000", "capacity 10,000")
    costs = [of[Key("growth_capacity", setting, Ours.name)] for setting in settings]
    return max(costs) / min(costs)


def sleeps(of: Medians) -> float:
    return of[Key("sleeps", "100,000 at capacity 10,000", Ours.name)]


LARGE, SMALL = "capacity 1,000", "capacity 8"
GOALS = (
    Goal(f"go + wait, {LARGE}: of ants in Go", part_of("go_wait", LARGE, GoAnts.name), most=0.30),
    Goal(f"go + wait, {LARGE}: of the bare SimpleQueue", part_of("go_wait", LARGE, BareQueue.name), most=2.0),
    Goal(f"go + wait, {LARGE}: times ThreadPoolExecutor", times("go_wait", LARGE, Standard.name), least=40),
    Goal(
        f"submit, then every result, {LARGE}: times ThreadPoolExecutor",
        times("results", LARGE, Standard.name),
        least=30,
    ),
    Goal(
        f"submit, then every result, {SMALL}, unbounded queue: times ThreadPoolExecutor",
        times("results", f"{SMALL}, unbounded queue", Standard.name),
        least=25,
    ),
    Goal(f"go + wait, {SMALL}: of ants in Go", part_of("go_wait", SMALL, GoAnts.name), most=3),
    Goal("go + wait, capacity 1: of ants in Go", part_of("go_wait", "capacity 1", GoAnts.name), most=3),
    Goal("round trip: of ThreadPoolExecutor", part_of("round_trip", SMALL, Standard.name), most=0.10),
    Goal(f"map, {LARGE}: times ThreadPoolExecutor", times("map", LARGE, Standard.name), least=50),
    Goal(f"asyncio gather, {LARGE}: times run_in_executor", times("gather", LARGE, Standard.name), least=5),
    Goal("100,000 sleeps at capacity 10,000: s", sleeps, most=3),
    Goal("go + wait, most tasks: of that at 10,000 tasks", growth, most=1.3),
    Goal("go + wait, the worst capacity from 100 to 10,000: of the best", evenness, most=4),
    Goal(
        "a parked worker's memory: of ThreadPoolExecutor's thread",
        part_of("parked", "1,000 workers", Standard.name),
        most=1.0,
    ),
    Goal("a queued task: bytes", lambda of: of[Key("queued", "200,000 tasks", Ours.name)], most=200),
)


def judge(figures: list[Figure]) -> list[tuple[Goal, float]]:
    """The goals for which everything has been measured, each with what it came to."""
    medians = {Key(each.work.name, each.setting, each.peer): each.median for each in figures}
    judged = []
    for goal in GOALS:
        try:
            judged.append((goal, goal.value(medians)))
        except KeyError:
            continue
    return judged

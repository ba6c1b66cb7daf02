"""What a task costs as there are more tasks, and as the pool is larger."""

from collections.abc import Iterator

from case import Case
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import ENOUGH, BareQueue
from vs.standard import Standard
from work import Unit, Work, nop, timed

from works.settings import AnyPeer, at_capacity

TASKS = "growth_tasks"
CAPACITY = "growth_capacity"
LARGEST: dict[AnyPeer, int] = {Ours: 10**7, GoAnts: 10**7, BareQueue: 10**7, Standard: 10**6}
"""Up to how many tasks: `ThreadPoolExecutor` keeps them all, and takes its time."""


def more_tasks(quick: bool) -> Iterator[Case]:
    for tasks in (10**4, 10**5, 10**6, 10**7):
        for peer, largest in LARGEST.items():
            if tasks <= (largest // 10 if quick else largest):
                capacity = ENOUGH if peer is BareQueue else 1_000
                yield Case(TASKS, peer.name, f"{tasks:,} tasks", tasks, capacity)


def more_capacity(quick: bool) -> Iterator[Case]:
    for capacity in (1, 10, 100, 1_000, 10_000):
        for peer in (Ours, GoAnts, Standard):
            yield at_capacity(CAPACITY, peer, capacity)


run = timed(lambda peer, case: peer.run(nop, case.tasks))
WORKS = (
    Work(TASKS, "go and wait, more tasks", Unit.TASK, run, more_tasks, rounds=3, values=2),
    Work(CAPACITY, "go and wait, more capacity", Unit.TASK, run, more_capacity, rounds=3),
)

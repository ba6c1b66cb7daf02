"""Gather the results of many tasks in a coroutine."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

from case import Case
from vs.floor import Floor
from vs.ours import Ours
from vs.standard import Standard
from work import Unit, Work, nop, timed

from works.settings import at

NAME = "gather"
TASKS = 20_000


def cases(quick: bool) -> Iterator[Case]:
    for capacity in (8, 1_000):
        for peer in (Ours, Standard):
            yield Case(NAME, peer.name, at(capacity), TASKS, capacity)
    for peer in (Ours, Standard):
        case = Case(NAME, peer.name, f"{at(8)}, unbounded queue", TASKS, 8)
        yield replace(case, queue_size=None)
    yield Case(NAME, Floor.name, at(1_000), Floor.tasks)


WORK = Work(
    NAME,
    f"asyncio: gather {TASKS:,} tasks",
    Unit.TASK,
    timed(lambda peer, case: asyncio.run(peer.gather(nop, case.tasks))),
    cases,
)

"""`map`, one item a task."""

from collections.abc import Iterator

from case import Case
from vs.floor import Floor
from vs.gevent_pool import Gevent
from vs.joblib_threads import Joblib
from vs.ours import Ours
from vs.simple_queue import ENOUGH
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from work import Unit, Work, nop, timed

from works.settings import at_capacity

NAME = "map"


def cases(quick: bool) -> Iterator[Case]:
    for capacity in (8, 1_000):
        for peer in (Ours, Standard):
            yield at_capacity(NAME, peer, capacity)
    for other in (MultiprocessingPool, Gevent, Floor):
        yield at_capacity(NAME, other, 1_000)
    yield at_capacity(NAME, Joblib, 1_000, own=ENOUGH)


WORK = Work(
    NAME,
    "map, one item a task",
    Unit.TASK,
    timed(lambda peer, case: peer.map(nop, range(case.tasks))),
    cases,
)

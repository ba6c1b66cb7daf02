"""Submit all, then get every result."""

from collections.abc import Iterator
from dataclasses import replace

from case import Case
from vs.floor import Floor
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.joblib_threads import Joblib
from vs.ours import Ours
from vs.simple_queue import ENOUGH, BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads
from work import Unit, Work, nop, timed

from works.settings import at, at_capacity

NAME = "results"


def cases(quick: bool) -> Iterator[Case]:
    for capacity in (1, 8, 1_000, 10_000):
        for peer in (Ours, GoAnts):
            yield at_capacity(NAME, peer, capacity)
    for capacity in (8, 1_000):
        yield at_capacity(NAME, Standard, capacity)
    unbounded = f"{at(8)}, unbounded queue"
    yield Case(NAME, Ours.name, unbounded, Ours.tasks, 8, queue_size=None)
    yield replace(at_capacity(NAME, Standard, 8), setting=unbounded)
    for other in (MultiprocessingPool, Threads, Gevent, Floor):
        yield at_capacity(NAME, other, 1_000)
    for bare in (BareQueue, Joblib):
        yield at_capacity(NAME, bare, 1_000, own=ENOUGH)


WORK = Work(
    NAME,
    "submit, then get every result",
    Unit.TASK,
    timed(lambda peer, case: peer.results(nop, case.tasks)),
    cases,
)

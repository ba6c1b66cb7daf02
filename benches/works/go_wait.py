"""Fire and forget, then join: `go` and `shutdown` beside `submit` and `shutdown`."""

from collections.abc import Iterator

from case import Case
from vs.floor import Floor
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import ENOUGH, BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads
from work import Unit, Work, nop, timed

from works.settings import at_capacity

NAME = "go_wait"


def cases(quick: bool) -> Iterator[Case]:
    for capacity in (1, 8, 1_000, 10_000):
        for peer in (Ours, GoAnts):
            yield at_capacity(NAME, peer, capacity)
    for capacity in (8, 1_000):
        yield at_capacity(NAME, Standard, capacity)
    for other in (MultiprocessingPool, Threads, Gevent, Floor):
        yield at_capacity(NAME, other, 1_000)
    yield at_capacity(NAME, BareQueue, 1_000, own=ENOUGH)


WORK = Work(
    NAME,
    "go, then wait for all",
    Unit.TASK,
    timed(lambda peer, case: peer.run(nop, case.tasks)),
    cases,
)

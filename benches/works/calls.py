"""Call one function often: `PoolWithFunc` and its `invoke`."""

from collections.abc import Iterator

from case import Case
from vs.floor import Floor
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import ENOUGH, BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from work import Unit, Work, nop, timed

from works.settings import at_capacity

NAME = "calls"


def cases(quick: bool) -> Iterator[Case]:
    for capacity in (8, 1_000, 10_000):
        for peer in (Ours, GoAnts):
            yield at_capacity(NAME, peer, capacity)
    for other in (Standard, MultiprocessingPool, Gevent, Floor):
        yield at_capacity(NAME, other, 1_000)
    yield at_capacity(NAME, BareQueue, 1_000, own=ENOUGH)


WORK = Work(
    NAME,
    "PoolWithFunc: invoke, then wait for all",
    Unit.TASK,
    timed(lambda peer, case: peer.calls(nop, case.tasks)),
    cases,
)

"""Submit one task, get its result, and again: two switches between threads each."""

from collections.abc import Iterator

from case import Case
from vs.floor import Floor
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads
from work import Unit, Work, nop, timed

from works.settings import AnyPeer, at

NAME = "round_trip"
TRIPS = 5_000


def cases(quick: bool) -> Iterator[Case]:
    peers: tuple[AnyPeer, ...] = (Ours, GoAnts, Standard, MultiprocessingPool, Threads, BareQueue, Gevent)
    for peer in (*peers, Floor):
        yield Case(NAME, peer.name, at(8), peer.tasks if peer is Floor else TRIPS, 8)


WORK = Work(
    NAME,
    "submit one, get its result, and again",
    Unit.TASK,
    timed(lambda peer, case: peer.round_trips(nop, case.tasks)),
    cases,
)

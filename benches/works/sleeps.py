"""Tasks that wait: each sleeps for 100 ms, as one that asks a slow server does."""

from collections.abc import Iterator
from functools import partial

from case import Case
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads
from work import Unit, Work, timed

from works.settings import at

NAME = "sleeps"
SECONDS = 0.1
SLEEPS = 100_000
QUICK_SLEEPS = 20_000


def cases(quick: bool) -> Iterator[Case]:
    sleeps = QUICK_SLEEPS if quick else SLEEPS
    for capacity in (1_000, 10_000):
        setting = f"{sleeps:,} at {at(capacity)}"
        for peer in (Ours, GoAnts, Standard, BareQueue, Gevent):
            yield Case(NAME, peer.name, setting, sleeps, capacity)
    setting = f"{sleeps:,} at {at(1_000)}"
    yield Case(NAME, MultiprocessingPool.name, setting, sleeps, 1_000)
    yield Case(NAME, Threads.name, setting, sleeps, 1_000)


WORK = Work(
    NAME,
    "sleep for 100 ms",
    Unit.WHOLE,
    timed(lambda peer, case: peer.run(partial(peer.sleep, SECONDS), case.tasks)),
    cases,
    rounds=1,
    values=1,
    warmups=0,
)

"""Start many workers: from an empty pool until all run a task."""

import time
from collections.abc import Iterator

from case import Case
from crowd import Crowd
from vs.gevent_pool import Gevent
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads
from work import Unit, Work, open_peer

NAME = "start"
WORKERS = 10_000


def cases(quick: bool) -> Iterator[Case]:
    for peer in (Ours, GoAnts, Standard, MultiprocessingPool, Threads, BareQueue, Gevent):
        yield Case(NAME, peer.name, f"{WORKERS:,} workers", WORKERS, WORKERS)


def measure(case: Case) -> float:
    start = time.perf_counter()
    peer = open_peer(case)
    crowd = Crowd(peer, case.tasks)
    for _ in range(case.tasks):
        peer.go(crowd.enter)
    crowd.wait_complete()
    elapsed = time.perf_counter() - start
    crowd.leave()
    peer.wait()
    return elapsed


WORK = Work(NAME, "start workers", Unit.WORKER, measure, cases, rounds=3, values=1, warmups=0)

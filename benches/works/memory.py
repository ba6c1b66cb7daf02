"""What a parked worker and a queued task hold, as the resident memory of the process shows it (Linux)."""

import resource
from collections.abc import Iterator
from pathlib import Path

from case import Case
from crowd import Crowd
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from work import Unit, Work, nop, open_peer

PARKED = "parked"
QUEUED = "queued"
WORKERS = 1_000
TASKS = 200_000
STATM = Path("/proc/self/statm")


def parked_cases(quick: bool) -> Iterator[Case]:
    for peer in (Ours, GoAnts, Standard, MultiprocessingPool, BareQueue):
        yield Case(PARKED, peer.name, f"{WORKERS:,} workers", WORKERS, WORKERS)


def queued_cases(quick: bool) -> Iterator[Case]:
    for peer in (Ours, Standard, MultiprocessingPool, BareQueue):
        yield Case(QUEUED, peer.name, f"{TASKS:,} tasks", TASKS, 1, queue_size=None)


def resident() -> int:
    return int(STATM.read_text().split()[1]) * resource.getpagesize()


def parked(case: Case) -> float:
    """All workers have run a task, and have nothing to do."""
    before = resident()
    peer = open_peer(case)
    crowd = Crowd(peer, case.tasks)
    handles = [peer.submit(crowd.enter) for _ in range(case.tasks)]
    crowd.wait_complete()
    crowd.leave()
    for handle in handles:
        peer.result(handle)
    del handles
    held = resident() - before
    peer.wait()
    return held


def queued(case: Case) -> float:
    """Tasks without arguments wait for the only worker, which is held by another."""
    peer = open_peer(case)
    crowd = Crowd(peer, 1)
    peer.go(crowd.enter)
    crowd.wait_complete()
    before = resident()
    for _ in range(case.tasks):
        peer.go(nop)
    held = resident() - before
    crowd.leave()
    peer.wait()
    return held


once = {"rounds": 3, "values": 1, "warmups": 0}
"""A second time a process takes what it has kept."""
WORKS = (
    Work(PARKED, "memory of parked workers", Unit.BYTES_A_WORKER, parked, parked_cases, **once),
    Work(QUEUED, "memory of queued tasks", Unit.BYTES_A_TASK, queued, queued_cases, **once),
)

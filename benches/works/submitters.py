"""Several threads hand in tasks at once."""

import threading
import time
from collections.abc import Iterator

from case import Case
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import ENOUGH, BareQueue
from vs.standard import Standard
from work import Unit, Work, nop, open_peer

NAME = "submitters"


def cases(quick: bool) -> Iterator[Case]:
    for submitters in (1, 2, 4, 8):
        threads = "1 thread" if submitters == 1 else f"{submitters} threads"
        for peer in (Ours, GoAnts, Standard, BareQueue):
            capacity = ENOUGH if peer is BareQueue else 1_000
            yield Case(NAME, peer.name, f"from {threads}", peer.tasks, capacity, submitters=submitters)


def measure(case: Case) -> float:
    peer = open_peer(case)
    ready = threading.Barrier(case.submitters + 1)

    def submit() -> None:
        go, share = peer.go, case.tasks // case.submitters
        ready.wait()
        for _ in range(share):
            go(nop)

    threads = [threading.Thread(target=submit) for _ in range(case.submitters)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    peer.wait()
    return time.perf_counter() - start


WORK = Work(NAME, "go from several threads (capacity 1,000)", Unit.TASK, measure, cases, rounds=3)

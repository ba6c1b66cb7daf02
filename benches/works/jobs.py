"""The study's job: an HTTP request, answered after 100 ms, by the study's own client and server."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from case import Case
from vs.go_ants import GoAnts
from vs.ours import Ours
from vs.simple_queue import BareQueue
from vs.standard import Standard
from vs.thread_pool import MultiprocessingPool
from vs.threads import Threads
from work import Unit, Work, open_peer

from works.settings import at

NAME = "jobs"
DELAY = 0.1
JOBS = 20_000
QUICK_JOBS = 4_000


def cases(quick: bool) -> Iterator[Case]:
    jobs = QUICK_JOBS if quick else JOBS
    for peer in (Ours, GoAnts, Standard, MultiprocessingPool, BareQueue, Threads):
        yield Case(NAME, peer.name, f"{jobs:,} at {at(1_000)}", jobs, 1_000)


@contextmanager
def server() -> Iterator[int]:
    """The port of the study's server, in a process of its own."""
    # Here and below, not above: the study brings much with it, and each case of each work is a new process.
    from antspy.study.limits import raise_open_files
    from antspy.study.study import first_message, listen, start_server

    raise_open_files()
    listener = listen(0)
    port = int(listener.getsockname()[1])
    with start_server(listener, DELAY) as child:
        listener.close()
        first_message(child, "the server")
        yield port


def measure(case: Case) -> float:
    from antspy.study.client import connection_per_worker, make_connector
    from antspy.study.configuration import HOST
    from antspy.study.options import Client

    # Where libcurl writes the bodies; this process says nothing itself.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with server() as port:
        fetch = connection_per_worker(make_connector(Client.PYCURL, HOST, port, DELAY))
        numbers = count()
        failures: list[Exception] = []

        def job() -> None:
            try:
                fetch(next(numbers))
            except Exception as error:
                failures.append(error)

        start = time.perf_counter()
        open_peer(case).run(job, case.tasks)
        elapsed = time.perf_counter() - start
    if failures:
        raise RuntimeError(f"{len(failures)} of {case.tasks} jobs failed: {failures[0]}")
    return elapsed


WORK = Work(NAME, "the study's HTTP job", Unit.WHOLE, measure, cases, rounds=2, values=1, warmups=0)

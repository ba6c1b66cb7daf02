"""The jobs of a configuration whose pool is on a cluster: a request is made there, and told here when it has
ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from typing import Any

from antspy.study.client import Fetch, connection_per_worker, make_connector
from antspy.study.configuration import HOST, Configuration
from antspy.study.options import Client
from antspy.study.work import Work, reason


@dataclass(frozen=True)
class Request:
    """One job, as it goes to a worker of the cluster."""

    client: Client
    port: int
    delay: float

    def __call__(self, number: int) -> None:
        fetch_in_this_process(self)(number)


@cache
def fetch_in_this_process(request: Request) -> Fetch:
    """A connection for each thread of the worker that makes requests."""
    return connection_per_worker(make_connector(request.client, HOST, request.port, request.delay))


class ClusterWork(Work):
    """Its jobs are futures: what counts them is here, and does not go to the cluster."""

    def __init__(self, configuration: Configuration, notes: list[str]) -> None:
        self.request = Request(configuration.client, configuration.port, configuration.delay)
        super().__init__(configuration.jobs, self.request, notes)

    def goes(self, pool: Any) -> Callable[[int], object]:
        def hand_over(number: int) -> None:
            pool.submit(self.request, number).add_done_callback(self.ended)

        return hand_over

    def ended(self, future: Future[None]) -> None:
        error = future.exception()
        if isinstance(error, Exception):
            self.failures.append(reason(error))
        self.wait_group.done()

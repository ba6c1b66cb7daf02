"""Runs one configuration and measures it, in a process of its own: `python -m
antspy.study.measurement CONFIGURATION`.

It tells its progress ten times a second and its result at the end, then releases its pool and ends.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict

from antspy.study.client import (
    Connector,
    Fetch,
    FetchError,
    connection_per_worker,
    make_connector,
    shared_connections,
)
from antspy.study.configuration import HOST, Configuration
from antspy.study.lifeline import follow_parent
from antspy.study.limits import SPARE_FILES, open_files_limit, open_files_used
from antspy.study.message import say
from antspy.study.options import Unbounded
from antspy.study.result import Result, peak_rss_mb
from antspy.study.variant import RELEASE_TIMEOUT, Pool, hand_out, open_pool
from antspy.study.work import Work, reason

REPORT_INTERVAL = 0.1


class Measurement:
    """One configuration while it runs, and the thread that tells how far it is."""

    def __init__(self, configuration: Configuration, output: int) -> None:
        self.configuration = configuration
        self.output = output
        connector = make_connector(configuration.client, HOST, configuration.port, configuration.delay)
        self.client = connector.version
        fetch, notes = make_fetch(configuration, connector)
        self.work = Work(configuration.jobs, fetch, notes)
        self.pool: Pool | None = None
        self.finished = threading.Event()

    def run(self) -> Result:
        reporter = threading.Thread(target=self.report, name="reporter")
        reporter.start()
        start_rss = self.peak_rss_mb()
        start, start_cpu = time.perf_counter(), time.process_time()
        work, configuration = self.work, self.configuration
        try:
            self.pool = self.open_pool()
            hand_out(configuration, self.pool, work)
        except Exception as error:  # not one job's: what is not submitted by now never will be
            work.failures += [reason(error)] * (work.jobs - work.submitted)
            work.wait_group.wait()
        elapsed, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        pool = self.pool
        result = Result(
            name=configuration.name,
            jobs=work.jobs,
            failed=len(work.failures),
            elapsed_ms=round(elapsed * 1000, 1),
            peak_rss_mb=self.peak_rss_mb(),
            capacity=pool.capacity if pool else None,
            running=pool.running if pool else None,
            free=pool.free if pool else None,
            reasons=work.reasons(),
            notes=work.notes,
            start_rss_mb=start_rss,
            cpu_s=round(cpu, 3),
            switch_interval=sys.getswitchinterval(),
        )
        self.finished.set()
        reporter.join()
        return result

    def open_pool(self) -> Pool | None:
        return open_pool(self.configuration, self.work)

    def peak_rss_mb(self) -> float:
        return peak_rss_mb()

    def close(self) -> None:
        if self.pool:
            self.pool.release(RELEASE_TIMEOUT)

    def report(self) -> None:
        while not self.finished.wait(REPORT_INTERVAL):
            pool, work = self.pool, self.work
            say(
                {
                    "done": work.done,
                    "failed": len(work.failures),
                    "running": pool.running if pool else work.running,
                    "free": pool.free if pool else None,
                    "waiting": pool.waiting if pool else None,
                },
                self.output,
            )


def make_fetch(configuration: Configuration, connector: Connector) -> tuple[Fetch, list[str]]:
    """A connection for each worker; where the files do not suffice, as many as they do, and a note on it."""
    files, limit = files_per_connection(connector), open_files_limit()
    most = max(1, (limit - SPARE_FILES) // files)
    if configuration.most_at_once <= most:
        return connection_per_worker(connector), []
    bound = f"the limit of {limit} open files, {files} for each connection, allows {most} connections at once"
    if configuration.capacity is Unbounded.NONE:
        return connection_per_worker(connector), [f"{bound}; a job that finds no file left fails"]
    return shared_connections(connector, most), [
        f"{bound}; they are shared, and a job that finds none free waits"
    ]


def files_per_connection(connector: Connector) -> int:
    """libcurl opens others beside the socket, how many depends on its version."""
    connection = connector.open()

    def use() -> None:
        with suppress(FetchError):  # the jobs will tell
            connector.request(connection, "/zero/0")

    return max(1, open_files_used(use))


def run_measurement(kind: type[Measurement]) -> None:
    """What the process does, from its first moment to its last."""
    follow_parent()
    # The C stdout becomes the null device, where libcurl writes the bodies (see client.py); the
    # parent reads the other one.
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    configuration = Configuration.from_json(sys.argv[1])
    sys.setswitchinterval(configuration.switch_interval)
    measurement = kind(configuration, output)
    result = measurement.run()
    say({"result": asdict(result), "client": measurement.client}, output)
    measurement.close()


if __name__ == "__main__":
    run_measurement(Measurement)

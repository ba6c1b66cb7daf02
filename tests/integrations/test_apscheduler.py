"""APScheduler's jobs on a pool and on our executor, as the example shows."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import antspy
import pytest
from support import LIMIT, Gate, Thread, eventually, library

events = library("apscheduler.events")
executors = library("apscheduler.executors.pool")
schedulers = library("apscheduler.schedulers.background")


class PoolExecutor(executors.BasePoolExecutor):  # type: ignore[misc, name-defined]  # it has no types
    def __init__(self, pool: antspy.Pool) -> None:
        super().__init__(pool)


class Scheduler:
    """A running scheduler whose jobs run on `pool`, and what it has told of them."""

    def __init__(self, pool: antspy.Pool) -> None:
        self.told: list[Any] = []
        self.scheduler = schedulers.BackgroundScheduler(
            executors={"default": PoolExecutor(pool)},
            job_defaults={"misfire_grace_time": None},
            timezone=UTC,
        )
        self.scheduler.add_listener(self.told.append, events.EVENT_JOB_EXECUTED | events.EVENT_JOB_ERROR)
        self.scheduler.start()

    def now(self, job: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Have `job` run once, now."""
        self.scheduler.add_job(job, "date", run_date=datetime.now(UTC), args=args, **kwargs)

    def wait_told(self, count: int) -> list[Any]:
        eventually(lambda: len(self.told) >= count)
        return self.told


Start = Callable[[antspy.Pool], Scheduler]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start schedulers, and shut those down that run in the end."""
    started: list[Scheduler] = []

    def start(pool: antspy.Pool) -> Scheduler:
        started.append(Scheduler(pool))
        return started[-1]

    yield start
    for scheduler in started:
        if scheduler.scheduler.running:
            scheduler.scheduler.shutdown()


@pytest.mark.parametrize("kind", [antspy.Pool, antspy.ThreadPoolExecutor])
def test_jobs_run_on_the_workers_and_their_results_are_told(
    kind: Callable[..., antspy.Pool], start: Start
) -> None:
    scheduler = start(kind(4, queue_size=None, thread_name_prefix="ant"))
    for _ in range(20):
        scheduler.now(lambda: threading.current_thread().name)
    told = scheduler.wait_told(20)
    assert all(event.retval.startswith("ant_") for event in told)
    assert len(told) == 20


def test_more_jobs_than_workers_wait_in_the_queue_and_none_is_lost(start: Start) -> None:
    # A pool that blocks in `submit` would not do: APScheduler calls it under a lock for which the callbacks
    # of the jobs that are done wait, in the workers that the submitted job needs.
    pool = antspy.Pool(1, queue_size=None)
    scheduler = start(pool)
    for number in range(50):
        scheduler.now(abs, -number)
    assert sorted(event.retval for event in scheduler.wait_told(50)) == list(range(50))
    assert pool.stats().completed == 50


def test_a_pool_that_raises_loses_a_job_and_says_so(
    start: Start, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = start(antspy.Pool(1, overflow="raise"))
    scheduler.now(gate)
    gate.wait_entered()
    with caplog.at_level(logging.ERROR, "apscheduler"):
        scheduler.now(abs, -1)
        eventually(lambda: "Error submitting job" in caplog.text)
    assert "PoolOverloadError" in caplog.text
    gate.open()
    scheduler.wait_told(1)
    scheduler.now(abs, -2)
    assert [event.retval for event in scheduler.wait_told(2)] == [None, 2]


def test_an_error_of_a_job_is_told(start: Start) -> None:
    scheduler = start(antspy.Pool(2, queue_size=None))
    scheduler.now(divmod, 1, 0)
    scheduler.now(divmod, 7, 2)
    told = sorted(scheduler.wait_told(2), key=lambda event: event.exception is None)
    assert isinstance(told[0].exception, ZeroDivisionError)
    assert told[1].retval == (3, 1)


def test_a_job_that_still_runs_is_not_run_twice_at_once(start: Start, gate: Gate) -> None:
    at_most: list[object] = []
    scheduler = start(antspy.Pool(4, queue_size=None))
    scheduler.scheduler.add_listener(at_most.append, events.EVENT_JOB_MAX_INSTANCES)
    scheduler.scheduler.add_job(gate, "interval", seconds=0.02, max_instances=2)
    gate.wait_entered(2)
    eventually(lambda: at_most)
    gate.open()
    scheduler.wait_told(3)


def test_an_interval_goes_on(start: Start) -> None:
    scheduler = start(antspy.Pool(2, queue_size=None))
    at_first = datetime.now(UTC)
    scheduler.scheduler.add_job(int, "interval", seconds=0.02)
    told = scheduler.wait_told(5)
    assert told[4].scheduled_run_time >= at_first + timedelta(seconds=0.1)


def test_shutting_down_waits_for_the_jobs_that_run_and_closes_the_pool(start: Start, gate: Gate) -> None:
    pool = antspy.Pool(2, queue_size=None)
    scheduler = start(pool)
    scheduler.now(gate, 7)
    gate.wait_entered()
    ending = Thread(scheduler.scheduler.shutdown)
    eventually(lambda: pool.closed)
    assert ending.is_alive()
    gate.open()
    ending.result()
    assert pool.running == 0
    ending.join(LIMIT)

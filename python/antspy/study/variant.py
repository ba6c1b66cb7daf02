"""The variants: how a configuration hands out its jobs. Each is one function; `examples/` has each
as a program of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import antspy
from antspy.study.configuration import Configuration
from antspy.study.options import ADAPTIVE_LIMIT, CAPACITY_LIMIT, Capacity, Unbounded, Variant
from antspy.study.work import Work, reason

Pool = antspy.Pool | antspy.PoolWithFunc[None]

RELEASE_TIMEOUT = 60.0


def open_pool(configuration: Configuration, work: Work) -> Pool | None:
    """The pool of this configuration; None where there is none. Prealloc starts its workers
    here."""
    capacity, variant = configuration.capacity, configuration.variant
    if capacity is Unbounded.NONE:
        return None
    if variant is Variant.FUNC:
        return antspy.PoolWithFunc(work.job, size(capacity))
    if capacity is Unbounded.DEFAULT:
        return antspy.default_pool()
    if capacity is Unbounded.ADAPTIVE:
        return antspy.Pool(size(capacity))
    if variant is Variant.CHANNELS:
        return None
    return antspy.Pool(int(capacity), prealloc=variant is Variant.PREALLOC)


def size(capacity: Capacity) -> int | antspy.Adaptive:
    match capacity:
        case Unbounded.ADAPTIVE:
            return antspy.Adaptive(2, ADAPTIVE_LIMIT)
        case int():
            return capacity
        case _:
            return CAPACITY_LIMIT


def hand_out(configuration: Configuration, pool: Any, work: Work) -> None:
    """Submits all jobs of a configuration and returns when the last one is done."""
    if configuration.capacity is Unbounded.NONE:
        thread_per_job(work)
    elif pool is None:
        by_hand(work, int(configuration.capacity))
    else:
        adaptive = configuration.capacity is Unbounded.ADAPTIVE
        tunes_itself = adaptive and configuration.variant is Variant.TUNE
        WITH_POOL[Variant.SUBMIT if tunes_itself else configuration.variant](pool, work)
    work.wait_group.wait()


def any_function(pool: antspy.Pool, work: Work) -> None:
    work.submit(range(work.jobs), work.goes(pool))


def fixed_function(pool: antspy.PoolWithFunc[None], work: Work) -> None:
    work.submit(range(work.jobs), pool.invoke)


def two_submits(pool: antspy.Pool, work: Work) -> None:
    go = work.goes(pool)
    for turn in range(0, work.jobs, 2):
        work.submit([turn], go)
        work.submit(
            range(turn + 1, min(turn + 2, work.jobs)), go
        )  # none in the last turn of an odd number of jobs


def tune_down_and_up(pool: antspy.Pool, work: Work) -> None:
    """To half the capacity after a quarter of the jobs, to its double at the half, back at three
    quarters."""

    def tune(capacity: int) -> None:
        try:
            pool.tune(capacity)
        except Exception as error:
            work.notes.append(f"tune({capacity}) failed: {reason(error)}")

    capacity = pool.capacity or CAPACITY_LIMIT
    steps = [max(1, capacity // 2), min(2 * capacity, CAPACITY_LIMIT), capacity]
    tuners = [threading.Thread(target=tune, args=[step], name="tuner") for step in steps]  # from any thread
    quarters = [work.jobs * quarter // 4 for quarter in range(5)]
    go = work.goes(pool)
    work.submit(range(quarters[1]), go)
    for tuner, start, end in zip(tuners, quarters[1:], quarters[2:], strict=False):
        tuner.start()
        work.submit(range(start, end), go)
        tuner.join()


def release_and_reboot(pool: antspy.Pool, work: Work) -> None:
    """Half the jobs, a release that waits for them, a reboot, the other half."""
    half = work.jobs // 2
    go = work.goes(pool)
    work.submit(range(half), go)
    pool.release(RELEASE_TIMEOUT)
    pool.reboot()
    work.submit(range(half, work.jobs), go)


WITH_POOL: dict[Variant, Callable[[Any, Work], None]] = {
    Variant.SUBMIT: any_function,
    Variant.FUNC: fixed_function,
    Variant.TWO: two_submits,
    Variant.PREALLOC: any_function,  # the same loop, on a pool whose workers are there already
    Variant.TUNE: tune_down_and_up,
    Variant.REBOOT: release_and_reboot,
    Variant.CHANNELS: any_function,  # the default pool, beside what is made by hand
}


def thread_per_job(work: Work) -> None:
    def start_thread(number: int) -> None:
        threading.Thread(target=work.job, args=[number]).start()

    work.submit(range(work.jobs), start_thread)


def by_hand(work: Work, workers: int) -> None:
    """A jobs queue, a results queue and worker threads: what a pool saves us from writing."""
    jobs: SimpleQueue[int | None] = SimpleQueue()
    results: SimpleQueue[int] = SimpleQueue()

    def worker() -> None:
        for number in iter(jobs.get, None):
            work.job(number)
            results.put(number)

    started = 0
    try:
        for _ in range(workers):
            threading.Thread(target=worker).start()
            started += 1
    except RuntimeError as error:
        work.notes.append(f"{started} of {workers} worker threads started: {error}")
        if not started:
            raise
    work.submit(range(work.jobs), jobs.put)
    for _ in range(started):  # closes the jobs queue: each worker ends when it gets its None
        jobs.put(None)
    for _ in range(work.jobs):
        results.get()

"""What the longer switch interval gives and costs: with it and without, each in a process of its own.

    python benches/switch_interval.py sleeps     # 100,000 sleeps of 100 ms
    python benches/switch_interval.py beside     # an event loop, and a thread that computes

A table is in `docs/switch-interval.md`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from antspy import Pool

SLEEP = 0.1
"""Seconds: what each worker does."""
TICK = 0.01
"""Seconds: how long the event loop sleeps each time."""
POLICIES = {"longer": "", "kept": "keep"}
Figures = dict[str, float]


def sleeps(workers: int, tasks: int) -> Figures:
    """Let a pool sleep `tasks` times, by `go` and by `submit`."""
    figures = {}
    for name in ("go", "submit"):
        with Pool(workers) as pool:
            start = time.perf_counter()
            if name == "go":
                for _ in range(tasks):
                    pool.go(time.sleep, SLEEP)
                pool.wait()
            else:
                for future in [pool.submit(time.sleep, SLEEP) for _ in range(tasks)]:
                    future.result()
            figures[name] = time.perf_counter() - start
            start = time.perf_counter()
        figures["release after " + name] = time.perf_counter() - start
    return figures


class Computing:
    """A thread that computes in Python and never lets go of the interpreter by itself."""

    def __init__(self) -> None:
        self.rounds = 0
        self.stopped = False
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while not self.stopped:
            self.rounds += 1


@contextmanager
def sleeping(workers: int) -> Iterator[list[int]]:
    """Workers that sleep again and again, and how often they have."""
    stopped = threading.Event()
    slept = [0]

    def task() -> None:
        while not stopped.is_set():
            time.sleep(SLEEP)
            slept[0] += 1  # a count lost now and then does not matter

    if not workers:
        yield slept
        return
    with Pool(workers) as pool:
        for _ in range(workers):
            pool.go(task)
        while pool.busy < workers:
            time.sleep(TICK)
        yield slept
        stopped.set()


async def late(seconds: float) -> list[float]:
    """How much later than asked for an event loop wakes up, each time."""
    times = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        await asyncio.sleep(TICK)
        times.append(time.perf_counter() - start - TICK)
    return times


def beside(workers: int, computes: bool, seconds: float) -> Figures:
    """Measure an event loop, and a thread that computes, beside sleeping workers."""
    with sleeping(workers) as slept:
        computing = Computing()
        if computes:
            computing.thread.start()
        before, rounds, start = slept[0], computing.rounds, time.perf_counter()
        times = sorted(asyncio.run(late(seconds)))
        elapsed = time.perf_counter() - start
        figures = {
            "sleeps a second": (slept[0] - before) / elapsed,
            "million rounds a second": (computing.rounds - rounds) / elapsed / 1e6,
            "loop late, median ms": statistics.median(times) * 1e3,
            "loop late, 99 % ms": times[int(len(times) * 0.99)] * 1e3,
            "loop late, worst ms": times[-1] * 1e3,
        }
        computing.stopped = True
        if computes:
            computing.thread.join()
    return figures


def in_process(policy: str, *arguments: object) -> Figures:
    """Run this script for one row."""
    environment = os.environ | {"ANTSPY_SWITCH_INTERVAL": POLICIES[policy]}
    command = [sys.executable, __file__, *map(str, arguments)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def print_row(cells: list[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["sleeps", "beside"])
    parser.add_argument("--workers", type=int, nargs="+", help="how many")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--policies", nargs="+", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--row", choices=["alone", "computes"], help="measure one row here, and print JSON")
    options = parser.parse_args()
    if options.row:
        (workers,) = options.workers
        if options.what == "sleeps":
            print(json.dumps(sleeps(workers, options.tasks)))
        else:
            print(json.dumps(beside(workers, options.row == "computes", options.seconds)))
        return
    print(f"CPython {sys.version.split()[0]}, {os.cpu_count()} processors")
    rows = ["alone"] if options.what == "sleeps" else ["alone", "computes"]
    usual = [1_000, 10_000] if options.what == "sleeps" else [0, 100, 1_000, 10_000]
    header = False
    for row in rows:
        for workers in options.workers or usual:
            for policy in options.policies if workers else options.policies[:1]:
                limits = ["--tasks", options.tasks, "--seconds", options.seconds]
                figures = in_process(policy, options.what, "--row", row, "--workers", workers, *limits)
                if not header:
                    print_row(["", "workers", "interval", *figures])
                    print_row(["---"] * (len(figures) + 3))
                    header = True
                print_row([row, f"{workers:,}", policy, *(f"{value:,.2f}" for value in figures.values())])


if __name__ == "__main__":
    main()

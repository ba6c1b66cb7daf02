"""What the benchmarks share: the task, and how a peer is timed."""

import time
from collections.abc import Callable
from typing import Any

import pyperf


def nop() -> None:
    """The task: nothing, so that what is measured is the pool."""


def per_task(runner: pyperf.Runner, name: str, tasks: int, body: Callable[..., Any], *args: Any) -> None:
    """Time `body(tasks, *args)`, which makes its own pool, and report seconds a task."""

    def timed(loops: int) -> float:
        start = time.perf_counter()
        for _ in range(loops):
            body(tasks, *args)
        return time.perf_counter() - start

    runner.bench_time_func(name, timed, inner_loops=tasks)

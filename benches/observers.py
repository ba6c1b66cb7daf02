"""What it costs to look on: a map with a bar, and tasks with a span, beside the same without, in turns.

    python benches/observers.py

Needs opentelemetry-sdk, and rich or tqdm, whose bars go to stderr.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import antspy
from antspy.opentelemetry import traced
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

ROUNDS = 11


def nop(_: object = None) -> None:
    """Do nothing."""


def by_map(pool: antspy.Pool, tasks: int, **options: Any) -> float:
    """Return the nanoseconds of a task."""
    begin = time.perf_counter()
    deque(pool.map(nop, range(tasks), **options), maxlen=0)
    return (time.perf_counter() - begin) / tasks * 1e9


def by_go(pool: Any, tasks: int) -> float:
    begin = time.perf_counter()
    for _ in range(tasks):
        pool.go(nop)
    pool.wait()
    return (time.perf_counter() - begin) / tasks * 1e9


def compare(title: str, plain: Callable[[], float], watched: Callable[[], float]) -> None:
    plain(), watched()
    pairs = [(plain(), watched()) for _ in range(ROUNDS)]
    ratio = median(watched / plain for plain, watched in pairs)
    least = min(plain for plain, _ in pairs), min(watched for _, watched in pairs)
    print(f"{title}: median of the ratios {ratio:.2f}; least {least[0]:,.0f} and {least[1]:,.0f} ns")


def main() -> None:
    with antspy.Pool(1000) as pool:
        for tasks in (100_000, 1_000_000):
            compare(
                f"map of {tasks:,}, progress=True",
                partial(by_map, pool, tasks),
                partial(by_map, pool, tasks, progress=True),
            )
        off = traced(pool, TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False))
        on = traced(pool, TracerProvider(shutdown_on_exit=False))
        compare("go, traced, sampler off", partial(by_go, pool, 50_000), partial(by_go, off, 50_000))
        compare("go, traced, recorded", partial(by_go, pool, 50_000), partial(by_go, on, 50_000))


if __name__ == "__main__":
    main()

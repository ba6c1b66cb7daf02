"""Submit one task, wait for its result, and again: two switches between threads each."""

from concurrent.futures import Executor, ThreadPoolExecutor

import antspy
import pyperf
from work import nop, per_task


def round_trip(tasks: int, executor: Executor) -> None:
    with executor:
        for _ in range(tasks):
            executor.submit(nop).result()


def ours(tasks: int) -> None:
    round_trip(tasks, antspy.Pool(8))


def standard(tasks: int) -> None:
    round_trip(tasks, ThreadPoolExecutor(8))


if __name__ == "__main__":
    runner = pyperf.Runner(processes=5, values=3, warmups=1)
    per_task(runner, "capacity 8", 5_000, ours)
    per_task(runner, "ThreadPoolExecutor", 5_000, standard)

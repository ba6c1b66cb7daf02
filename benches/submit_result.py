"""Submit, then get every result."""

from concurrent.futures import Executor, ThreadPoolExecutor

import antspy
import pyperf
from work import nop, per_task


def submit_result(tasks: int, executor: Executor) -> None:
    with executor:
        futures = [executor.submit(nop) for _ in range(tasks)]
        for future in futures:
            future.result()


def ours(tasks: int, capacity: int) -> None:
    submit_result(tasks, antspy.Pool(capacity))


def standard(tasks: int, workers: int) -> None:
    submit_result(tasks, ThreadPoolExecutor(workers))


if __name__ == "__main__":
    runner = pyperf.Runner(processes=5, values=3, warmups=1)
    for capacity in (8, 1_000, 10_000):
        per_task(runner, f"capacity {capacity:,}", 100_000, ours, capacity)
    per_task(runner, "ThreadPoolExecutor", 50_000, standard, 1_000)

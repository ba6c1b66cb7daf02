"""Fire and forget, then join: `go` and `wait` beside `submit` and `shutdown`."""

from concurrent.futures import ThreadPoolExecutor

import antspy
import pyperf
from work import nop, per_task


def go_wait(tasks: int, capacity: int) -> None:
    pool = antspy.Pool(capacity)
    for _ in range(tasks):
        pool.go(nop)
    pool.wait()
    pool.release()


def submit_shutdown(tasks: int, workers: int) -> None:
    executor = ThreadPoolExecutor(workers)
    for _ in range(tasks):
        executor.submit(nop)
    executor.shutdown()


if __name__ == "__main__":
    runner = pyperf.Runner(processes=5, values=3, warmups=1)
    for capacity in (1_000, 10_000):
        per_task(runner, f"capacity {capacity:,}", 200_000, go_wait, capacity)
    per_task(runner, "ThreadPoolExecutor", 50_000, submit_shutdown, 1_000)

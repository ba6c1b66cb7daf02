"""Gather the results of many tasks in a coroutine."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import antspy
import pyperf
from work import nop, per_task


async def gather_ours(tasks: int, pool: antspy.Pool) -> None:
    async with pool:
        await asyncio.gather(*(pool.arun(nop) for _ in range(tasks)))


async def gather_standard(tasks: int) -> None:
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor() as executor:
        await asyncio.gather(*(loop.run_in_executor(executor, nop) for _ in range(tasks)))


def ours(tasks: int, capacity: int, queue_size: int | None) -> None:
    asyncio.run(gather_ours(tasks, antspy.Pool(capacity, queue_size=queue_size)))


def standard(tasks: int) -> None:
    asyncio.run(gather_standard(tasks))


if __name__ == "__main__":
    runner = pyperf.Runner(processes=5, values=3, warmups=1)
    for capacity in (8, 1_000):
        per_task(runner, f"capacity {capacity:,}", 20_000, ours, capacity, 0)
    per_task(runner, "capacity 8, unbounded queue", 20_000, ours, 8, None)
    per_task(runner, "ThreadPoolExecutor", 20_000, standard)

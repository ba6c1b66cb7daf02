"""A worker that waits for a task of its own pool leaves it to others while there are any.

So does every worker of a `ThreadPoolExecutor`, which stands in for the standard library's, and every worker
in which an event loop runs.
"""

import asyncio
import threading
from concurrent.futures import Future
from typing import Any

import pytest
from antspy import Pool, ThreadPoolExecutor, WaitGroup
from support import LIMIT, Gate


def test_an_executors_task_waits_no_longer_than_it_says(gate: Gate) -> None:
    with ThreadPoolExecutor(2) as executor:

        def outer() -> str:
            inner = executor.submit(gate)
            try:
                inner.result(timeout=0.02)
            except TimeoutError:
                return "late"
            return "in time"

        assert executor.submit(outer).result(LIMIT) == "late"
        gate.open()


def test_a_lock_that_the_waiting_task_holds_is_not_entered_again_by_the_other() -> None:
    with ThreadPoolExecutor(2) as executor:

        def outer() -> tuple[bool, bool]:
            lock = threading.RLock()
            me = threading.get_ident()
            with lock:
                taken = executor.submit(lock.acquire, blocking=False).result(LIMIT)
            return taken, executor.submit(threading.get_ident).result(LIMIT) == me

        assert executor.submit(outer).result(LIMIT) == (False, False)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_yet_no_nest_of_an_executors_tasks_deadlocks(workers: int) -> None:
    with ThreadPoolExecutor(workers) as executor:

        def fib(number: int) -> int:
            if number < 2:
                return number
            parts: list[Future[int]] = [executor.submit(fib, number - 1), executor.submit(fib, number - 2)]
            return sum(part.result(LIMIT) for part in parts)

        assert executor.submit(fib, 7).result(LIMIT) == 13


def test_a_loop_in_a_worker_goes_on_while_other_workers_run_its_tasks(gate: Gate) -> None:
    with Pool(3) as pool:

        async def main() -> list[Any]:
            first, second = pool.arun(gate, 1), pool.arun(gate, 2)
            for _ in range(20):  # far more turns than it takes to look for the first time
                await asyncio.sleep(0.001)
            gate.open()
            return [await first, await second]

        assert pool.submit(asyncio.run, main()).result(LIMIT) == [1, 2]


def test_a_loop_in_the_only_worker_runs_a_groups_later_jobs_itself() -> None:
    waits = threading.Event()
    ran: list[int] = []
    with Pool(1, queue_size=1) as pool:
        group = WaitGroup(pool)
        group.add()

        async def main() -> None:
            asyncio.get_running_loop().call_later(0.02, waits.set)
            await group

        future = pool.submit(asyncio.run, main())
        assert waits.wait(LIMIT)
        group.go(ran.append, 1)
        group.done()
        future.result(LIMIT)
    assert ran == [1]

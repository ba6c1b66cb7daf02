"""A task that runs in the midst of a loop's thread does not see the loop."""

import asyncio

import pytest
from antspy import Pool
from loop_support import fill, run
from support import LIMIT, Gate


async def own() -> list[int]:
    return await asyncio.gather(*(asyncio.sleep(0, number) for number in range(3)))


def test_a_task_that_its_submitter_runs_may_run_a_loop(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert pool.submit(asyncio._get_running_loop).result() is None
        assert pool.submit(asyncio.run, own()).result() == [0, 1, 2]
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
        assert asyncio.get_running_loop() is loop
        assert asyncio.current_task() is task
        await asyncio.sleep(0)
        gate.open()

    with Pool(1, overflow="caller_runs") as pool:
        run(main(pool))


def test_so_may_one_that_a_worker_runs_for_its_own_loop() -> None:
    async def main(pool: Pool) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        # In the midst of this task, for there is no place; then from the queue, between two turns.
        full = pool.arun(asyncio.run, own())
        assert full.done()
        pool.tune(2)
        pool.pause()
        queued = pool.arun(asyncio.run, own())
        assert not queued.done()
        assert [await full, await queued] == [[0, 1, 2]] * 2
        pool.resume()
        assert (asyncio.get_running_loop(), asyncio.current_task()) == (loop, task)

    with Pool(1) as pool:
        pool.submit(asyncio.run, main(pool)).result(LIMIT)


def test_a_worker_without_a_loop_has_none() -> None:
    with Pool(1) as pool:
        outer = pool.submit(lambda: pool.submit(asyncio._get_running_loop).result())
        assert outer.result(LIMIT) is None

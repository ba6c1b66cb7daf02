"""Futures and wait groups in coroutines."""

import asyncio
import threading
import time
from typing import Any

import pytest
from antspy import Future, Pool, WaitGroup
from loop_support import run, start, turns
from support import LIMIT, Gate, Thread


def test_a_future_can_be_awaited(gate: Gate) -> None:
    async def main(pool: Pool) -> list[int]:
        future = pool.submit(gate, 1)
        asyncio.get_running_loop().call_later(0.02, gate.open)
        return [await future, await future, await pool.submit(abs, -2)]

    with Pool(2) as pool:
        assert asyncio.run(main(pool)) == [1, 1, 2]


def test_an_await_raises_what_the_task_raised() -> None:
    async def main(pool: Pool) -> None:
        await pool.submit(divmod, 1, 0)

    with Pool(1) as pool, pytest.raises(ZeroDivisionError):
        asyncio.run(main(pool))


def test_the_loop_runs_while_a_future_is_awaited(gate: Gate) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while ticks < 10:
            await asyncio.sleep(0.001)
            ticks += 1
        gate.open()

    async def main(pool: Pool) -> int:
        ticking = asyncio.ensure_future(tick())
        result: int = await pool.submit(gate, 3)
        await ticking
        return result

    with Pool(1) as pool:
        assert asyncio.run(main(pool)) == 3
    assert ticks == 10


def test_many_futures_can_be_gathered() -> None:
    async def main(pool: Pool) -> list[int]:
        return await asyncio.gather(*(asyncio.wrap_future(pool.submit(abs, -n)) for n in range(500)))

    with Pool(8, queue_size=None) as pool:
        assert asyncio.run(main(pool)) == list(range(500))


def test_run_in_executor_takes_a_pool() -> None:
    async def main(pool: Pool) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, lambda: threading.current_thread().name)

    with Pool(1, thread_name_prefix="ant") as pool:
        assert asyncio.run(main(pool)) == "ant_0"


def test_cancelling_an_await_cancels_a_task_that_has_not_started(gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> Future[None]:
        future = pool.submit(ran.append, 1)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(future), timeout=0.02)
        return future

    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        assert asyncio.run(main(pool)).cancelled()
        gate.open()
    assert ran == []


def test_cancelling_an_await_leaves_a_running_task_alone(gate: Gate) -> None:
    async def main(pool: Pool) -> Future[int]:
        future = pool.submit(gate, 3)
        gate.wait_entered()

        async def wait() -> int:
            result: int = await future
            return result

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), timeout=0.02)
        return future

    with Pool(1) as pool:
        future = asyncio.run(main(pool))
        assert future.running()
        gate.open()
        assert future.result() == 3


def test_a_cancelled_future_cancels_who_awaits_it(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        future = pool.submit(int)
        asyncio.get_running_loop().call_later(0.02, future.cancel)
        await future

    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(main(pool))
        gate.open()


def test_a_result_that_comes_after_its_loop_has_ended_harms_nobody(gate: Gate, caplog: Any) -> None:
    async def main(pool: Pool) -> Any:
        future = pool.submit(gate, 3)
        gate.wait_entered()
        waiting = asyncio.ensure_future(asyncio.wait_for(asyncio.wrap_future(future), 20))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        return future

    with Pool(1) as pool:
        future = asyncio.run(main(pool))
        gate.open()
        assert future.result() == 3
        assert pool.submit(abs, -1).result() == 1
    assert not caplog.records


def test_a_group_can_be_awaited(gate: Gate) -> None:
    async def main(pool: Pool) -> int:
        group = WaitGroup(pool)
        await group
        for _ in range(3):
            group.go(gate)
        asyncio.get_running_loop().call_later(0.02, gate.open)
        await group
        return group.count

    with Pool(3) as pool:
        assert asyncio.run(main(pool)) == 0


def test_several_coroutines_may_await_one_group() -> None:
    async def main() -> int:
        group = WaitGroup()
        group.add(1)

        async def wait() -> None:
            await group

        waiting = [asyncio.ensure_future(wait()) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
        group.done()
        await asyncio.wait_for(asyncio.gather(*waiting), 10)
        return len(waiting)

    assert asyncio.run(main()) == 5


def test_an_await_of_a_group_can_be_cancelled() -> None:
    async def main(group: WaitGroup) -> None:
        async def wait() -> None:
            await group

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(wait(), 0.02)

    group = WaitGroup()
    group.add(1)
    asyncio.run(main(group))
    assert group.count == 1
    # Its listener is told after its loop is closed.
    group.done()
    assert group.wait(timeout=10)


def test_a_group_awaited_while_workers_finish_always_ends() -> None:
    async def main(pool: Pool) -> None:
        for _ in range(300):
            group = WaitGroup(pool)
            for _ in range(3):
                group.go(time.sleep, 0)
            await group
            assert group.count == 0

    with Pool(4) as pool:
        asyncio.run(main(pool))


def test_a_group_that_has_come_to_zero_is_over_for_who_awaits_it() -> None:
    async def wait(group: WaitGroup) -> None:
        await group

    async def main() -> None:
        group = WaitGroup()
        group.add()
        waiting = await start(wait(group))
        group.done()
        group.add()  # before it has been told
        await waiting
        assert group.count == 1
        late = await start(wait(group))
        assert not late.done()
        group.done()
        await late

    run(main())


def test_an_async_block_of_a_group_waits_for_its_jobs(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        async with WaitGroup(pool) as group:
            group.go(gate)
            asyncio.get_running_loop().call_later(0.005, gate.open)
        assert group.count == 0

    with Pool(1) as pool:
        run(main(pool))


def test_coroutines_and_threads_wait_for_one_group() -> None:
    async def wait(group: WaitGroup) -> str:
        await group
        return "done"

    async def main() -> None:
        group = WaitGroup()
        group.add()
        tasks = [await start(wait(group)) for _ in range(3)]
        threads = [Thread(run, wait(group)) for _ in range(3)] + [Thread(group.wait)]
        tasks[0].cancel()
        await turns()
        group.done()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(it) for it in ended] == [asyncio.CancelledError, str, str]
        assert [await asyncio.to_thread(thread.result) for thread in threads] == ["done"] * 3 + [True]

    run(main())


def test_a_group_awaited_in_a_worker_of_its_pool_runs_its_jobs() -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        async with WaitGroup(pool) as group:
            for number in range(10):
                group.go(ran.append, number)

    with Pool(1, queue_size=None) as pool:
        pool.submit(asyncio.run, main(pool)).result(LIMIT)
    assert ran == list(range(10))


def test_a_future_of_ones_own_can_be_awaited() -> None:
    async def wait(future: Future[int]) -> int:
        return await future

    async def main() -> None:
        future: Future[int] = Future()
        waiting = [await start(wait(future)) for _ in range(3)]
        future.set_result(7)
        assert await asyncio.gather(*waiting) == [7] * 3
        failed: Future[int] = Future()
        waiting = [await start(wait(failed))]
        failed.set_exception(LookupError())
        with pytest.raises(LookupError):
            await waiting[0]
        cancelled: Future[int] = Future()
        waiting = [await start(wait(cancelled)) for _ in range(2)]
        waiting[0].cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(it) for it in ended] == [asyncio.CancelledError] * 2
        assert cancelled.cancelled()

    run(main())


def test_an_await_without_a_loop_is_an_error() -> None:
    with Pool(1) as pool:
        future = pool.submit(abs, -1)
        with pytest.raises(RuntimeError, match="no running event loop"):
            future.__await__()
        assert future.result() == 1

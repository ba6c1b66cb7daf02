"""Event loops and pools: loops that share one, run in its workers, stand still, are closed."""

import asyncio
import gc
import random
import threading
import time
import weakref
from concurrent.futures import Executor
from concurrent.futures import ThreadPoolExecutor as StandardExecutor
from typing import Any

import pytest
from antspy import Future, LoopFuture, Pool, ThreadPoolExecutor, WaitGroup
from loop_support import assert_account, fill, run, start, until
from support import LIMIT, Gate, Thread, eventually


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often threads wake it."""

    wake_ups = 0

    def call_soon_threadsafe(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.wake_ups += 1
        return super().call_soon_threadsafe(*args, **kwargs)


def test_what_ends_while_the_loop_is_busy_shares_one_wake_up() -> None:
    async def main(pool: Pool) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        group = WaitGroup(pool)
        for _ in range(10):
            group.go(int)
        futures = [pool.arun(abs, -number) for number in range(1000)]
        submitted = [await pool.asubmit(abs, -number) for number in range(10)]
        waiting = [asyncio.ensure_future(future) for future in submitted]
        loop.wake_ups = 0
        pool.pause()
        more = [pool.arun(abs, -number) for number in range(1000)]
        pool.resume()
        pool.wait()  # the loop stands still
        assert loop.wake_ups <= 1
        assert await asyncio.gather(*futures, *more) == [*range(1000), *range(1000)]
        await asyncio.gather(*waiting)
        await group

    with asyncio.Runner(loop_factory=CountingLoop) as runner, Pool(2, queue_size=None) as pool:
        runner.run(main(pool))


def test_a_gather_wakes_its_loop_far_less_often_than_it_has_tasks() -> None:
    async def main(pool: Pool) -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        await asyncio.gather(*(pool.arun(int) for _ in range(5000)))
        return loop.wake_ups

    with asyncio.Runner(loop_factory=CountingLoop) as runner, Pool(8, queue_size=None) as pool:
        assert runner.run(main(pool)) < 2500


def test_a_gather_is_faster_than_run_in_executor() -> None:
    tasks = 2000

    async def ours(pool: Pool) -> None:
        await asyncio.gather(*(pool.arun(int) for _ in range(tasks)))

    async def standard(executor: Executor) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(executor, int) for _ in range(tasks)))

    def seconds(main: Any) -> float:
        start = time.process_time()  # of all threads, and no other process's
        run(main)
        return time.process_time() - start

    with ThreadPoolExecutor() as pool, StandardExecutor() as executor:
        # How much faster it is, and with 20,000 tasks: benches/works/gather.py.
        assert min(seconds(ours(pool)) for _ in range(5)) * 2 < min(
            seconds(standard(executor)) for _ in range(5)
        )


def test_several_loops_share_a_pool() -> None:
    async def main(pool: Pool, number: int) -> int:
        generator = random.Random(number)
        total = 0
        for _ in range(10):
            futures = [pool.arun(abs, -item) for item in range(20)]
            submitted = [await pool.asubmit(abs, -item) for item in range(20)]
            if generator.random() < 0.5:
                futures[0].cancel()
                futures[0] = pool.arun(int)
            total += sum(await asyncio.gather(*futures))
            total += sum([await future for future in submitted])
        return total

    with Pool(3, queue_size=4) as pool:
        threads = [Thread(run, main(pool, number)) for number in range(4)]
        assert [thread.result() for thread in threads] == [2 * 10 * sum(range(20))] * 4
        assert_account(pool)


def test_one_future_is_awaited_in_several_loops(gate: Gate) -> None:
    async def main(future: Future[int]) -> int:
        return await future

    with Pool(1) as pool:
        future: Future[int] = pool.submit(gate, 7)
        threads = [Thread(run, main(future)) for _ in range(4)]
        gate.wait_entered()
        gate.open()
        assert [thread.result() for thread in threads] == [7] * 4


# Loops in workers.


def test_a_loop_in_a_worker_of_the_same_pool_does_not_wait_for_ever() -> None:
    async def inner(pool: Pool) -> list[Any]:
        async with WaitGroup(pool) as group:
            for _ in range(3):
                group.go(int)
        return [
            await pool.arun(abs, -1),
            await (await pool.asubmit(abs, -2)),
            *await asyncio.gather(*(pool.arun(abs, -number) for number in range(20))),
            *[item async for item in pool.amap(abs, range(5))],
        ]

    async def outer(pool: Pool, depth: int) -> list[Any]:
        if depth == 0:
            return await inner(pool)
        return await pool.arun(asyncio.run, outer(pool, depth - 1))

    expected = [1, 2, *range(20), *range(5)]
    for capacity, queue_size in ((1, 0), (1, 5), (1, None), (2, 0), (2, 5)):
        with Pool(capacity, queue_size=queue_size) as pool:
            assert pool.submit(asyncio.run, inner(pool)).result(LIMIT) == expected
            assert run(outer(pool, 3)) == expected
            assert_account(pool)


def test_tasks_of_a_loop_in_a_worker_run_beside_each_other() -> None:
    barrier = threading.Barrier(4)

    async def inner(pool: Pool) -> None:
        # All four at once, of which the loop's own worker runs one.
        await asyncio.gather(*(pool.arun(barrier.wait, LIMIT) for _ in range(4)))

    with Pool(4, queue_size=10) as pool:
        pool.submit(asyncio.run, inner(pool)).result(LIMIT)


def test_a_cancelled_await_in_a_worker_helps_nobody() -> None:
    ran: list[int] = []

    async def inner(pool: Pool) -> None:
        waiting = pool.arun(ran.append, 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await pool.arun(ran.append, 2)

    with Pool(1, queue_size=10) as pool:
        pool.submit(asyncio.run, inner(pool)).result(LIMIT)
        assert_account(pool)
    assert ran == [2]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # where even asyncio.run has no room
def test_loops_nested_too_deeply_are_an_error() -> None:
    # Each in a task of the one before it, all on one worker's stack.
    depth = 0

    def task(pool: Pool) -> None:
        nonlocal depth
        depth += 1
        asyncio.run(inner(pool))

    async def inner(pool: Pool) -> None:
        await pool.arun(task, pool)

    with Pool(1, queue_size=10) as pool:
        with pytest.raises(RecursionError):
            pool.submit(task, pool).result(LIMIT)
        assert depth > 3
        assert pool.submit(abs, -1).result() == 1
        gc.collect()


# Loops that do not run.


def test_a_loop_that_stood_still_learns_of_all_that_has_ended(gate: Gate) -> None:
    loop = asyncio.new_event_loop()
    with Pool(1) as pool:

        async def begin() -> list[LoopFuture[int]]:
            fill(pool, gate)
            return [pool.arun(abs, -number) for number in range(10)]

        futures = loop.run_until_complete(begin())
        gate.open()
        assert pool.wait(timeout=LIMIT)  # all have gone in by themselves
        assert pool.stats().completed == 11
        assert not any(future.done() for future in futures)
        assert loop.run_until_complete(asyncio.gather(*futures)) == list(range(10))
        loop.close()


@pytest.mark.parametrize("held", [False, True])
def test_what_waits_for_a_closed_loop_leaves_the_line(held: bool, gate: Gate) -> None:
    loop = asyncio.new_event_loop()
    ran: list[int] = []
    keep: list[Any] = []
    with Pool(2) as pool:
        sub = pool.subpool(1)

        async def begin() -> None:
            sub.go(gate)
            fill(pool, gate)
            gate.wait_entered()
            for number in range(5000):  # far more than there is stack for, one within the other
                target = pool if number % 2 else sub
                waiting = target.arun(ran.append, number)
                keep.extend([waiting] * held)
            for target in (pool, sub):
                keep.append(await start(target.asubmit(ran.append, 1)))

        loop.run_until_complete(begin())
        loop.close()
        assert pool.waiting + sub.waiting == 5002
        thread = Thread(sub.submit, abs, -1)  # behind them
        gate.open()
        assert thread.result().result() == 1
        eventually(lambda: not pool.waiting and not sub.waiting)
        assert_account(pool)
        assert sub.running == 0
        assert len(ran) == pool.stats().completed - 3


def test_a_place_granted_to_a_loop_that_is_closed_before_it_comes_is_free(gate: Gate) -> None:
    loop = asyncio.new_event_loop()
    ran: list[int] = []
    with Pool(2) as pool:
        sub = pool.subpool(1)

        async def begin() -> Any:
            sub.go(gate)
            return await start(sub.asubmit(ran.append, 1)), sub.arun(ran.append, 2)

        waiting = loop.run_until_complete(begin())
        assert sub.waiting == 2
        gate.open()
        eventually(lambda: sub.waiting == 1)  # the loop stands still: it has been asked to come
        loop.close()
        assert sub.options(timeout=LIMIT).submit(abs, -1).result(LIMIT) == 1
        assert (sub.waiting, sub.running, ran) == (0, 0, [])
        assert waiting is not None


def test_the_end_of_a_run_cancels_what_it_waits_for(gate: Gate) -> None:
    ran: list[int] = []

    async def submit(pool: Pool) -> None:
        await (await pool.asubmit(ran.append, 1))

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        for _ in range(3):
            await start(submit(pool))
        assert pool.waiting == 3

    with Pool(1) as pool:
        run(main(pool))
        assert pool.waiting == 0
        gate.open()
        assert_account(pool)
    assert ran == []


@pytest.mark.parametrize("closed", [True, False])
def test_a_pool_keeps_no_loop_alive(closed: bool, gate: Gate) -> None:
    loop = asyncio.new_event_loop()
    alive = weakref.ref(loop)
    with Pool(2, queue_size=None) as pool:

        async def begin() -> None:
            fill(pool, gate, 2)
            for number in range(10):
                pool.arun(abs, -number)

        loop.run_until_complete(begin())
        if closed:
            loop.close()
        del loop
        gate.open()
        pool.wait()
        if not closed:
            with pytest.warns(ResourceWarning, match="unclosed event loop"):
                gc.collect()
        gc.collect()
        assert alive() is None


def test_a_loop_may_end_at_any_moment() -> None:
    async def main(pool: Pool) -> None:
        for number in range(50):
            pool.arun(abs, -number)
        await pool.arun(int)

    with Pool(3, queue_size=2) as pool:
        for _ in range(100):
            asyncio.run(main(pool))
        assert_account(pool)
        assert pool.submit(abs, -1).result() == 1


def test_a_closed_pool_tells_all_its_loops(gate: Gate) -> None:
    async def main(pool: Pool) -> str:
        try:
            await pool.arun(abs, -1)
        except RuntimeError as error:
            return type(error).__name__
        return "ran"

    pool = Pool(1)
    fill(pool, gate)
    threads = [Thread(run, main(pool)) for _ in range(4)]
    eventually(lambda: pool.waiting == 4)
    pool.release()
    assert [thread.result() for thread in threads] == ["PoolClosedError"] * 4
    gate.open()
    pool.release(timeout=LIMIT)


def test_ctrl_c_in_the_midst_of_a_turn_loses_nobody() -> None:
    # It comes as the first of several is about to be told; the loop is run again.
    loop = asyncio.new_event_loop()
    presses = [KeyboardInterrupt]

    class Interrupting(LoopFuture[int]):
        __slots__ = ()

        def _told(self) -> None:
            if presses:
                raise presses.pop()
            super()._told()

    with Pool(1, queue_size=None) as pool:

        async def begin() -> list[asyncio.Future[int]]:
            pool.pause()
            first = Interrupting(loop=loop)._follow(pool.submit(abs, -1))
            return [first, *(pool.arun(abs, -number) for number in range(2, 5))]

        futures = loop.run_until_complete(begin())
        pool.resume()
        pool.wait()
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(asyncio.sleep(LIMIT))
        assert loop.run_until_complete(asyncio.gather(*futures)) == [1, 2, 3, 4]
        loop.run_until_complete(until(lambda: True))
        loop.close()

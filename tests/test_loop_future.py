"""The future of an event loop that follows a task: a future and a coroutine in one."""

import asyncio
import collections.abc
import gc
import inspect
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from antspy import Future, LoopFuture, Pool, ThreadPoolExecutor
from loop_support import assert_account, fill, run, start, turns, until
from support import LIMIT, Gate, library


class Failure(Exception):
    """What a task raises."""


def fail(gate: Gate | None = None) -> None:
    if gate is not None:
        gate()
    raise Failure


class Reports:
    """What is told about exceptions that nobody has looked at: by the loop, and by the pool."""

    def __init__(self) -> None:
        self.loop: list[dict[str, Any]] = []
        self.pool: list[BaseException] = []

    def listen(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.loop.append(context))

    async def counts(self) -> tuple[int, int]:
        await turns()
        gc.collect()
        await turns()
        return len(self.loop), len(self.pool)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def pool(reports: Reports, no_thread_is_left: None) -> Iterator[Pool]:
    with Pool(1, exception_handler=reports.pool.append) as pool:
        yield pool


# As a coroutine.


def test_it_is_what_it_says() -> None:
    async def main(pool: Pool) -> None:
        future = pool.arun(abs, -1)
        assert asyncio.isfuture(future)
        assert asyncio.iscoroutine(future)
        assert inspect.isawaitable(future)
        assert isinstance(future, collections.abc.Coroutine)
        assert not inspect.iscoroutine(future)
        assert not hasattr(future, "__dict__")
        await future

    with Pool(1) as pool:
        run(main(pool))


def test_it_can_be_driven_by_hand(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        future = pool.arun(gate, 1)
        assert future.send(None) is future
        gate.open()
        await asyncio.wait_for(asyncio.shield(future), LIMIT)
        with pytest.raises(StopIteration) as ended:
            future.send(None)
        assert ended.value.value == 1

    with Pool(1) as pool:
        run(main(pool))


def test_it_can_be_yielded_from_an_awaitable() -> None:
    class Twice:
        def __init__(self, future: LoopFuture[int]) -> None:
            self.future = future

        def __await__(self) -> Any:
            first = yield from self.future.__await__()
            second = yield from self.future
            return first + second

    async def main(pool: Pool) -> None:
        assert await Twice(pool.arun(abs, -2)) == 4

    with Pool(1) as pool:
        run(main(pool))


def test_closing_it_and_throwing_into_it_cancel_it(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        closed, thrown = pool.arun(abs, -1), pool.arun(abs, -2)
        closed.close()
        with pytest.raises(Failure):
            thrown.throw(Failure())
        assert (closed.cancelled(), thrown.cancelled(), pool.waiting) == (True, True, 0)
        gate.open()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_task_that_is_cancelled_before_it_begins_cancels_it(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        task = asyncio.create_task(pool.arun(abs, -1))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pool.waiting == 0
        gate.open()

    with Pool(1) as pool:
        run(main(pool))


def test_a_message_of_a_cancel_arrives(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        future = pool.arun(abs, -1)
        assert future.cancel("why")
        assert not future.cancel("once more")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await future
        gate.open()

    with Pool(1) as pool:
        run(main(pool))


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_eager_tasks_take_it(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(pool.arun(abs, -number)) for number in range(10)]
        assert [task.result() for task in tasks] == list(range(10))
        fill(pool, gate)
        submitting = asyncio.create_task(pool.asubmit(abs, -1))
        assert pool.waiting == 1
        gate.open()
        assert await (await submitting) == 1
        assert [result async for result in pool.amap(abs, range(5))] == list(range(5))

    with Pool(1) as pool:
        run(main(pool))


def test_debug_mode_has_nothing_to_say(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    async def main(pool: Pool) -> None:
        loop = asyncio.get_running_loop()
        assert loop.get_debug()
        loop.slow_callback_duration = LIMIT
        fill(pool, gate)
        waiting = [pool.options(timeout=LIMIT).arun(abs, -number) for number in range(5)]
        submitting = await start(pool.asubmit(abs, -5))
        gate.open()
        assert await asyncio.gather(*waiting) == list(range(5))
        assert await (await submitting) == 5
        assert [result async for result in pool.amap(abs, range(5))] == list(range(5))
        await pool.arelease()

    pool = Pool(1)
    with caplog.at_level(logging.WARNING):
        run(main(pool), debug=True)
        gc.collect()
    assert not caplog.records


def test_uvloop_runs_it(gate: Gate) -> None:
    uvloop = library("uvloop")

    async def main(pool: Pool) -> None:
        loop = asyncio.get_running_loop()
        assert type(loop).__module__.startswith("uvloop")
        fill(pool, gate)
        with pytest.raises(TimeoutError):
            await pool.options(timeout=0.005).arun(abs, -1)
        with pytest.raises(TimeoutError):
            await pool.options(timeout=0.005).asubmit(abs, -1)
        waiting = [pool.arun(abs, -number) for number in range(1000)]
        submitting = await start(pool.asubmit(abs, -5))
        victim = pool.arun(abs, -1)
        victim.cancel()
        gate.open()
        assert await asyncio.gather(*waiting) == list(range(1000))
        assert await (await submitting) == 5
        assert [result async for result in pool.amap(abs, range(100))] == list(range(100))
        await pool.arelease()

    pool = Pool(1)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(pool))
    assert_account(pool)


# Exceptions that nobody looks at: what has come to the loop is reported by the loop, all else by the pool.


def test_what_came_to_the_loop_is_reported_by_the_loop(pool: Pool, reports: Reports) -> None:
    async def main() -> None:
        reports.listen()
        pool.arun(fail)
        await until(lambda: reports.loop)
        assert await reports.counts() == (1, 0)
        assert "LoopFuture exception was never retrieved" in reports.loop[0]["message"]
        assert type(reports.loop[0]["exception"]) is Failure

    run(main())
    assert reports.pool == []


def test_a_refusal_that_nobody_looks_at_is_reported_by_the_loop(pool: Pool, reports: Reports) -> None:
    async def main() -> None:
        reports.listen()
        pool.release()
        pool.arun(abs, -1)
        assert await reports.counts() == (1, 0)

    run(main())


def test_what_was_cancelled_while_it_ran_is_reported_by_the_pool(
    pool: Pool, reports: Reports, gate: Gate
) -> None:
    async def main() -> None:
        reports.listen()
        running = pool.arun(fail, gate)
        gate.wait_entered()
        running.cancel()
        gate.open()
        await until(lambda: reports.pool)
        assert await reports.counts() == (0, 1)

    run(main())


def test_what_asubmit_returned_is_reported_by_the_pool(pool: Pool, reports: Reports) -> None:
    async def main() -> None:
        reports.listen()
        await pool.asubmit(fail)
        await until(lambda: reports.pool)
        assert await reports.counts() == (0, 1)

    run(main())


def test_what_comes_after_its_loop_was_closed_is_reported_by_the_pool(
    pool: Pool, reports: Reports, gate: Gate
) -> None:
    async def main() -> None:
        reports.listen()
        pool.arun(fail, gate)
        gate.wait_entered()

    run(main())
    gate.open()
    pool.wait()
    gc.collect()
    assert (len(reports.loop), len(reports.pool)) == (0, 1)


def test_what_somebody_has_seen_is_reported_by_nobody(pool: Pool, reports: Reports) -> None:
    async def main() -> None:
        reports.listen()
        with pytest.raises(Failure):
            await pool.arun(fail)
        with pytest.raises(Failure):
            await (await pool.asubmit(fail))
        future: Future[None] = await pool.asubmit(fail)
        ended = await asyncio.gather(pool.arun(fail), future, return_exceptions=True)
        assert [type(error) for error in ended] == [Failure] * 2
        with pytest.raises(Failure):
            await asyncio.gather(pool.arun(fail), pool.arun(fail), pool.arun(fail))
        await asyncio.sleep(0.005)
        assert await reports.counts() == (0, 0)

    run(main())


def test_what_a_threadpoolexecutor_keeps_to_itself_it_keeps(reports: Reports, gate: Gate) -> None:
    async def main(executor: ThreadPoolExecutor) -> None:
        reports.listen()
        await executor.asubmit(fail)
        running = executor.arun(fail, gate)
        gate.wait_entered()
        running.cancel()
        gate.open()
        await asyncio.to_thread(executor.wait, LIMIT)
        assert await reports.counts() == (0, 0)

    with ThreadPoolExecutor(1) as executor:
        run(main(executor))

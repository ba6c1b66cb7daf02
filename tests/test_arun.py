"""Running a function on a pool in a coroutine, with all that asyncio has for it."""

import asyncio
import concurrent.futures
import contextvars
import gc
import threading
import warnings
from typing import Any

import pytest
from antspy import LoopFuture, Pool, PoolClosedError, PoolOverloadError, TaskInterrupted
from loop_support import assert_account, fill, run, start, turns, until
from support import LIMIT, Gate

VAR: contextvars.ContextVar[str] = contextvars.ContextVar("VAR", default="none")


class Failure(BaseException):
    """What a task raises."""


def fail(error: BaseException) -> None:
    raise error


def test_await_gives_what_the_function_returned() -> None:
    async def main(pool: Pool) -> None:
        assert await pool.arun(divmod, 7, 2) == (3, 1)
        assert await pool.arun(int, "ff", base=16) == 255
        future = pool.arun(str, 1)
        assert [await future, await future] == ["1", "1"]

    with Pool(1) as pool:
        run(main(pool))


def test_all_names_of_keywords_are_the_functions() -> None:
    names = ["fn", "self", "method", "args", "kwargs", "loop", "future", "entry"]

    async def main(pool: Pool) -> None:
        keywords: Any = dict.fromkeys(names, 1)
        assert await pool.arun(dict, **keywords) == keywords
        assert await (await pool.asubmit(dict, **keywords)) == keywords

    with Pool(1) as pool:
        run(main(pool))


def test_the_task_is_submitted_at_once(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        first = pool.arun(gate, 1)
        gate.wait_entered()  # the loop stands still
        second = pool.arun(abs, -2)
        assert pool.waiting == 1
        gate.open()
        pool.wait()
        assert (first.done(), second.done()) == (False, False)
        assert [await first, await second] == [1, 2]

    with Pool(1) as pool:
        run(main(pool))


def test_one_that_nobody_keeps_runs_all_the_same(gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool, sub: Any) -> None:
        sub.go(gate)
        gate.wait_entered()
        for number in range(100):
            (pool if number % 2 else sub).arun(ran.append, number)
        gc.collect()
        gate.open()
        await until(lambda: len(ran) == 100)

    with Pool(2) as pool:
        run(main(pool, pool.subpool(1)))
        assert_account(pool)
    assert sorted(ran) == list(range(100))


def test_outside_of_a_loop_it_is_a_coroutine_that_submits_when_it_runs() -> None:
    with Pool(1) as pool:
        coroutine: Any = pool.arun(abs, -1)
        assert asyncio.iscoroutine(coroutine)
        assert not asyncio.isfuture(coroutine)
        assert pool.stats().submitted == 0
        assert asyncio.run(coroutine) == 1
        assert pool.stats().submitted == 1
        with asyncio.Runner() as runner:
            assert [runner.run(pool.arun(abs, number)) for number in (-2, -3)] == [2, 3]
        with pytest.raises(ZeroDivisionError):
            asyncio.run(pool.arun(divmod, 1, 0))
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            pool.arun(abs, -1)
            gc.collect()
        assert ["'arun' was never awaited" in str(it.message) for it in seen] == [True]
        assert pool.stats().submitted == 4


def test_gather_takes_no_task_for_each() -> None:
    async def main(pool: Pool) -> None:
        futures = [pool.arun(abs, -number) for number in range(100)]
        gathered = asyncio.gather(*futures)
        assert len(asyncio.all_tasks()) <= 2
        assert await gathered == list(range(100))

    with Pool(4) as pool:
        run(main(pool))


def test_gather_collects_refusals_with_the_results(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        many = [pool.arun(abs, -number) for number in range(4)]
        many.append(pool.arun(3))  # type: ignore[arg-type]
        gate.open()
        ended = await asyncio.gather(*many, return_exceptions=True)
        assert ended[0] == 0
        assert [type(it) for it in ended[1:4]] == [PoolOverloadError] * 3
        assert type(ended[4]) is TypeError
        pool.release()
        with pytest.raises(PoolClosedError):
            await asyncio.gather(pool.arun(abs, -1), pool.arun(abs, -2))

    with Pool(1, queue_size=1, overflow="raise") as pool:
        run(main(pool))


def test_cancelling_a_gather_cancels_all_that_have_not_started(gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        gathered = asyncio.gather(*(pool.arun(ran.append, number) for number in range(100)))
        await turns()
        gathered.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gathered
        assert (pool.waiting, pool.queued) == (0, 0)
        gate.open()

    with Pool(1, queue_size=10) as pool:
        run(main(pool))
        assert_account(pool)
    assert ran == []


def test_tasks_can_be_made_of_it() -> None:
    async def main(pool: Pool) -> None:
        task = asyncio.create_task(pool.arun(abs, -1), name="ant")
        assert "arun()" in repr(task)
        assert await task == 1
        assert task.get_stack() == []
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(pool.arun(abs, -number)) for number in range(20)]
        assert [task.result() for task in tasks] == list(range(20))
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(pool.arun(divmod, 1, 0))
        assert type(caught.value.exceptions[0]) is ZeroDivisionError

    with Pool(4) as pool:
        run(main(pool))


def test_a_task_group_that_fails_cancels_the_others(gate: Gate) -> None:
    ran: list[int] = []

    async def group_tasks(pool: Pool) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(pool.arun(ran.append, number))
            await turns()
            raise LookupError

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        with pytest.raises(ExceptionGroup):
            await group_tasks(pool)
        assert pool.waiting == 0
        gate.open()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
    assert ran == []


def test_wait_for_and_shield(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        assert await asyncio.wait_for(pool.arun(abs, -1), LIMIT) == 1
        running = pool.arun(gate, 2)
        gate.wait_entered()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(running), 0.01)
        assert not running.done()
        queued = pool.arun(abs, -3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queued, 0.01)
        assert queued.cancelled()
        gate.open()
        assert await running == 2

    with Pool(1, queue_size=1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().cancelled == 1


def test_as_completed(gates: list[Gate]) -> None:
    async def main(pool: Pool) -> None:
        results = []
        futures = [pool.arun(gate, number) for number, gate in enumerate(gates)]
        order = [2, 0, 3, 1]
        gates[order[0]].open()
        for following, completed in zip([*order[1:], None], asyncio.as_completed(futures), strict=True):
            results.append(await completed)
            if following is not None:
                gates[following].open()
        assert results == order

    with Pool(4) as pool:
        run(main(pool))


def test_wait_takes_tasks_of_it_and_refuses_it_as_a_coroutine(gates: list[Gate]) -> None:
    async def main(pool: Pool) -> None:
        tasks = [asyncio.create_task(pool.arun(gate, number)) for number, gate in enumerate(gates)]
        gates[1].open()
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert ([task.result() for task in done], len(pending)) == ([1], 3)
        for gate in gates:
            gate.open()
        await asyncio.wait(pending)
        with pytest.raises(TypeError, match="coroutines is forbidden"):
            await asyncio.wait([pool.arun(abs, -1)])

    with Pool(4) as pool:
        run(main(pool))


def test_other_threads_may_have_a_loop_run_it() -> None:
    async def main(pool: Pool) -> None:
        loop = asyncio.get_running_loop()

        def elsewhere() -> int:
            coroutine: Any = pool.arun(abs, -5)
            result: int = asyncio.run_coroutine_threadsafe(coroutine, loop).result(LIMIT)
            return result

        assert await asyncio.to_thread(elsewhere) == 5

    with Pool(1) as pool:
        run(main(pool))


def test_the_same_exception_comes_as_from_a_future() -> None:
    async def main(pool: Pool) -> None:
        errors: list[BaseException] = [
            LookupError(1),
            Failure(2),
            TimeoutError(3),
            concurrent.futures.CancelledError(4),
            asyncio.CancelledError(5),
            KeyboardInterrupt(6),
            SystemExit(7),
            GeneratorExit(8),
        ]
        for error in errors:
            for awaitable in (pool.arun(fail, error), await pool.asubmit(fail, error)):
                try:
                    await awaitable
                except BaseException as seen:
                    assert seen is error  # noqa: PT017  # pytest.raises lets some of them pass
                else:
                    raise AssertionError(error)

    with Pool(1) as pool:
        run(main(pool))


def test_stop_iteration_comes_as_the_cause_of_a_runtime_error() -> None:
    async def main(pool: Pool) -> None:
        for awaitable in (pool.arun(next, iter(())), await pool.asubmit(next, iter(()))):
            with pytest.raises(RuntimeError, match="StopIteration") as caught:
                await awaitable
            assert type(caught.value.__cause__) is StopIteration

    with Pool(1) as pool:
        run(main(pool))


def test_an_interrupted_task_says_so() -> None:
    started = threading.Event()

    def spin() -> None:
        started.set()
        while True:
            pass

    async def main(pool: Pool) -> None:
        future = await pool.asubmit(spin)
        waiting = await start(asyncio.wait_for(future, LIMIT))
        assert started.wait(LIMIT)
        future.interrupt()
        with pytest.raises(TaskInterrupted):
            await waiting

    with Pool(1) as pool:
        run(main(pool))


def test_a_broken_pool_says_why() -> None:
    async def main(pool: Pool) -> None:
        with pytest.raises(concurrent.futures.BrokenExecutor):
            await pool.arun(abs, -1)

    pool = Pool(1, initializer=fail, initargs=(LookupError(),))
    run(main(pool))
    pool.release(timeout=LIMIT)


def test_each_task_runs_in_a_copy_of_its_submitters_context(gate: Gate) -> None:
    def change(value: str) -> str:
        before = VAR.get()
        VAR.set(value)
        return before

    async def main(pool: Pool) -> None:
        VAR.set("main")
        assert await pool.arun(change, "task") == "main"
        assert VAR.get() == "main"
        fill(pool, gate)
        waiting = pool.arun(change, "task")
        VAR.set("later")
        submitted = await start(pool.asubmit(change, "task"))
        gate.open()
        assert await waiting == "main"
        assert await (await submitted) == "later"
        seen = []
        future = pool.arun(abs, -1)
        future.add_done_callback(lambda _: seen.append(VAR.get()))
        VAR.set("latest")
        await future
        await turns()
        assert seen == ["later"]

    with Pool(1) as pool:
        run(main(pool))


def test_the_loops_default_executor_may_be_ours() -> None:
    from antspy import ThreadPoolExecutor

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="ant"))
        name = await asyncio.to_thread(lambda: threading.current_thread().name)
        assert name.startswith("ant_")
        assert await loop.run_in_executor(None, abs, -1) == 1
        results = await asyncio.gather(*(asyncio.to_thread(abs, -number) for number in range(100)))
        assert results == list(range(100))
        # Cancelled before it has started, it never does.
        gate = Gate()
        executor: Any = loop._default_executor  # type: ignore[attr-defined]
        running = [asyncio.ensure_future(asyncio.to_thread(gate)) for _ in range(executor._max_workers)]
        await until(lambda: executor.busy == executor._max_workers)
        late = loop.run_in_executor(None, gate)
        late.cancel()
        await turns()
        gate.open()
        await asyncio.gather(*running)
        assert executor.stats().cancelled == 1

    run(main())


def test_it_is_a_future_of_its_loop() -> None:
    async def main(pool: Pool) -> None:
        future = pool.arun(abs, -1)
        assert isinstance(future, asyncio.Future)
        assert type(future) is LoopFuture
        assert future.get_loop() is asyncio.get_running_loop()
        assert asyncio.ensure_future(future) is future
        with pytest.raises(asyncio.InvalidStateError):
            future.result()
        await future
        assert (future.done(), future.result(), future.exception()) == (True, 1, None)

    with Pool(1) as pool:
        run(main(pool))

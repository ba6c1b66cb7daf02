"""What `antspy.ThreadPoolExecutor` does with tasks: as the standard one, and as its users rely on it."""

import asyncio
import concurrent.futures
import contextvars
import gc
import logging
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future as StandardFuture
from concurrent.futures.thread import BrokenThreadPool
from typing import Any

import pytest
from antspy import Pool, ThreadPoolExecutor
from support import LIMIT, Gate, Thread, eventually

BROKEN = "A thread initializer failed, the thread pool is not usable anymore"


def fail(*args: object) -> None:
    raise LookupError("the task's own")


def test_submit_takes_keywords_by_any_name() -> None:
    def capture(*args: object, **kwargs: object) -> object:
        return args, kwargs

    with ThreadPoolExecutor() as executor:
        assert executor.submit(capture, 1, self=2, fn=3).result() == ((1,), {"self": 2, "fn": 3})
        for wrong in ({"fn": capture, "arg": 1}, {"arg": 1}):
            with pytest.raises(TypeError):
                executor.submit(**wrong)  # type: ignore[call-arg]


def test_map_takes_all_items_at_once_and_holds_nothing(gate: Gate) -> None:
    items = iter(range(100))
    executor = ThreadPoolExecutor(1)
    results = executor.map(gate, items)
    assert next(items, None) is None
    threads, gone = executor._threads, weakref.ref(executor)
    del executor
    assert gone() is None
    gate.open()
    assert list(results) == list(range(100))
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


def test_map_asks_no_iterable_again_that_has_ended() -> None:
    longer, shorter = iter(range(10)), iter(range(2))
    with ThreadPoolExecutor(2) as executor:
        assert list(executor.map(divmod, longer, (1 + number for number in shorter))) == [(0, 0), (0, 1)]
    assert next(longer) == 3


def test_map_with_a_buffer_looks_no_further(gate: Gate) -> None:
    items = iter(range(100))
    with ThreadPoolExecutor(2) as executor:
        results = executor.map(abs, items, buffersize=3)
        assert next(items) == 3
        assert next(results) == 0
        assert next(items) == 5
        assert list(results) == [1, 2, 4, *range(6, 100)]


def test_map_with_a_buffer_ends_with_its_executor() -> None:
    executor = ThreadPoolExecutor(2)
    results = executor.map(abs, iter(int, 1), buffersize=3)  # endless
    assert next(results) == 0
    gone = weakref.ref(executor)
    del executor
    assert gone() is None
    assert list(results) == [0, 0, 0]


def test_map_says_what_is_wrong_with_a_buffer_as_the_standard_one() -> None:
    with ThreadPoolExecutor() as executor:
        for wrong in ("3", 3.0):
            with pytest.raises(TypeError, match=r"^buffersize must be an integer or None$"):
                executor.map(abs, [1], buffersize=wrong)  # type: ignore[arg-type]
        for number in (0, -1):
            with pytest.raises(ValueError, match=r"^buffersize must be None or > 0$"):
                executor.map(abs, [1], buffersize=number)


def test_map_ignores_the_size_of_chunks() -> None:
    with ThreadPoolExecutor() as executor:
        for chunksize in (-1, 0, 1, 3):
            results = executor.map(divmod, [4, 5, 6], [2, 0, 3], chunksize=chunksize)
            assert next(results) == (2, 0)
            with pytest.raises(ZeroDivisionError):
                next(results)


def test_an_iterable_that_fails_leaves_the_tasks_before_it_alone() -> None:
    done: list[int] = []

    def items() -> Any:
        yield from range(3)
        raise LookupError("no more")

    with ThreadPoolExecutor(1) as executor, pytest.raises(LookupError, match="no more"):
        executor.map(done.append, items())
    assert done == [0, 1, 2]


def test_an_abandoned_map_cancels_what_has_not_started(gate: Gate) -> None:
    with ThreadPoolExecutor(1) as executor:
        results = executor.map(lambda number: number and gate(number), range(10))
        assert next(results) == 0
        gate.wait_entered()
        results.close()  # type: ignore[attr-defined]
        gate.open()
    assert executor.stats().cancelled == 8


def test_map_times_out_as_the_standard_one(gate: Gate) -> None:
    with ThreadPoolExecutor(1) as executor:
        results = executor.map(gate, [1, 2], timeout=0.01)
        with pytest.raises(TimeoutError):
            next(results)
        gate.open()


def test_with_a_limited_queue_map_looks_no_further_than_there_are_places() -> None:
    items = iter(range(100))
    with ThreadPoolExecutor(2, queue_size=2) as executor:
        results = executor.map(abs, items)
        assert next(items) == 4
        assert next(results) == 0


def test_a_subclass_may_override_submit_and_init() -> None:
    class Counting(ThreadPoolExecutor):
        def __init__(self, start: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.count = start

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return super().submit(fn, *args, **kwargs)

    with Counting(10, max_workers=2) as executor:
        assert list(executor.map(abs, [-1, -2])) == [1, 2]
        assert list(executor.map(abs, [-1, -2], timeout=LIMIT)) == [1, 2]
        assert list(executor.map(abs, [-1, -2], buffersize=1)) == [1, 2]
        assert executor.submit(abs, -3).result() == 3
        assert executor.count == 17


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, Pool])
def test_map_calls_a_submit_that_somebody_has_put_in_its_place(kind: type[Pool]) -> None:
    with kind(2) as executor:
        submit, seen = executor.submit, []

        def replaced(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            seen.append(args)
            return submit(fn, *args, **kwargs)

        executor.submit = replaced  # type: ignore[method-assign]
        for settings in ({}, {"timeout": LIMIT}, {"buffersize": 1}):
            assert list(executor.map(abs, [-1, -2], **settings)) == [1, 2]
            assert seen == [(-1,), (-2,)]
            seen.clear()


def test_context_variables_are_the_submitters() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    with ThreadPoolExecutor(1) as executor:
        for value in range(3):
            variable.set(value)
            assert executor.submit(variable.get).result() == value
            assert list(executor.map(lambda _: variable.get(), [0])) == [value]


# Initializers.


def test_initializers_run_side_by_side() -> None:
    barrier = threading.Barrier(3)
    with ThreadPoolExecutor(3, initializer=barrier.wait, initargs=(LIMIT,)) as executor:
        futures = [executor.submit(abs, -number) for number in range(3)]
        assert len(executor._threads) == 3
        assert [future.result(LIMIT) for future in futures] == [0, 1, 2]


def test_a_slow_initializer_holds_up_no_other_worker(gate: Gate) -> None:
    with ThreadPoolExecutor(50, initializer=gate) as executor:
        futures = [executor.submit(int) for _ in range(50)]
        assert len(executor._threads) == 50
        gate.wait_entered(50)
        gate.open()
        assert [future.result(LIMIT) for future in futures] == [0] * 50


def test_an_initializer_that_fails_breaks_the_executor(caplog: pytest.LogCaptureFixture, gate: Gate) -> None:
    def initialize() -> None:
        gate()
        fail()

    executor = ThreadPoolExecutor(2, initializer=initialize)
    assert not executor._broken
    futures = [executor.submit(int) for _ in range(5)]
    gate.open()
    for future in futures:
        assert str(future.exception(LIMIT)) == BROKEN
    with pytest.raises(BrokenThreadPool, match=BROKEN) as raised:
        executor.submit(int)
    assert [str(raised.value), executor._broken] == [BROKEN, BROKEN]
    assert raised.value.__notes__ == ["the initializer raised LookupError: the task's own"]
    executor.shutdown()
    logged = {(record.name, record.levelno, record.message) for record in caplog.records}
    assert logged == {("concurrent.futures", logging.CRITICAL, "Exception in initializer:")}
    assert "the task's own" in caplog.text


# What tasks raise.


def test_an_exception_that_nobody_looks_at_stays_in_its_future(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as executor:
        executor.submit(fail)
        executor.map(fail, [1, 2])
    del executor
    gc.collect()
    assert caplog.records == []


def test_a_handler_gets_it_if_there_is_one(gate: Gate) -> None:
    seen: list[BaseException] = []
    with ThreadPoolExecutor(1, exception_handler=seen.append) as executor:
        executor.submit(fail)
        executor.go(fail)
    eventually(lambda: len(seen) == 2)


def test_what_a_go_task_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as executor:
        executor.go(fail)
    assert [record.name for record in caplog.records] == ["antspy"]


def test_the_future_raises_what_the_task_raised() -> None:
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(LookupError, match="own"):
            executor.submit(fail).result()
        with pytest.raises(SystemExit):
            executor.submit(sys.exit).result()


# With the functions of the standard library.


def test_wait_and_as_completed_take_its_futures(gate: Gate) -> None:
    with ThreadPoolExecutor(2) as executor:
        held, *others = [executor.submit(gate), *(executor.submit(abs, -one) for one in range(5))]
        done, not_done = concurrent.futures.wait([held, *others], return_when="FIRST_COMPLETED")
        assert held in not_done
        assert done <= set(others)
        assert {future.result() for future in concurrent.futures.as_completed(others)} == set(range(5))
        gate.open()


def test_asyncio_takes_it_as_the_default_executor() -> None:
    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(2, "default"))
        names = [asyncio.to_thread(lambda: threading.current_thread().name) for _ in range(20)]
        names.append(loop.run_in_executor(None, lambda: threading.current_thread().name))  # type: ignore[arg-type]
        return await asyncio.gather(*names)

    names = asyncio.run(main())
    assert len(names) == 21
    assert set(names) <= {"default_0", "default_1"}


def test_asyncio_takes_it_for_one_call() -> None:
    async def main() -> int:
        with ThreadPoolExecutor(2) as executor:
            return await asyncio.get_running_loop().run_in_executor(executor, abs, -7)

    assert asyncio.run(main()) == 7


def test_many_who_submit_at_once_and_one_who_shuts_down() -> None:
    for _ in range(20):
        executor, start = ThreadPoolExecutor(3), threading.Barrier(4)
        accepted: list[StandardFuture[int]] = []

        def submit(executor: ThreadPoolExecutor, start: threading.Barrier, accepted: list[Any]) -> str:
            start.wait(LIMIT)
            try:
                for _ in range(200):
                    accepted.append(executor.submit(int))
            except RuntimeError as error:
                return str(error)
            return ""

        threads = [Thread(submit, executor, start, accepted) for _ in range(3)]
        start.wait(LIMIT)
        executor.shutdown()
        said = {thread.result() for thread in threads}
        assert said <= {"", "cannot schedule new futures after shutdown"}
        assert all(future.result(LIMIT) == 0 for future in accepted)

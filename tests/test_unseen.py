"""Exceptions that nobody ever looks at: of futures that are dropped, and of tasks that never ran."""

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable
from concurrent.futures import as_completed, wait
from concurrent.futures.thread import BrokenThreadPool

import pytest
from antspy import Future, Pool, WaitGroup
from support import LIMIT, Gate, assert_settled, eventually, run_program


def fail(message: object = "the task's own") -> int:
    raise LookupError(message)


@pytest.fixture
def seen() -> list[BaseException]:
    return []


def test_a_dropped_future_gives_its_exception_to_the_handler(seen: list[BaseException]) -> None:
    with Pool(1, exception_handler=seen.append) as pool:
        future = pool.submit(fail)
        assert_settled(pool)
        assert future.done()
        gc.collect()
        assert seen == []  # somebody may still look
        del future
        assert [type(error) for error in seen] == [LookupError]
        assert seen[0].__traceback__ is not None
        pool.submit(fail, 2)
        eventually(lambda: len(seen) == 2)


def test_a_future_in_a_cycle_gives_its_exception_to_the_handler(seen: list[BaseException]) -> None:
    class Box:
        future: Future[int]

    def drop() -> weakref.ref[Box]:
        box = Box()
        box.future = pool.submit(fail, box)
        assert_settled(pool)
        return weakref.ref(box)

    with Pool(1, exception_handler=seen.append) as pool:
        boxes = [drop() for _ in range(10)]
        gc.collect()
        assert len(seen) == 10
        assert all(error.__traceback__ is not None for error in seen)
        # The handler has kept the exceptions, which lead to the futures: these are whole, and seen.
        for error in seen:
            box = error.args[0]
            assert box.future.exception() is error
        del box, error
        seen.clear()
        gc.collect()
        assert [box() for box in boxes] == [None] * 10
        assert seen == []


def test_a_handler_in_the_same_cycle_is_whole_when_it_is_called() -> None:
    seen: list[tuple[int, str]] = []

    def drop() -> None:
        cycle: list[object] = []

        def handler(error: BaseException) -> None:
            seen.append((len(cycle), str(error)))

        pool = Pool(1, exception_handler=handler)
        cycle += [pool.submit(fail, "dropped"), handler, cycle]
        pool.shutdown()

    for count in range(1, 20):
        drop()
        gc.collect()
        assert seen == [(3, "dropped")] * count


def test_a_handler_in_a_cycle_is_called_at_the_programs_end() -> None:
    printed = run_program(
        """
        from antspy import Pool

        def leave():
            pool = Pool(1, exception_handler=lambda error: print("handled", error))
            cycle = [pool.submit(int, "x")]
            cycle.append(cycle)
            pool.wait()

        leave()
        """
    )
    assert printed == "handled invalid literal for int() with base 10: 'x'\n"


def ask_result(future: Future[int]) -> None:
    with pytest.raises(LookupError):
        future.result(LIMIT)


def ask_exception(future: Future[int]) -> None:
    assert isinstance(future.exception(LIMIT), LookupError)


def ask_as_completed(future: Future[int]) -> None:
    for done in as_completed([future], LIMIT):
        with pytest.raises(LookupError):
            done.result()


def ask_await(future: Future[int]) -> None:
    async def look() -> None:
        with pytest.raises(LookupError):
            await future

    asyncio.run(look())


def ask_callback(future: Future[int]) -> None:
    asked: list[BaseException | None] = []
    future.add_done_callback(lambda future: asked.append(future.exception()))
    eventually(lambda: asked)


@pytest.mark.parametrize("look", [ask_result, ask_exception, ask_as_completed, ask_await, ask_callback])
def test_what_somebody_has_looked_at_is_not_handled(
    look: Callable[[Future[int]], None], seen: list[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    with Pool(1, exception_handler=seen.append) as pool, Pool(1) as logging_pool:
        look(pool.submit(fail))
        look(logging_pool.submit(fail))
        gc.collect()
        assert_settled(pool)
    assert seen == []
    assert not caplog.records


def test_to_wait_is_not_to_look(seen: list[BaseException]) -> None:
    with Pool(1, exception_handler=seen.append) as pool:
        future = pool.submit(fail)
        wait([future], LIMIT)
        assert list(as_completed([future], LIMIT)) == [future]
        assert (future.done(), future.cancelled(), future.running()) == (True, False, False)
        assert "raised LookupError" in repr(future)
        del future
        gc.collect()
        assert len(seen) == 1


def test_map_and_groups_look(seen: list[BaseException]) -> None:
    with Pool(2, exception_handler=seen.append) as pool:
        with pytest.raises(LookupError):
            list(pool.map(fail, range(1)))
        with pytest.raises(ExceptionGroup), pool.group() as group:
            group.submit(fail)
        del group
        gc.collect()
        assert_settled(pool)
    assert seen == []


def test_cancelled_and_successful_futures_are_nothing_to_handle(
    gate: Gate, seen: list[BaseException]
) -> None:
    with Pool(1, queue_size=5, exception_handler=seen.append) as pool:
        pool.submit(gate)
        gate.wait_entered()
        for _ in range(3):
            assert pool.submit(fail).cancel()
        late = pool.options(deadline=1000).submit(fail)
        pool._advance_clock(1000)
        eventually(late.cancelled)
        del late
        gate.open()
        pool.submit(abs, -1)
        assert_settled(pool)
        gc.collect()
    assert seen == []


def test_futures_of_ones_own_are_nothing_to_handle(caplog: pytest.LogCaptureFixture) -> None:
    future: Future[int] = Future()
    future.set_exception(LookupError("mine"))
    del future
    gc.collect()
    assert not caplog.records


def test_without_a_handler_it_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with Pool(1) as pool:
        pool.options(name="sums").submit(fail)
        assert_settled(pool)
        eventually(lambda: caplog.records)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("antspy", logging.ERROR)
    assert all(text in caplog.text for text in ("in fail", "LookupError: the task's own", "'sums'"))


def test_a_handler_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def handler(error: BaseException) -> None:
        raise SystemExit("the handler's own")

    with Pool(1, exception_handler=handler) as pool:
        for _ in range(3):
            future = pool.submit(fail)
            assert_settled(pool)
            del future
        assert pool.submit(abs, -1).result(LIMIT) == 1
    assert caplog.text.count("LookupError: the task's own") == 3
    assert caplog.text.count("SystemExit: the handler's own") == 3


def test_a_future_may_be_dropped_while_an_exception_is_on_its_way(seen: list[BaseException]) -> None:
    def drop_and_raise() -> None:
        future = pool.submit(fail, "dropped")
        assert_settled(pool)
        assert future.done()
        raise KeyError("on its way")

    with Pool(1, exception_handler=seen.append) as pool:
        with pytest.raises(KeyError, match="on its way"):
            drop_and_raise()
        gc.collect()
    assert [error.args for error in seen] == [("dropped",)]


def test_what_a_handler_drops_is_handled_too(seen: list[BaseException]) -> None:
    def handler(error: BaseException) -> None:
        seen.append(error)
        if len(seen) < 5:
            pool.submit(fail, len(seen))

    with Pool(1, queue_size=5, exception_handler=handler) as pool:
        pool.submit(fail, 0)
        eventually(lambda: len(seen) == 5)
    assert [error.args[0] for error in seen] == list(range(5))


def test_go_tasks_lost_to_a_broken_initializer_reach_the_handler(seen: list[BaseException]) -> None:
    pool = Pool(1, queue_size=10, initializer=lambda: fail("no connection"), exception_handler=seen.append)
    pool.pause()
    group = WaitGroup(pool)
    for _ in range(3):
        pool.go(int)
        pool.options(name="named").go(int)
        group.go(int)
    future = pool.submit(int)
    pool.submit(int)  # dropped: nobody looks
    pool.resume()
    assert isinstance(future.exception(LIMIT), BrokenThreadPool)
    assert group.wait(LIMIT)
    eventually(lambda: len(seen) == 10)
    pool.shutdown()
    assert {type(error) for error in seen} == {BrokenThreadPool}
    why = "the initializer raised LookupError: no connection"
    assert all(why in error.__notes__ for error in seen)
    notes = [note for error in seen for note in error.__notes__ if note != why]
    assert notes == ["in the task 'named'"] * 3
    assert pool.stats().failed == 11


def test_go_tasks_lost_to_a_broken_initializer_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    pool = Pool(1, queue_size=10, initializer=fail)
    pool.pause()
    pool.go(int)
    pool.resume()
    pool.shutdown()
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL, logging.ERROR]
    assert "BrokenThreadPool" in caplog.text


def test_cancelled_go_tasks_are_nothing_to_handle(gate: Gate, seen: list[BaseException]) -> None:
    pool = Pool(1, queue_size=10, exception_handler=seen.append)
    pool.go(gate)
    gate.wait_entered()
    for _ in range(3):
        pool.go(fail)
    pool.shutdown(wait=False, cancel_futures=True)
    gate.open()
    pool.shutdown()
    assert (seen, pool.stats().cancelled) == ([], 3)

"""`map` beside its results: how it ends, and what it holds."""

import gc
import itertools
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest
from antspy import Pool, PoolClosedError, ThreadPoolExecutor
from support import LIMIT, Gate, Thread, assert_settled, eventually

Make = Callable[..., Any]


class Thing:
    """Something that can be referred to weakly."""


def close(results: Iterator[object]) -> None:
    results.close()  # type: ignore[attr-defined]


def only(number: int, gate: Gate) -> Callable[[int], int]:
    """A task that waits at the gate with one number."""
    return lambda given: gate(given) if given == number else given


# Its end.


def test_a_map_that_is_closed_gives_its_places_back(gate: Gate) -> None:
    ran: list[int] = []

    def task(number: int) -> int:
        ran.append(number)
        return gate(number) if number == 1 else number

    with Pool(1, queue_size=5, overflow="raise") as pool:
        results = pool.map(task, itertools.count())
        assert next(results) == 0
        gate.wait_entered()
        assert pool.queued == 5
        close(results)
        assert (pool.queued, pool.stats().cancelled) == (0, 5)
        futures = [pool.submit(abs, -number) for number in range(5)]
        gate.open()
        assert [future.result(LIMIT) for future in futures] == list(range(5))
        assert_settled(pool)
        close(results)
        assert list(results) == []
    assert ran == [0, 1]


def test_a_map_that_is_closed_gives_the_places_of_its_sub_pool_back(gate: Gate) -> None:
    with Pool(1, queue_size=9) as pool:
        sub = pool.subpool(4)
        results = sub.options(deadline=1000).map(only(1, gate), itertools.count())
        assert next(results) == 0
        gate.wait_entered()
        assert (sub.running, pool.queued) == (4, 3)
        close(results)
        assert (sub.running, pool.queued) == (1, 0)
        gate.open()
        assert sub.wait(LIMIT)
        assert_settled(pool)


@pytest.mark.parametrize("make", [Pool, ThreadPoolExecutor])
def test_the_tasks_of_a_map_that_nobody_asks_for_a_result_run_all_the_same(make: Make, gate: Gate) -> None:
    # As with the standard library's: a map for its effects.
    ran: list[int] = []
    with make(1, queue_size=10) as pool:
        pool.go(gate)
        gate.wait_entered()
        pool.map(ran.append, range(10))
        close(pool.map(ran.append, []))
        gate.open()
    assert ran == list(range(10))


def test_a_closed_pool_ends_a_map_after_the_results_before(gate: Gate) -> None:
    pool = Pool(2)
    results = pool.map(abs, itertools.count())
    assert next(results) == 0
    pool.release()
    with pytest.raises(PoolClosedError):
        list(results)
    assert list(results) == []
    with pytest.raises(PoolClosedError):
        pool.map(abs, [1])
    pool.shutdown()


def test_a_pool_that_is_shut_down_cancels_what_has_not_started(gate: Gate) -> None:
    pool = Pool(1, queue_size=5)
    results = pool.map(only(0, gate), range(6))
    gate.wait_entered()
    pool.shutdown(wait=False, cancel_futures=True)
    gate.open()
    waiting = Thread(list, results)
    with pytest.raises(CancelledError):
        waiting.result()
    pool.shutdown()
    assert pool.stats().cancelled == 5


def test_a_task_that_is_too_late_is_cancelled_at_its_place(gate: Gate) -> None:
    with Pool(1, queue_size=5) as pool:
        results = pool.options(deadline=1000).map(only(0, gate), range(3))
        gate.wait_entered()
        pool._advance_clock(1000)
        eventually(lambda: pool.queued == 0)
        gate.open()
        with pytest.raises(CancelledError):
            list(results)
        assert_settled(pool)


def test_what_is_discarded_is_cancelled_at_its_place(gate: Gate) -> None:
    with Pool(1, overflow="discard") as pool:
        pool.go(gate)
        gate.wait_entered()
        with pytest.raises(CancelledError):
            list(pool.map(abs, [1]))
        gate.open()


def test_a_full_pool_runs_the_tasks_of_a_map_in_its_caller(gate: Gate) -> None:
    with Pool(1, overflow="caller_runs") as pool:
        pool.go(gate)
        gate.wait_entered()
        here = threading.get_ident()
        assert list(pool.map(lambda _: threading.get_ident(), range(3))) == [here] * 3
        gate.open()
        assert_settled(pool)


# What it holds.


@pytest.mark.parametrize("make", [Pool, ThreadPoolExecutor])
def test_items_and_results_are_dropped_at_once(make: Make) -> None:
    given: list[weakref.ref[Thing]] = []

    def things() -> Iterator[Thing]:
        for _ in range(10):
            thing = Thing()
            given.append(weakref.ref(thing))
            yield thing
            del thing

    with make(2, queue_size=2) as pool:
        for result in pool.map(lambda _: Thing(), things()):
            gone = weakref.ref(result)
            del result
            assert gone() is None
        assert_settled(pool)
        eventually(lambda: not any(ref() for ref in given))
        assert len(given) == 10


def test_a_closed_map_drops_items_results_function_and_iterable(gate: Gate) -> None:
    items = [Thing() for _ in range(6)]
    task, source = only(-1, gate), iter(items)
    calls = [lambda thing: (task(-1 if thing is held else 0), Thing())[1]]
    held: Thing | None = items[1]
    with Pool(1, queue_size=3) as pool:
        results = pool.map(calls[0], source)
        next(results)
        gate.wait_entered()
        assert pool.queued == 3
        refs: list[weakref.ref[Any]] = [weakref.ref(item) for item in items[2:]]
        gone = weakref.ref(calls.pop())
        items.clear()
        del source
        close(results)
        assert [ref() for ref in refs] == [None] * 4
        assert gone() is not None  # it runs
        held = None
        gate.open()
        assert_settled(pool)
        eventually(lambda: gone() is None)


@pytest.mark.parametrize("make", [Pool, ThreadPoolExecutor])
def test_a_map_in_a_cycle_is_collected_and_cancels_what_has_not_started(make: Make, gate: Gate) -> None:
    class Owner:
        results: Iterator[object]

        def task(self, number: int) -> "Owner":
            return gate(self) if number == 1 else self

    pool = make(1, queue_size=10)
    owner = Owner()
    owner.results = pool.map(owner.task, range(10))
    assert next(owner.results) is owner
    gate.wait_entered()
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is not None  # a task of it runs
    gate.open()
    assert pool.wait(LIMIT)
    gc.collect()
    eventually(lambda: gone() is None)
    pool.shutdown()


def test_a_result_that_leads_back_to_the_map_is_collected() -> None:
    with Pool(2) as pool:
        for taken in range(3):
            cell: list[Any] = []
            thing = Thing()
            gone = weakref.ref(thing)
            results = pool.map(lambda _, cell=cell: cell, range(4))
            cell += [results, thing]
            for _ in range(taken):
                next(results)
            assert_settled(pool)
            del cell, thing, results
            gc.collect()
            assert gone() is None


def test_a_map_keeps_its_pool_and_that_of_an_executor_does_not() -> None:
    results = Pool(2).map(abs, range(100))
    assert list(results) == list(range(100))
    executor = ThreadPoolExecutor(2)
    results = executor.map(abs, range(3))
    gone = weakref.ref(executor)
    del executor
    assert gone() is None
    assert list(results) == [0, 1, 2]


def test_what_tasks_raised_that_nobody_asked_for_reaches_the_handler(gate: Gate) -> None:
    seen: list[BaseException] = []

    def task(number: int) -> int:
        if number == 5:
            gate()
        if number:
            raise LookupError(number)
        return number

    with Pool(1, queue_size=9, exception_handler=seen.append) as pool:
        results = pool.options(name="numbers").map(task, range(10))
        assert next(results) == 0
        gate.wait_entered()
        del results
        eventually(lambda: len(seen) == 4)
        gate.open()
        eventually(lambda: len(seen) == 5)
        assert_settled(pool)
        list(pool.map(abs, range(5)))
    assert [error.args for error in seen] == [(number,) for number in range(1, 6)]
    assert all(error.__notes__ == ["in the task 'numbers'"] for error in seen)


def test_a_handler_in_the_cycle_of_a_map_is_whole_when_it_is_called(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[tuple[int, str]] = []

    def drop() -> None:
        cycle: list[object] = []

        def handler(error: BaseException) -> None:
            seen.append((len(cycle), str(error)))

        pool = Pool(1, queue_size=2, exception_handler=handler)
        results = pool.map(int, ["1", "x"])
        next(results)
        cycle += [results, handler, cycle]
        pool.shutdown()

    for count in range(1, 10):
        drop()
        gc.collect()
        assert len(seen) == count
    assert {size for size, _ in seen} == {3}
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]

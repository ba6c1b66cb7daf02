"""`map`: ordered, lazy, bounded."""

import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from antspy import Pool, PoolOverloadError
from support import Gate, many


def counted(taken: list[int]) -> Iterator[int]:
    """All numbers; those that were taken are in `taken`."""
    for number in count():
        taken.append(number)
        yield number


def test_results_come_in_order_whatever_ends_first() -> None:
    def later_first(number: int) -> int:
        time.sleep(0.002 * (9 - number % 10))
        return number

    with Pool(10) as pool:
        assert list(pool.map(later_first, range(30))) == list(range(30))


def test_the_shortest_iterable_ends_it() -> None:
    with Pool(2) as pool:
        assert list(pool.map(pow, [2, 3, 4], [5, 2])) == [32, 9]
        assert list(pool.map(abs, [])) == []
        assert list(pool.map(int)) == []


@pytest.mark.parametrize("chunksize", [1, 2, 7, 1000])
def test_chunks_change_nothing_but_the_number_of_tasks(chunksize: int) -> None:
    with Pool(3, queue_size=2) as pool:
        assert list(pool.map(pow, range(100), range(100), chunksize=chunksize)) == [n**n for n in range(100)]


@pytest.mark.parametrize(("capacity", "queue_size"), [(1, 0), (4, 0), (2, 3)])
def test_it_looks_ahead_no_further_than_the_pools_places(capacity: int, queue_size: int) -> None:
    taken: list[int] = []
    places = capacity + queue_size
    with Pool(capacity, queue_size=queue_size) as pool:
        results = pool.map(abs, counted(taken))
        assert len(taken) == places
        for consumed in range(1, 50):
            next(results)
            assert len(taken) <= places + consumed
        results.close()  # type: ignore[attr-defined]


def test_it_never_has_to_wait_for_a_place_of_its_own_pool() -> None:
    with Pool(3, overflow="raise") as pool:
        assert list(pool.map(abs, range(many(500)))) == list(range(many(500)))


def test_buffersize_is_how_many_tasks_it_looks_ahead() -> None:
    taken: list[int] = []
    with Pool(16) as pool:
        results = pool.map(abs, counted(taken), buffersize=2)
        assert len(taken) == 2
        assert [next(results) for _ in range(10)] == list(range(10))
        assert len(taken) <= 12
        results.close()  # type: ignore[attr-defined]


def test_a_buffersize_beyond_the_places_does_not_block_the_caller(gate: Gate) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(6):
            taken.append(number)
            yield number

    with Pool(2) as pool:
        results = pool.map(gate, numbers(), buffersize=100)
        assert taken == [0, 1]
        gate.open()
        assert list(results) == list(range(6))


def test_the_first_tasks_start_without_a_result_being_asked_for(gate: Gate) -> None:
    with Pool(3) as pool:
        results = pool.map(gate, range(3))
        gate.wait_entered(3)
        gate.open()
        assert list(results) == [0, 1, 2]


def test_an_infinite_iterable_can_be_mapped() -> None:
    with Pool(4) as pool:
        results = pool.map(lambda number: number * number, count())
        assert [next(results) for _ in range(100)] == [number**2 for number in range(100)]
        results.close()  # type: ignore[attr-defined]


def test_an_exception_comes_at_the_place_of_its_result_and_cancels_what_has_not_started() -> None:
    ran: list[int] = []
    gate = Gate()

    def task(number: int) -> int:
        ran.append(number)
        if number == 1:
            raise LookupError("the task's own")
        if number == 2:
            gate()
        return number

    with Pool(1, queue_size=20) as pool:
        results = pool.map(task, range(15))
        assert next(results) == 0
        gate.wait_entered()
        with pytest.raises(LookupError, match="the task's own"):
            next(results)
        gate.open()
        assert list(results) == []
    assert ran == [0, 1, 2]


def test_an_abandoned_map_cancels_what_has_not_started(gate: Gate) -> None:
    ran: list[int] = []

    def task(number: int) -> int:
        ran.append(number)
        return gate(number) if number else number

    with Pool(1, queue_size=20) as pool:
        results = pool.map(task, range(15))
        assert next(results) == 0
        gate.wait_entered()
        del results
        gate.open()
    assert ran == [0, 1]


def test_a_result_that_is_late_raises_timeout_error(gate: Gate) -> None:
    with Pool(2) as pool:
        results = pool.map(gate, range(2), timeout=0.05)
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            next(results)
        assert time.monotonic() - start < 5
        gate.open()


def test_the_timeout_counts_from_the_call_of_map() -> None:
    with Pool(1, queue_size=None) as pool:
        results = pool.map(time.sleep, [0.03] * 20, timeout=0.2)
        with pytest.raises(TimeoutError):
            list(results)


def test_an_iterable_that_raises_raises_from_map_or_its_results() -> None:
    def numbers() -> Iterator[int]:
        yield from range(5)
        raise LookupError("the iterable's own")

    with Pool(2) as pool:
        seen: list[int] = []
        results = pool.map(abs, numbers())
        with pytest.raises(LookupError, match="the iterable's own"):
            seen.extend(results)
        assert pool.wait(timeout=10)


def test_a_pool_that_is_full_of_other_work_refuses_a_map_as_any_task(gate: Gate) -> None:
    with Pool(1, overflow="raise") as pool:
        pool.go(gate)
        with pytest.raises(PoolOverloadError):
            pool.map(abs, [1])
        gate.open()


def test_two_maps_share_a_pool() -> None:
    with Pool(3) as pool:
        numbers = range(many(100))
        one, other = pool.map(abs, numbers, buffersize=1), pool.map(str, numbers, buffersize=1)
        pairs = list(zip(one, other, strict=True))
    assert pairs == [(number, str(number)) for number in numbers]


def test_tasks_of_a_map_run_at_the_same_time() -> None:
    barrier = threading.Barrier(4)
    with Pool(4) as pool:
        assert sorted(pool.map(lambda _: barrier.wait(20), range(4))) == [0, 1, 2, 3]


@pytest.mark.parametrize("name", ["chunksize", "buffersize"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_size_below_1_is_refused(name: str, value: int) -> None:
    options: dict[str, Any] = {name: value}
    with Pool(1) as pool, pytest.raises(ValueError, match=f"{name}.*{value}"):
        pool.map(abs, [1], **options)


def test_a_map_that_times_out_before_it_begins_leaves_nothing_behind(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        with pytest.raises(TimeoutError):
            pool.map(ran.append, [1, 2], timeout=0.05)
        gate.open()
    assert ran == []

"""Several pools as one: how it is made, and who gets a task. For its life see test_multi_pool_life.py."""

import concurrent.futures
import threading
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from antspy import Future, MultiPool, Pool, PoolClosedError, PoolOverloadError
from antspy.multi_pool import Strategy
from multi_pool_support import STRATEGIES, occupy, place
from support import LIMIT, Gate, Thread, eventually


@pytest.mark.parametrize(
    ("size", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        ("2", TypeError),
        (2.0, TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_a_bad_size_is_refused_before_everything_else(size: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"^size must be .*{size!r}"):
        MultiPool(size, 0, "nearest", expiry=-1)  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", ["nearest", "", None, 3, ["round_robin"]])
def test_an_unknown_strategy_is_refused_before_the_settings(strategy: Any) -> None:
    with pytest.raises(ValueError, match=r"^strategy must be 'round_robin' or 'least_tasks', not ") as info:
        MultiPool(2, 0, strategy, expiry=-1)
    assert str(info.value).endswith(repr(strategy))


@pytest.mark.parametrize(
    ("error", "setting", "value"),
    [
        (ValueError, "capacity", 0),
        (TypeError, "capacity", "4"),
        (ValueError, "queue_size", -1),
        (ValueError, "overflow", "drop"),
        (TypeError, "thread_name_prefix", 3),
    ],
)
def test_what_a_pool_refuses_is_refused(error: type[Exception], setting: str, value: object) -> None:
    with pytest.raises(error, match=f"^{setting} must .*{value!r}"):
        MultiPool(2, **{"capacity": 4, setting: value})  # type: ignore[arg-type]


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(TypeError, match="nonsense"):
        MultiPool(2, 1, nonsense=1)  # type: ignore[call-arg]


def test_it_is_an_executor_of_so_many_pools() -> None:
    with MultiPool(3, 2) as multi:
        assert isinstance(multi, concurrent.futures.Executor)
        assert isinstance(multi.pools, tuple)
        assert [type(pool) for pool in multi.pools] == [Pool] * 3
        assert [pool.capacity for pool in multi.pools] == [2] * 3
        with pytest.raises(IndexError):
            multi.pools[3]
        with pytest.raises(IndexError):
            multi.pools[-4]
        with pytest.raises(AttributeError):
            multi.pools = ()  # type: ignore[misc]


def test_every_pool_has_the_settings_and_a_name_of_its_own(gate: Gate) -> None:
    seen: list[BaseException] = []
    with MultiPool(
        2, 1, queue_size=1, overflow="raise", exception_handler=seen.append, thread_name_prefix="ant"
    ) as multi:
        names = [pool.submit(place) for pool in multi.pools]
        assert [name.result() for name in names] == ["ant-0", "ant-1"]
        for pool in multi.pools:
            pool.go(gate, 1, 2, 3)  # type: ignore[call-arg]
            assert pool.wait(timeout=LIMIT)
            occupy(pool, gate, 1)
            pool.go(gate)
            with pytest.raises(PoolOverloadError):
                pool.go(gate)
        assert [type(error) for error in seen] == [TypeError] * 2
        gate.open()


def test_without_a_prefix_two_multi_pools_have_different_names() -> None:
    with MultiPool(1, 1) as one, MultiPool(1, 1) as other:
        names = {one.submit(place).result(), other.submit(place).result()}
    assert len(names) == 2
    assert all(name.startswith("MultiPool-") and name.endswith("-0") for name in names)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_submit_and_go_call_the_function_with_its_arguments(strategy: Strategy) -> None:
    seen: list[Any] = []

    def fn(*args: Any, **kwargs: Any) -> Any:
        seen.append((args, kwargs))
        return args, kwargs

    # The names are those of parameters on the way.
    call: Any = ((1, 2), {"self": 3, "fn": 4, "method": 5, "targets": 6})
    with MultiPool(2, 2, strategy) as multi:
        future = multi.submit(fn, *call[0], **call[1])
        assert type(future) is Future
        assert future.result() == call
        assert multi.go(fn, *call[0], **call[1]) is None  # type: ignore[func-returns-value]
    assert seen == [call, call]


def test_round_robin_takes_each_pool_in_its_turn_whatever_it_has_to_do(gate: Gate) -> None:
    with MultiPool(3, 4, thread_name_prefix="ant") as multi:
        occupy(multi.pools[1], gate, 3)
        names = [multi.submit(place).result() for _ in range(7)]
        assert names == [f"ant-{number % 3}" for number in range(7)]
        gate.open()


def test_round_robin_counts_over_all_kinds_of_calls() -> None:
    with MultiPool(3, 4, thread_name_prefix="ant") as multi:
        multi.go(int)
        assert list(multi.map(lambda _: place(), range(1))) == ["ant-1"]
        assert multi.submit(place).result() == "ant-2"


def test_round_robin_is_even_with_many_submitters() -> None:
    with MultiPool(4, 2, queue_size=None, thread_name_prefix="ant") as multi:
        barrier = threading.Barrier(8)

        def submit() -> list[Future[str]]:
            barrier.wait(LIMIT)
            return [multi.submit(place) for _ in range(250)]

        submitters = [Thread(submit) for _ in range(8)]
        names = [future.result() for submitter in submitters for future in submitter.result()]
    assert [names.count(f"ant-{number}") for number in range(4)] == [500] * 4


def test_round_robin_tries_the_pool_with_the_fewest_tasks_once_if_one_is_full(gate: Gate) -> None:
    with MultiPool(4, 1, overflow="raise", thread_name_prefix="ant") as multi:
        occupy(multi.pools[0], gate, 1)
        for number, tasks in [(1, 3), (2, 2), (3, 2)]:
            multi.pools[number].tune(4)
            occupy(multi.pools[number], gate, tasks)
        multi.pools[0].tune(4)  # full again below, with more tasks than the others
        occupy(multi.pools[0], gate, 3)
        assert multi.submit(place).result() == "ant-2"
        gate.open()


def test_round_robin_raises_if_the_second_pool_is_full_too(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    with MultiPool(3, 1, overflow="raise") as multi:
        for number, pool in enumerate(multi.pools):
            occupy(pool, gate, 1)

            def submit(*args: Any, number: int = number, submit: Any = pool.submit) -> Any:
                tried.append(number)
                return submit(*args)

            monkeypatch.setattr(pool, "submit", submit)
        for chosen in range(3):
            with pytest.raises(PoolOverloadError) as info:
                multi.submit(int)
            assert tried == [chosen, 0]
            assert info.value.__context__ is None
            tried.clear()
        with pytest.raises(PoolOverloadError):
            multi.go(int)
        gate.open()


def test_round_robin_tries_no_other_pool_if_one_is_closed() -> None:
    with MultiPool(2, 1, thread_name_prefix="ant") as multi:
        multi.pools[1].release()
        assert multi.submit(place).result() == "ant-0"
        with pytest.raises(PoolClosedError):
            multi.submit(int)
        assert multi.submit(place).result() == "ant-0"


def test_least_tasks_takes_the_first_pool_with_the_fewest_tasks(gate: Gate) -> None:
    with MultiPool(4, 4, "least_tasks", thread_name_prefix="ant") as multi:
        for pool, tasks in zip(multi.pools, [2, 1, 3, 1], strict=True):
            occupy(pool, gate, tasks)
        assert multi.submit(place).result() == "ant-1"
        assert multi.submit(place).result() == "ant-1"
        multi.go(gate)
        gate.wait_entered()
        assert multi.submit(place).result() == "ant-3"
        gate.open()


def test_least_tasks_counts_what_is_queued(gate: Gate) -> None:
    with MultiPool(3, 1, "least_tasks", queue_size=5) as multi:
        for pool, queued in zip(multi.pools, [3, 2, 1], strict=True):
            occupy(pool, gate, 1)
            for _ in range(queued):
                pool.go(gate)
        for _ in range(3):
            multi.go(gate)
        assert [pool.queued for pool in multi.pools] == [3, 3, 3]
        gate.open()


def test_least_tasks_spreads_tasks_evenly(gate: Gate) -> None:
    with MultiPool(3, 4, "least_tasks") as multi:
        for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1]]:
            multi.go(gate)
            gate.wait_entered()
            assert [pool.running for pool in multi.pools] == expected
        gate.open()


def test_least_tasks_raises_if_all_are_full(gate: Gate) -> None:
    with MultiPool(2, 1, "least_tasks", overflow="raise") as multi:
        for _ in range(2):
            multi.go(gate)
            gate.wait_entered()
        with pytest.raises(PoolOverloadError):
            multi.go(gate)
        gate.open()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_map_yields_results_in_order(strategy: Strategy) -> None:
    with MultiPool(3, 2, strategy) as multi:
        assert list(multi.map(pow, range(100), range(100))) == [n**n for n in range(100)]
        assert list(multi.map(pow, range(100), range(100), chunksize=7)) == [n**n for n in range(100)]
        with pytest.raises(ValueError, match="chunksize"):
            multi.map(abs, [1], chunksize=0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_map_looks_ahead_as_far_as_all_pools_have_places(strategy: Strategy) -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in count():
            taken.append(number)
            yield number

    # It would raise if a task had to wait for a place.
    with MultiPool(3, 2, strategy, queue_size=1, overflow="raise") as multi:
        results = multi.map(abs, numbers())
        assert len(taken) == 9
        assert [next(results) for _ in range(300)] == list(range(300))
        assert len(taken) <= 309
        results.close()  # type: ignore[attr-defined]


def test_the_numbers_are_sums(gate: Gate) -> None:
    with MultiPool(3, 2, queue_size=2) as multi:
        assert (multi.capacity, multi.free, multi.running, multi.idle) == (6, 6, 0, 0)
        multi.pools[0].submit(int).result()
        occupy(multi.pools[1], gate, 2)
        occupy(multi.pools[2], gate, 2)
        for _ in range(2):
            multi.pools[1].go(gate)
            multi.pools[2].go(gate)
        blocked = [Thread(pool.go, gate) for pool in multi.pools[1:] for _ in range(2)]
        eventually(lambda: multi.waiting == 4)
        assert (multi.running, multi.idle, multi.free, multi.queued) == (5, 1, 1, 4)
        gate.open()
        for thread in blocked:
            thread.result()
    assert (multi.running, multi.idle, multi.waiting, multi.queued) == (0, 0, 0, 0)


def test_a_number_that_is_unlimited_in_one_pool_is_unlimited() -> None:
    with MultiPool(2, None) as multi:
        assert (multi.capacity, multi.free) == (None, None)
        assert list(multi.map(abs, range(10))) == list(range(10))
    with MultiPool(2, 3) as multi:
        multi.pools[1].tune(None)
        assert (multi.capacity, multi.free) == (None, None)


def test_tune_sets_the_capacity_of_each_pool() -> None:
    with MultiPool(3, 2) as multi:
        multi.tune(5)
        assert [pool.capacity for pool in multi.pools] == [5] * 3
        assert multi.capacity == 15
        with pytest.raises(ValueError, match="capacity"):
            multi.tune(0)
        multi.pools[0].tune(1)
        assert multi.capacity == 11
        multi.tune(None)
        assert multi.capacity is None

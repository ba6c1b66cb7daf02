"""Several pools for one function, as one."""

import weakref
from typing import Any

import antspy.multi_pool_with_func
import pytest
from antspy import Future, MultiPoolWithFunc, PoolClosedError, PoolOverloadError, PoolWithFunc
from antspy.multi_pool import Strategy
from multi_pool_support import STRATEGIES, place
from support import LIMIT, Gate, eventually, threads


@pytest.mark.parametrize("fn", [None, 3, "print"])
@pytest.mark.parametrize("size", [2, 0, "many"])
def test_a_function_that_is_not_callable_is_refused_before_every_other_check(fn: Any, size: Any) -> None:
    with pytest.raises(TypeError, match=rf"^fn must be callable, not {fn!r}"):
        MultiPoolWithFunc(fn, size, 0, "nearest", nonsense=1)  # type: ignore[call-arg,arg-type]


def test_then_size_strategy_and_settings_are_looked_at_in_this_order() -> None:
    with pytest.raises(ValueError, match=r"^size must be at least 1, not 0"):
        MultiPoolWithFunc(abs, 0, 0, "nearest")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^size must be an int, not True"):
        MultiPoolWithFunc(abs, True, 0, "nearest")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^strategy must be .*'nearest'"):
        MultiPoolWithFunc(abs, 1, 0, "nearest")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^capacity must be .*0"):
        MultiPoolWithFunc(abs, 1, 0)
    with pytest.raises(TypeError, match="nonsense"):
        MultiPoolWithFunc(abs, 1, 1, nonsense=1)  # type: ignore[call-arg]


def test_its_pools_are_pools_for_the_function() -> None:
    with MultiPoolWithFunc(abs, 2, 3) as multi:
        assert [type(pool) for pool in multi.pools] == [PoolWithFunc] * 2
        assert [pool.submit(-number).result() for number, pool in enumerate(multi.pools)] == [0, 1]
        with pytest.raises(IndexError):
            multi.pools[2]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_invoke_calls_the_function_with_its_arguments(strategy: Strategy) -> None:
    seen: list[tuple[int, ...]] = []

    def fn(*args: int) -> None:
        seen.append(args)

    calls: list[tuple[int, ...]] = [(), (1,), (1, 2, 3), tuple(range(50))]
    with MultiPoolWithFunc(fn, 2, 1, strategy) as multi:
        for args in calls:
            assert multi.invoke(*args) is None  # type: ignore[func-returns-value]
        assert multi.wait(timeout=LIMIT)
    assert sorted(seen) == sorted(calls)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_submit_returns_a_future(strategy: Strategy) -> None:
    with MultiPoolWithFunc(pow, 3, 4, strategy) as multi:
        futures = [multi.submit(number, 2) for number in range(100)]
        assert all(type(future) is Future for future in futures)
        assert [future.result() for future in futures] == [number**2 for number in range(100)]
        assert isinstance(multi.submit("a", "b").exception(), TypeError)


def test_round_robin_takes_each_pool_in_its_turn() -> None:
    with MultiPoolWithFunc(place, 3, 1, thread_name_prefix="ant") as multi:
        assert [multi.submit().result() for _ in range(4)] == ["ant-0", "ant-1", "ant-2", "ant-0"]
        multi.invoke()
        assert multi.submit().result() == "ant-2"


def test_round_robin_tries_the_pool_with_the_fewest_tasks_if_one_is_full(gate: Gate) -> None:
    with MultiPoolWithFunc(gate, 2, 2, overflow="raise") as multi:
        for _ in range(2):
            multi.pools[0].invoke()
        multi.invoke()  # its turn: the full one
        multi.submit()
        gate.wait_entered(4)
        assert [pool.running for pool in multi.pools] == [2, 2]
        with pytest.raises(PoolOverloadError):
            multi.invoke()
        with pytest.raises(PoolOverloadError):
            multi.submit()
        gate.open()


def test_least_tasks_takes_the_first_pool_with_the_fewest_tasks(gate: Gate) -> None:
    with MultiPoolWithFunc(gate, 3, 4, "least_tasks") as multi:
        for expected in [[1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1]]:
            multi.invoke()
            gate.wait_entered()
            assert [pool.running for pool in multi.pools] == expected
        gate.open()


def test_it_lives_as_a_multi_pool_does(gate: Gate) -> None:
    multi = MultiPoolWithFunc(gate, 2, 2)
    assert (multi.capacity, multi.free, multi.closed) == (4, 4, False)
    multi.invoke()
    gate.wait_entered()
    multi.tune(3)
    assert multi.wait(timeout=0) is False
    with pytest.raises(TimeoutError):
        multi.release(timeout=0.02)
    with pytest.raises(PoolClosedError):
        multi.invoke()
    with pytest.raises(PoolClosedError):
        multi.submit()
    gate.open()
    multi.reboot()
    assert (multi.capacity, multi.submit(5).result()) == (6, 5)
    assert repr(multi) == "<MultiPoolWithFunc open size=2 strategy=round_robin capacity=6 running=1>"
    multi.shutdown()
    assert repr(multi) == "<MultiPoolWithFunc closed size=2 strategy=round_robin capacity=6 running=0>"


def test_if_one_pool_cannot_be_made_the_others_are_released(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threads()
    made: list[PoolWithFunc[Any]] = []

    def make(fn: Any, capacity: int | None, **settings: Any) -> PoolWithFunc[Any]:
        if made:
            raise RuntimeError("no thread")
        made.append(PoolWithFunc(fn, capacity, **settings))
        return made[-1]

    monkeypatch.setattr(antspy.multi_pool_with_func, "PoolWithFunc", make)
    with pytest.raises(RuntimeError, match="no thread"):
        MultiPoolWithFunc(abs, 2, 2, prealloc=True)
    assert made[0].closed
    eventually(lambda: threads() == before)


def test_its_function_is_released_with_it() -> None:
    class Function:
        def __call__(self) -> int:
            return 1

    function = Function()
    gone = weakref.ref(function)
    multi = MultiPoolWithFunc(function, 2, 2, expiry=None)
    assert multi.submit().result() == 1
    del function, multi
    eventually(lambda: gone() is None)

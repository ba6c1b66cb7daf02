"""A pool for one function."""

import gc
import threading
import weakref
from typing import Any

import pytest
from antspy import Future, Pool, PoolClosedError, PoolOverloadError, PoolWithFunc
from support import Gate, eventually


def test_invoke_calls_the_function_with_its_arguments() -> None:
    seen: list[tuple[int, ...]] = []

    def fn(*args: int) -> None:
        seen.append(args)

    pool = PoolWithFunc(fn, 1)
    for args in [(), (1,), (1, 2, 3), tuple(range(50))]:
        assert pool.invoke(*args) is None  # type: ignore[func-returns-value]
    assert pool.wait(timeout=10)
    pool.shutdown()
    assert seen == [(), (1,), (1, 2, 3), tuple(range(50))]


def test_submit_returns_a_future() -> None:
    with PoolWithFunc(pow, 4) as pool:
        futures = [pool.submit(number, 2) for number in range(100)]
        assert all(type(future) is Future for future in futures)
        assert [future.result() for future in futures] == [number**2 for number in range(100)]
        assert isinstance(pool.submit("a", "b").exception(), TypeError)


@pytest.mark.parametrize("fn", [None, 3, "print"])
@pytest.mark.parametrize("capacity", [1, 0, "many"])
def test_a_function_that_is_not_callable_is_refused_before_every_other_check(fn: Any, capacity: Any) -> None:
    with pytest.raises(TypeError, match=rf"fn must be callable, not {fn!r}"):
        PoolWithFunc(fn, capacity, nonsense=1)  # type: ignore[call-arg]


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(TypeError, match="nonsense"):
        PoolWithFunc(abs, 1, nonsense=1)  # type: ignore[call-arg]


def test_it_takes_the_settings_of_a_pool(gate: Gate) -> None:
    seen: list[BaseException] = []
    with PoolWithFunc(
        gate, 1, queue_size=1, overflow="raise", exception_handler=seen.append, thread_name_prefix="one"
    ) as pool:
        pool.invoke()
        pool.invoke(1, 2, 3)
        with pytest.raises(PoolOverloadError):
            pool.invoke()
        gate.open()
        assert pool.wait(timeout=10)
        assert [type(error) for error in seen] == [TypeError]
        assert "one_0" in {thread.name for thread in threading.enumerate()}


def test_it_lives_as_a_pool_does(gate: Gate) -> None:
    pool = PoolWithFunc(gate, 2)
    assert (pool.capacity, pool.free, pool.closed) == (2, 2, False)
    pool.invoke()
    pool.tune(3)
    pool.release()
    with pytest.raises(PoolClosedError):
        pool.invoke()
    with pytest.raises(PoolClosedError):
        pool.submit()
    gate.open()
    pool.reboot()
    assert (pool.capacity, pool.submit(5).result()) == (3, 5)
    assert repr(pool) == "<PoolWithFunc open capacity=3 running=1>"
    pool.shutdown()
    assert repr(pool) == "<PoolWithFunc closed capacity=3 running=0>"


def test_a_pool_without_a_function_has_nothing_to_invoke() -> None:
    with Pool(1) as pool:
        assert not hasattr(pool, "invoke")


def test_its_function_is_released_with_it() -> None:
    class Function:
        def __call__(self) -> int:
            return 1

    function = Function()
    gone = weakref.ref(function)
    pool = PoolWithFunc(function, 2, expiry=None)
    assert pool.submit().result() == 1
    del function, pool
    eventually(lambda: gone() is None)


def test_a_function_that_refers_to_its_pool_is_collected_with_it() -> None:
    class Owner:
        def __init__(self) -> None:
            self.pool = PoolWithFunc(self.method, 2, expiry=None)

        def method(self) -> int:
            return 1

    owner = Owner()
    gone = weakref.ref(owner)
    assert owner.pool.submit().result() == 1
    assert owner.pool.wait(timeout=10)
    del owner
    gc.collect()
    assert gone() is None

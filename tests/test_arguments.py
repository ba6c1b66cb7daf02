"""Every argument that makes no sense is refused with an error that names it and its value."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from antspy import Pool, PoolWithFunc, WaitGroup
from support import threads

BAD_SETTINGS: list[tuple[type[Exception], str, object]] = [
    (ValueError, "capacity", 0),
    (ValueError, "capacity", -1),
    (ValueError, "capacity", -(10**30)),
    (ValueError, "capacity", 10**30),
    (TypeError, "capacity", "4"),
    (TypeError, "capacity", 4.0),
    (TypeError, "capacity", True),
    (ValueError, "queue_size", -1),
    (TypeError, "queue_size", 1.5),
    (ValueError, "max_blocking", -1),
    (TypeError, "max_blocking", "no"),
    (ValueError, "overflow", "drop"),
    (TypeError, "overflow", 3),
    (TypeError, "overflow", None),
    (ValueError, "expiry", 0),
    (ValueError, "expiry", -1.5),
    (ValueError, "expiry", float("nan")),
    (TypeError, "expiry", "10"),
    (ValueError, "min_workers", -1),
    (ValueError, "min_workers", 5),
    (TypeError, "min_workers", None),
    (TypeError, "min_workers", 1.0),
    (TypeError, "prealloc", "yes"),
    (TypeError, "prealloc", None),
    (TypeError, "daemon", "yes"),
    (TypeError, "daemon", None),
    (TypeError, "exception_handler", 3),
    (TypeError, "initializer", "print"),
    (TypeError, "initargs", [1]),
    (TypeError, "initargs", None),
    (TypeError, "thread_name_prefix", 3),
    (TypeError, "thread_name_prefix", None),
    (ValueError, "thread_name_prefix", "a\0b"),
    (ValueError, "stack_size", 0),
    (ValueError, "stack_size", -1),
    (ValueError, "stack_size", 1000),
    (TypeError, "stack_size", "large"),
]


def says(name: str, value: object) -> str:
    return f"^{re.escape(name)} .*{re.escape(repr(value))}"


def make_pool(**settings: Any) -> object:
    return Pool(settings.pop("capacity", 4), **settings)


def make_pool_with_func(**settings: Any) -> object:
    return PoolWithFunc(abs, settings.pop("capacity", 4), **settings)


@pytest.mark.parametrize("make", [make_pool, make_pool_with_func])
@pytest.mark.parametrize(("kind", "name", "value"), BAD_SETTINGS)
def test_a_bad_setting_is_named_with_its_value(
    make: Callable[..., object], kind: type[Exception], name: str, value: object
) -> None:
    before = threads()
    with pytest.raises(kind, match=says(name, value)):
        make(**{name: value})
    assert threads() == before


def test_prealloc_needs_a_capacity() -> None:
    with pytest.raises(ValueError, match=r"prealloc.*None"):
        Pool(None, prealloc=True)


def test_a_long_value_is_shortened_in_the_message() -> None:
    with pytest.raises(TypeError) as info:
        Pool("x" * 10_000)  # type: ignore[arg-type]
    assert len(str(info.value)) < 200


def test_a_value_whose_repr_raises_is_refused_all_the_same() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise LookupError

    with pytest.raises(TypeError, match="capacity"):
        Pool(Bad())  # type: ignore[arg-type]


def test_a_number_with_an_index_is_a_number() -> None:
    class Number:
        def __index__(self) -> int:
            return 3

    with Pool(Number()) as pool:  # type: ignore[arg-type]
        assert pool.capacity == 3


@pytest.mark.parametrize("expiry", [1, 0.001, 10**9, float("inf"), None])
def test_every_sensible_expiry_is_taken(expiry: float | None) -> None:
    with Pool(1, expiry=expiry) as pool:
        assert pool.submit(abs, -1).result() == 1


@pytest.mark.parametrize("value", [None, 3, "print", []])
@pytest.mark.parametrize("method", ["submit", "go", "map"])
def test_a_function_that_is_not_callable_is_refused(method: str, value: object) -> None:
    with (
        Pool(1) as pool,
        pytest.raises(TypeError, match=f"fn must be callable, not {re.escape(repr(value))}"),
    ):
        getattr(pool, method)(value, [1])


@pytest.mark.parametrize("method", ["submit", "go", "map"])
def test_a_function_is_needed(method: str) -> None:
    with Pool(1) as pool, pytest.raises(TypeError, match="fn"):
        getattr(pool, method)()


@pytest.mark.parametrize(
    ("kind", "value"), [(ValueError, -1), (ValueError, float("nan")), (TypeError, "1"), (TypeError, [])]
)
@pytest.mark.parametrize("method", ["wait", "release"])
def test_a_bad_timeout_is_named_with_its_value(method: str, kind: type[Exception], value: object) -> None:
    with Pool(1) as pool:
        with pytest.raises(kind, match=says("timeout", value)):
            getattr(pool, method)(timeout=value)
        assert not pool.closed
    with pytest.raises(kind, match=says("timeout", value)):
        WaitGroup().wait(timeout=value)  # type: ignore[arg-type]


@pytest.mark.parametrize("timeout", [None, 0, 0.0, 1, 10**20, float("inf")])
def test_every_sensible_timeout_is_taken(timeout: float | None) -> None:
    with Pool(1) as pool:
        assert pool.wait(timeout) is True
        future = pool.submit(abs, -1)
        assert pool.wait(timeout=10)
        assert future.result(timeout=timeout) == 1
        assert WaitGroup().wait(timeout) is True
        pool.release(timeout=timeout)


@pytest.mark.parametrize("value", ["1", [], float("nan")])
def test_a_bad_timeout_of_a_result_is_refused(value: object) -> None:
    with Pool(1) as pool:
        future = pool.submit(lambda: __import__("time").sleep(0.05))
        with pytest.raises((TypeError, ValueError), match=says("timeout", value)):
            future.result(timeout=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value"), [(TypeError, "4"), (TypeError, 1.5), (ValueError, 0), (ValueError, -3)]
)
def test_a_bad_capacity_to_tune_to_is_named_with_its_value(kind: type[Exception], value: object) -> None:
    with Pool(2) as pool:
        with pytest.raises(kind, match=says("capacity", value)):
            pool.tune(value)  # type: ignore[arg-type]
        assert pool.capacity == 2


@pytest.mark.parametrize("name", ["chunksize", "buffersize"])
@pytest.mark.parametrize("value", ["1", 1.5])
def test_a_size_that_is_no_number_is_named_with_its_value(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with Pool(1) as pool, pytest.raises(TypeError, match=says(name, value)):
        pool.map(abs, [1], **options)


def test_a_bad_timeout_of_a_map_is_named_with_its_value() -> None:
    with Pool(1) as pool, pytest.raises(TypeError, match=says("timeout", "1")):
        pool.map(abs, [1], timeout="1")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value"), [(TypeError, "1"), (TypeError, 1.5), (TypeError, None), (ValueError, 2**70)]
)
def test_a_bad_number_of_jobs_is_named_with_its_value(kind: type[Exception], value: object) -> None:
    group = WaitGroup()
    with pytest.raises(kind, match=says("n", value)):
        group.add(value)  # type: ignore[arg-type]
    assert group.count == 0


def test_a_group_needs_a_pool_or_none() -> None:
    with pytest.raises(TypeError, match=says("pool", 3)):
        WaitGroup(3)  # type: ignore[arg-type]


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(TypeError, match="size"):
        Pool(1, size=3)  # type: ignore[call-arg]

"""What `Pool.options` takes, views of views, and what else a view has."""

import logging
import math
from collections.abc import Iterator
from typing import Any

import pytest
from antspy import Future, Pool, PoolView, PoolWithFunc
from support import LIMIT, Gate, Thread, assert_settled, eventually


def given(option: str, value: object) -> Any:
    return {option: value}


SECONDS = pytest.mark.parametrize("option", ["timeout", "deadline"])


@SECONDS
@pytest.mark.parametrize("value", ["soon", True, False, [], object, 1j])
def test_what_is_no_number_of_seconds_is_a_type_error(option: str, value: object) -> None:
    with Pool(1) as pool, pytest.raises(TypeError) as caught:
        pool.options(**given(option, value))
    assert option in str(caught.value)
    assert repr(value) in str(caught.value)


@SECONDS
@pytest.mark.parametrize("value", [-1, -0.001, math.nan, -math.inf])
def test_seconds_that_make_no_sense_are_a_value_error(option: str, value: float) -> None:
    with Pool(1) as pool, pytest.raises(ValueError, match=f"{option}.*{value}"):
        pool.options(**given(option, value))


@SECONDS
@pytest.mark.parametrize("value", [None, 0, 0.5, 10**9, math.inf, 1e300])
def test_any_other_number_of_seconds_is_taken(option: str, value: float | None) -> None:
    with Pool(1) as pool:
        view = pool.options(**given(option, value))
        if (option, value) != ("deadline", 0):
            assert view.submit(abs, -1).result(LIMIT) == 1


@pytest.mark.parametrize(
    ("value", "error"),
    [("urgent", ValueError), ("", ValueError), ("HIGH", ValueError), (1, TypeError), (None, TypeError)],
)
def test_a_priority_is_one_of_three_names(value: object, error: type[Exception]) -> None:
    with Pool(1) as pool, pytest.raises(error) as caught:
        pool.options(priority=value)  # type: ignore[arg-type]
    assert str(caught.value) == f"priority must be 'high', 'normal' or 'low', not {value!r}"


@pytest.mark.parametrize("value", [1, b"name", True, ["name"]])
def test_a_name_is_a_string(value: object) -> None:
    with Pool(1) as pool, pytest.raises(TypeError) as caught:
        pool.options(name=value)  # type: ignore[arg-type]
    assert str(caught.value) == f"name must be a str or None, not {value!r}"


@pytest.mark.parametrize("option", ["nice", "places", "pool", "owner", "options", "self"])
def test_an_unknown_option_is_a_type_error(option: str) -> None:
    with Pool(1) as pool, PoolWithFunc(abs, 1) as with_func:
        for owner in (pool, with_func, pool.options(name="x"), with_func.options(), pool.subpool(1)):
            with pytest.raises(TypeError, match=option):
                owner.options(**given(option, 1))


def test_terms_are_looked_at_before_anything_is_submitted() -> None:
    with Pool(1) as pool:
        with pytest.raises(TypeError):
            pool.options(timeout=1, deadline="x")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            pool.options(5)  # type: ignore[call-arg]
        assert pool.stats().submitted == 0


def test_what_cannot_be_called_is_refused_and_no_place_is_lost() -> None:
    with Pool(1, overflow="raise") as pool:
        view = pool.options(name="x", deadline=10)
        for call in (view.submit, view.go):
            with pytest.raises(TypeError, match="fn must be callable, not 3"):
                call(3)  # type: ignore[arg-type]
        assert view.submit(abs, -1).result(LIMIT) == 1


def test_a_view_of_a_view_has_the_terms_of_both() -> None:
    with Pool(1) as pool:
        view = pool.options(timeout=3, name="first", priority="low")
        both = view.options(name="second", deadline=4.5)
        assert repr(both) == f"<PoolView of {pool!r} timeout=3.0 deadline=4.5 priority='low' name='second'>"
        assert both.submit(abs, -1).name == "second"
        assert view.submit(abs, -1).name == "first"
        assert repr(both.options(timeout=None, priority="normal", name=None)) == (
            f"<PoolView of {pool!r} deadline=4.5>"
        )
        assert repr(pool.options()) == f"<PoolView of {pool!r}>"


def test_the_pool_itself_stays_as_it_is(gate: Gate) -> None:
    with Pool(1) as pool:
        pool.options(timeout=0, name="x", deadline=0)
        pool.go(gate)
        gate.wait_entered()
        blocked = Thread(pool.submit, abs, -1)
        eventually(lambda: pool.waiting == 1)
        gate.open()
        future = blocked.result()
        assert isinstance(future, Future)
        assert (future.name, future.result(LIMIT)) == (None, 1)


@pytest.mark.parametrize("chunksize", [1, 4])
def test_map_keeps_to_the_terms(gate: Gate, chunksize: int) -> None:
    with Pool(2, queue_size=3) as pool:
        view = pool.options(name="mapped", priority="high", timeout=LIMIT)
        assert list(view.map(abs, range(-20, 0), chunksize=chunksize)) == list(range(20, 0, -1))
        for _ in range(2):
            pool.go(gate)
        gate.wait_entered(2)
        for number in range(3):
            pool.go(abs, number)
        with pytest.raises(TimeoutError):
            view.options(timeout=0).map(abs, range(20), chunksize=chunksize)
        gate.open()
        assert_settled(pool)


def test_map_looks_ahead_as_far_as_the_pool_has_places() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with Pool(2, queue_size=3) as pool:
        results = pool.options(name="x").map(abs, items())
        assert len(taken) == 5
        assert list(results) == list(range(100))


def test_a_group_keeps_to_the_terms() -> None:
    with Pool(2) as pool, pool.options(name="grouped").group() as group:
        futures = [group.submit(abs, -number) for number in range(5)]
    assert {future.name for future in futures} == {"grouped"}
    assert group.results() == list(range(5))


def test_all_else_is_the_pools(gate: Gate) -> None:
    with Pool(3, queue_size=4) as pool:
        view = pool.options(priority="low")
        assert isinstance(view, PoolView)
        assert (view.capacity, view.running, view.idle, view.free) == (3, 0, 0, 3)
        view.go(gate)
        gate.wait_entered()
        assert view.wait(timeout=0) is False
        view.tune(5)
        assert (pool.capacity, view.running) == (5, 1)
        view.pause()
        assert pool.paused
        view.resume()
        gate.open()
        assert view.wait(timeout=LIMIT) is True
        assert view.stats().completed == 1
        assert view.options(name="x").subpool(2).capacity == 2
        for name in ("nothing", "_nothing", "_open"):
            with pytest.raises(AttributeError, match=name):
                getattr(view, name)
        view.shutdown()
        assert view.closed
        with pytest.raises(RuntimeError, match="after shutdown"):
            view.submit(abs, -1)


def test_a_view_keeps_its_pool_alive() -> None:
    view = Pool(1).options(name="x")
    assert view.submit(abs, -1).result(LIMIT) == 1
    view.shutdown()


def test_the_name_of_a_task_is_in_the_log_of_its_failure(caplog: pytest.LogCaptureFixture) -> None:
    with Pool(1) as pool:
        pool.options(name="nightly import").go(int, "no number")
        assert pool.wait(LIMIT)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("antspy", logging.ERROR)
    assert "in the task 'nightly import'" in caplog.text
    assert "no number" in caplog.text


def test_the_name_of_a_task_is_with_the_exception_that_the_handler_gets() -> None:
    seen: list[BaseException] = []
    with Pool(1, exception_handler=seen.append) as pool:
        named = pool.options(name="import")
        named.go(int, "go")
        named.submit(int, "submit")
        pool.go(int, "plain")
        assert pool.wait(LIMIT)
        eventually(lambda: len(seen) == 3)
    notes = sorted((str(error).split()[-1], getattr(error, "__notes__", [])) for error in seen)
    note = ["in the task 'import'"]
    assert notes == [("'go'", note), ("'plain'", []), ("'submit'", note)]


def test_what_is_looked_at_is_raised_without_a_note() -> None:
    with Pool(1) as pool:
        error = pool.options(name="import").submit(int, "no number").exception(LIMIT)
    assert isinstance(error, ValueError)
    assert not hasattr(error, "__notes__")

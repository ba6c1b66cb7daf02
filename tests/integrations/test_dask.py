"""Dask's threaded scheduler on our executor."""

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from operator import add
from typing import Any

import antspy
import pytest
from support import LIMIT, library

dask = library("dask")


@pytest.fixture
def executor() -> Iterator[antspy.ThreadPoolExecutor]:
    with antspy.ThreadPoolExecutor(4, thread_name_prefix="ant") as executor:
        yield executor


def name() -> str:
    return threading.current_thread().name


def tree(leaves: list[Any]) -> Any:
    """Return the sum of `leaves`, added in pairs."""
    while len(leaves) > 1:
        leaves = [dask.delayed(add)(*leaves[at : at + 2]) for at in range(0, len(leaves), 2)]
    return leaves[0]


def test_a_call_computes_on_the_executor_it_is_given(executor: antspy.ThreadPoolExecutor) -> None:
    assert tree([dask.delayed(pow)(number, 2) for number in range(256)]).compute(pool=executor) == sum(
        number * number for number in range(256)
    )
    assert executor.stats().completed >= 256
    assert dask.delayed(name)().compute(pool=executor).startswith("ant_")


def test_a_block_or_the_program_computes_on_the_executor_of_the_configuration(
    executor: antspy.ThreadPoolExecutor,
) -> None:
    with dask.config.set(pool=executor):
        names = dask.compute(*[dask.delayed(name)() for _ in range(9)])
    assert all(name.startswith("ant_") for name in names)


def test_as_many_tasks_run_at_once_as_the_executor_has_workers(executor: antspy.ThreadPoolExecutor) -> None:
    for workers in (4, 7):
        executor.tune(workers)
        together = threading.Barrier(workers)
        waits = [dask.delayed(together.wait)(LIMIT) for _ in range(2 * workers)]
        assert sorted(dask.compute(*waits, pool=executor)) == sorted([*range(workers)] * 2)
        assert executor.running == workers


def test_arrays_are_computed_on_it(executor: antspy.ThreadPoolExecutor) -> None:
    array = library("dask.array").arange(100_000, chunks=1_000)
    assert (array * 2).sum().compute(pool=executor) == 100_000 * 99_999
    assert executor.stats().completed >= 100


def test_an_error_is_raised_and_the_executor_goes_on(executor: antspy.ThreadPoolExecutor) -> None:
    def fail() -> None:
        raise LookupError("no ant")

    failing = tree([dask.delayed(fail)(), *(dask.delayed(abs)(number) for number in range(7))])
    with pytest.raises(LookupError, match="no ant"):
        failing.compute(pool=executor)
    assert dask.delayed(abs)(-1).compute(pool=executor) == 1


def test_tasks_see_the_context_of_the_call(executor: antspy.ThreadPoolExecutor) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="nobody")
    dask.delayed(abs)(-1).compute(pool=executor)  # a worker lives before the variable is set
    variable.set("caller")
    assert dask.compute(*[dask.delayed(variable.get)() for _ in range(5)], pool=executor) == ("caller",) * 5


def test_several_threads_compute_on_one_executor(executor: antspy.ThreadPoolExecutor) -> None:
    total = tree([dask.delayed(abs)(-number) for number in range(64)])
    with antspy.Pool(5) as callers:
        assert list(callers.map(lambda _: total.compute(pool=executor), range(10))) == [2016] * 10

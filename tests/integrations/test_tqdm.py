"""tqdm's `thread_map` on our executor, and its bars over a pool's `map`."""

import concurrent.futures
import io
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import antspy
import pytest
from support import LIMIT, Gate, Thread, eventually, library

tqdm = library("tqdm").tqdm
concurrent_map = library("tqdm.contrib.concurrent")


@pytest.fixture(autouse=True)
def no_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    """tqdm's thread that refreshes bars nobody updates would outlive the test."""
    monkeypatch.setattr(tqdm, "monitor_interval", 0)


def explicit(monkeypatch: pytest.MonkeyPatch) -> Any:
    return partial(concurrent_map._executor_map, antspy.ThreadPoolExecutor)


def replaced(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(concurrent.futures, "ThreadPoolExecutor", antspy.ThreadPoolExecutor)
    return concurrent_map.thread_map


@pytest.fixture(params=[explicit, replaced])
def thread_map(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`thread_map` on our executor, in both ways."""
    make: Callable[[pytest.MonkeyPatch], Any] = request.param
    return partial(make(monkeypatch), file=io.StringIO())


def test_results_come_in_order_from_named_workers(thread_map: Any) -> None:
    def task(number: int) -> tuple[int, str]:
        return number, threading.current_thread().name

    results = thread_map(task, range(200), max_workers=3, thread_name_prefix="ant")
    assert [number for number, _ in results] == list(range(200))
    assert {name for _, name in results} <= {"ant_0", "ant_1", "ant_2"}


def test_as_many_tasks_run_at_once_as_max_workers_says(thread_map: Any) -> None:
    together = threading.Barrier(6)
    assert sorted(thread_map(together.wait, [LIMIT] * 12, max_workers=6)) == sorted([*range(6)] * 2)


def test_the_bar_moves_while_tasks_run(thread_map: Any, gate: Gate) -> None:
    bars = []

    class Bar(tqdm):  # type: ignore[misc, valid-type]  # tqdm has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            bars.append(self)

    def task(number: int) -> None:
        if number == 7:
            gate()

    mapping = Thread(thread_map, task, range(10), max_workers=2, tqdm_class=Bar)
    gate.wait_entered()
    eventually(lambda: bars[0].n == 9)
    gate.open()
    mapping.result()
    assert (bars[0].n, bars[0].total) == (10, 10)


def test_workers_share_the_lock_of_the_bar(thread_map: Any) -> None:
    class Bar(tqdm):  # type: ignore[misc, valid-type]  # tqdm has no types
        pass

    locks = thread_map(lambda _: Bar._lock, range(4), tqdm_class=Bar, max_workers=2)
    assert len({id(lock) for lock in locks}) == 1


def test_an_error_ends_it(thread_map: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        thread_map(lambda number: 1 / (number - 3), range(10), max_workers=2)


def test_a_timeout_ends_it(thread_map: Any, gate: Gate) -> None:
    # As with the standard executor, the tasks that run are waited for before the error comes.
    mapping = Thread(thread_map, gate, range(4), max_workers=2, timeout=0.05)
    gate.wait_entered(2)
    threading.Event().wait(0.1)
    gate.open()
    with pytest.raises(TimeoutError):
        mapping.result()


def test_a_bar_over_the_map_of_a_pool_moves_with_its_results(gate: Gate) -> None:
    with antspy.Pool(2) as pool:
        bar = tqdm(pool.map(lambda number: gate(number) if number else number, range(3)), file=io.StringIO())
        results = iter(bar)
        assert next(results) == 0
        gate.open()
        assert list(results) == [1, 2]
        assert bar.n == 3

"""`antspy.ThreadPoolExecutor` is the standard library's: by its names, its messages, and what it does."""

import concurrent.futures
import inspect
import os
import queue
import re
import sys
import threading
from concurrent.futures import Future as StandardFuture
from concurrent.futures import ThreadPoolExecutor as Standard
from typing import Any

import antspy
import pytest
from antspy import Pool, PoolOverloadError, ThreadPoolExecutor
from support import LIMIT, Gate, eventually


def saturate(executor: ThreadPoolExecutor, gate: Gate) -> None:
    for _ in range(15 * executor._max_workers):
        executor.submit(gate)


# What it is, and how it is made.


def test_it_is_the_standard_class_and_a_pool() -> None:
    with ThreadPoolExecutor() as executor:
        assert issubclass(ThreadPoolExecutor, Standard)
        assert isinstance(executor, (Standard, Pool))
        assert isinstance(executor.submit(int), StandardFuture)


def test_its_constructor_takes_what_the_standard_one_takes() -> None:
    names = list(inspect.signature(Standard).parameters)[:4]  # 3.14 and later have **ctxkwargs
    ours = list(inspect.signature(ThreadPoolExecutor).parameters.values())
    assert [one.name for one in ours[:4]] == names
    assert all(one.kind is inspect.Parameter.KEYWORD_ONLY for one in ours[4:])
    with ThreadPoolExecutor(2, "ant", print, ("ready",)) as executor:
        assert (executor._max_workers, executor._thread_name_prefix) == (2, "ant")
        assert (executor._initializer, executor._initargs) == (print, ("ready",))


def test_nothing_of_the_standard_class_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def used(*args: object, **kwargs: object) -> None:
        raise AssertionError("the standard class's own")

    for name in ("__init__", "submit", "shutdown", "_adjust_thread_count", "_initializer_failed"):
        monkeypatch.setattr(Standard, name, used)
    monkeypatch.setattr(concurrent.futures.Executor, "map", used)
    with ThreadPoolExecutor(2) as executor:
        assert list(executor.map(abs, [-1, -2])) == [1, 2]
        assert executor.submit(abs, -3).result() == 3


def test_by_default_it_has_as_many_workers_as_the_standard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    count = "process_cpu_count" if sys.version_info >= (3, 13) else "cpu_count"
    for cpus in (1, 2, 8, 1000, None):
        monkeypatch.setattr(os, count, lambda cpus=cpus: cpus)
        with ThreadPoolExecutor() as executor, Standard() as standard:
            assert executor._max_workers == standard._max_workers


@pytest.mark.parametrize("max_workers", [0, -1, -0.5])
def test_without_a_worker_there_is_no_executor(max_workers: float) -> None:
    with pytest.raises(ValueError, match=r"^max_workers must be greater than 0$"):
        ThreadPoolExecutor(max_workers)


@pytest.mark.parametrize(
    ("max_workers", "expected"), [(1, 1), (2.5, 3), (True, 1), (float("inf"), sys.maxsize)]
)
def test_max_workers_may_be_any_number(max_workers: float, expected: int) -> None:
    with ThreadPoolExecutor(max_workers) as executor:
        assert executor._max_workers == expected


@pytest.mark.parametrize("max_workers", ["4", [4], object()])
def test_max_workers_must_be_a_number(max_workers: Any) -> None:
    with pytest.raises(TypeError):
        ThreadPoolExecutor(max_workers)


def test_the_initializer_must_be_callable() -> None:
    with pytest.raises(TypeError, match=r"^initializer must be a callable$"):
        ThreadPoolExecutor(initializer=7)  # type: ignore[arg-type]


def test_initargs_may_be_any_iterable() -> None:
    seen: list[int] = []
    with ThreadPoolExecutor(1, initializer=seen.append, initargs=[7]) as executor:  # type: ignore[arg-type]
        executor.submit(int).result()
    assert seen == [7]


def test_workers_are_called_as_in_the_standard_library() -> None:
    def name() -> str:
        return threading.current_thread().name

    class Special(ThreadPoolExecutor):
        pass

    for kind in (ThreadPoolExecutor, Special):
        with kind(1) as executor:
            assert re.fullmatch(r"ThreadPoolExecutor-\d+_0", executor.submit(name).result())
    for prefix in ("ant", 7):
        with ThreadPoolExecutor(1, prefix) as executor:  # type: ignore[arg-type]
            assert executor.submit(name).result() == f"{prefix}_0"


def test_each_executor_without_a_prefix_has_its_own() -> None:
    with ThreadPoolExecutor() as one, ThreadPoolExecutor() as other:
        assert one._thread_name_prefix != other._thread_name_prefix


# The queue and the workers.


def test_submit_never_waits(gate: Gate) -> None:
    with ThreadPoolExecutor(1) as executor:
        futures = [executor.submit(gate, number) for number in range(10_000)]
        gate.wait_entered()
        assert executor._work_queue.qsize() == executor.queued == 9_999
        assert not executor._work_queue.empty()
        gate.open()
        assert [future.result() for future in futures] == list(range(10_000))
        assert executor._work_queue.empty()


def test_a_limit_of_the_queue_is_kept(gate: Gate) -> None:
    with ThreadPoolExecutor(1, queue_size=1, overflow="raise") as executor:
        executor.submit(gate)
        executor.submit(int)
        with pytest.raises(PoolOverloadError):
            executor.submit(int)
        gate.open()


def test_another_queue_is_refused_and_the_way_to_a_limit_named(gate: Gate) -> None:
    with ThreadPoolExecutor(1) as executor:
        with pytest.raises(AttributeError, match=r"_work_queue.*queue\.Queue.*queue_size="):
            executor._work_queue = queue.Queue(5)
        executor.submit(gate)
        executor.submit(int)
        eventually(lambda: executor._work_queue.qsize() == 1)
        gate.open()


def test_as_many_threads_as_workers_when_saturated(gate: Gate) -> None:
    with ThreadPoolExecutor(4) as executor:
        saturate(executor, gate)
        assert len(executor._threads) == 4
        gate.open()


def test_as_many_threads_as_tasks_that_wait(gate: Gate) -> None:
    with ThreadPoolExecutor(10) as executor:
        assert executor._threads == set()
        for count in range(1, 6):
            executor.submit(gate)
            assert len(executor._threads) == count
        gate.open()


def test_an_idle_worker_is_used_again() -> None:
    with ThreadPoolExecutor() as executor:
        for _ in range(20):
            executor.submit(int).result()
        assert len(executor._threads) == 1


def test_the_threads_can_be_counted_by_a_task() -> None:
    with ThreadPoolExecutor(3) as executor:
        assert executor.submit(lambda: len(executor._threads)).result() == 1


def test_the_threads_are_threads(gate: Gate) -> None:
    with ThreadPoolExecutor(2, "ant") as executor:
        executor.submit(gate)
        gate.wait_entered()
        (thread,) = executor._threads
        assert isinstance(thread, threading.Thread)
        assert thread in threading.enumerate()
        assert (thread.name, thread.is_alive(), thread.daemon) == ("ant_0", True, False)
        thread.join(0)
        assert thread.is_alive()
        gate.open()
    thread.join()
    assert not thread.is_alive()
    assert executor._threads == {thread}
    assert thread not in threading.enumerate()


def test_workers_stay_by_default_and_expire_if_they_are_told_to() -> None:
    for expiry, left in ((None, 1), (60.0, 0)):
        with ThreadPoolExecutor(2, expiry=expiry) as executor:
            executor.submit(int).result()
            eventually(lambda executor=executor: executor.idle == 1)  # type: ignore[misc]
            executor._advance_clock(10_000)
            if not left:
                eventually(lambda executor=executor: executor.running == 0)  # type: ignore[misc]
            eventually(lambda executor=executor, left=left: len(executor._threads) == left)  # type: ignore[misc]


def test_threads_that_have_ended_are_kept_only_after_shutdown() -> None:
    executor = ThreadPoolExecutor(2)
    for _ in range(5):
        executor.submit(int).result()
        executor.shutdown()
        assert len(executor._threads) == 1
        executor.reboot()
        assert executor._threads == set()
    executor.shutdown()


def test_max_workers_can_be_set_as_some_programs_do(gate: Gate) -> None:
    with ThreadPoolExecutor(1) as executor:
        executor._max_workers = 3
        assert executor.capacity == 3
        saturate(executor, gate)
        assert len(executor._threads) == 3
        gate.open()


def test_all_that_a_pool_has_is_there() -> None:
    done: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        executor.go(done.append, 1)
        assert executor.wait(LIMIT)
        with executor.group() as group:
            group.submit(done.append, 2)
        assert executor.options(name="three").submit(abs, -3).name == "three"
        assert executor.subpool(1).submit(abs, -4).result() == 4
        executor.tune(5)
        assert (executor.capacity, executor.stats().completed) == (5, 4)
    assert done == [1, 2]


def test_it_is_exported() -> None:
    assert antspy.ThreadPoolExecutor is ThreadPoolExecutor
    assert "ThreadPoolExecutor" in antspy.__all__

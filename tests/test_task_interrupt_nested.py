"""Interrupts of tasks in whose midst others run, and of tasks that their submitters run."""

import threading
import time
from collections.abc import Callable
from operator import methodcaller
from typing import Any

import pytest
from antspy import Future, Pool, WaitGroup
from support import LIMIT, Gate, assert_settled, eventually

QUEUES = pytest.mark.parametrize("queue_size", [0, 5])


class Stop(Exception):
    pass


def count(number: int) -> int:
    total = 0
    for _ in range(number):
        total += 1
    return total


class Outer:
    """A task that runs `body` in its own midst, and tells what it has seen of it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.entered = threading.Event()
        self.interrupted = threading.Event()
        self.saw: list[object] = []

    def inner(self) -> int:
        self.entered.set()
        assert self.interrupted.wait(LIMIT)
        return count(10_000)

    def run(self, nest: Callable[[], object]) -> object:
        """Have a task call `nest`, and interrupt it in the midst of that."""
        future = self.pool.submit(self._outer, nest)
        assert self.entered.wait(LIMIT)
        assert future.interrupt(Stop)
        self.interrupted.set()
        return future.result(LIMIT)

    def _outer(self, nest: Callable[[], object]) -> object:
        try:
            self.saw.append(nest())
            count(1000)
        except Stop:
            return "interrupted"
        return "not interrupted"


@QUEUES
def test_the_task_in_the_midst_is_not_hit_and_the_outer_one_is_when_it_goes_on(queue_size: int) -> None:
    with Pool(1, queue_size=queue_size) as pool:
        outer = Outer(pool)
        inner: list[Future[int]] = []

        def nest() -> None:
            inner.append(pool.submit(outer.inner))
            inner[0].result(LIMIT)

        assert outer.run(nest) == "interrupted"
        if not inner:  # hit on the way from `submit` to the list
            assert queue_size == 0
        else:
            assert inner[0].result(LIMIT) == 10_000
        assert_settled(pool)
        assert pool.stats().failed == 0


def test_a_go_task_in_the_midst_is_not_hit() -> None:
    errors: list[BaseException] = []
    ended: list[int] = []
    with Pool(1, exception_handler=errors.append) as pool:
        outer = Outer(pool)
        assert outer.run(lambda: pool.go(lambda: ended.append(outer.inner()))) == "interrupted"
        assert_settled(pool)
    assert (errors, ended) == ([], [10_000])


def test_a_job_of_a_wait_group_in_the_midst_is_not_hit() -> None:
    errors: list[BaseException] = []
    ended: list[int] = []
    with Pool(1, queue_size=2, exception_handler=errors.append) as pool:
        outer = Outer(pool)
        group = WaitGroup(pool)

        def nest() -> None:
            group.go(lambda: ended.append(outer.inner()))
            group.wait(LIMIT)

        assert outer.run(nest) == "interrupted"
        assert_settled(pool)
    assert (errors, ended) == ([], [10_000])


def test_callbacks_of_the_task_in_the_midst_are_not_hit(caplog: pytest.LogCaptureFixture) -> None:
    called: list[int] = []
    with Pool(1, queue_size=2) as pool:
        outer = Outer(pool)

        def nest() -> None:
            nested = pool.submit(outer.inner)
            nested.add_done_callback(lambda _: called.append(count(10_000)))
            nested.result(LIMIT)

        assert outer.run(nest) == "interrupted"
        assert called == [10_000]
        assert_settled(pool)
    assert not caplog.records


def test_a_task_of_another_pool_that_its_submitter_runs_is_not_hit(gate: Gate) -> None:
    with Pool(1) as pool, Pool(1, overflow="caller_runs") as other:
        other.go(gate)
        gate.wait_entered()
        outer = Outer(pool)
        inner: list[Future[int]] = []
        # Interrupted in the midst of `submit`, which has run the task by then; what it returns is lost.
        assert outer.run(lambda: inner.append(other.submit(outer.inner))) == "interrupted"
        gate.open()
        assert_settled(other)
        assert (other.stats().completed, other.stats().failed) == (2, 0)
        assert_settled(pool)


@pytest.mark.parametrize("meant", range(5))
def test_of_tasks_in_each_others_midst_the_one_that_is_meant_is_hit(meant: int) -> None:
    futures: list[Future[Any]] = []
    entered, interrupted = threading.Event(), threading.Event()

    def task(level: int) -> list[int]:
        if level == 5:
            entered.set()
            assert interrupted.wait(LIMIT)
            return []
        nested = pool.submit(task, level + 1)
        futures.append(nested)
        try:
            nested.result(LIMIT)
            count(1000)
        except Stop:
            return [*nested.result(LIMIT), level]
        return nested.result(LIMIT)

    with Pool(1, queue_size=None) as pool:
        outer = pool.submit(task, 0)
        assert entered.wait(LIMIT)
        assert [outer, *futures][meant].interrupt(Stop)
        interrupted.set()
        assert outer.result(LIMIT) == [meant]
        assert_settled(pool)


def test_the_task_in_the_midst_is_hit_if_it_is_the_one_that_is_meant() -> None:
    inner: list[Future[int]] = []
    entered = threading.Event()

    def spin() -> int:
        entered.set()
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            pass
        return 0

    def outer() -> str:
        inner.append(pool.submit(spin))
        with pytest.raises(Stop):
            inner[0].result(LIMIT)
        return f"goes on and counts to {count(1000)}"

    with Pool(1, queue_size=1) as pool:
        future = pool.submit(outer)
        assert entered.wait(LIMIT)
        assert inner[0].interrupt(Stop)
        assert future.result(LIMIT) == "goes on and counts to 1000"
        assert_settled(pool)


def test_an_interrupt_that_is_pending_when_another_task_begins_waits_for_its_end() -> None:
    ran: list[int] = []
    entered = threading.Event()
    with Pool(1, queue_size=1) as pool:

        def outer() -> str:
            inner = pool.submit(lambda: ran.append(count(10_000)))
            # All of it is C: no bytecode of the outer task comes between `sleep` and `result`.
            calls = map(methodcaller("__call__", 0.1), [time.sleep, inner.result])
            entered.set()
            try:
                list(calls)
                count(1000)
            except Stop:
                return "interrupted"
            return "not interrupted"

        future = pool.submit(outer)
        assert entered.wait(LIMIT)
        time.sleep(0.02)
        assert future.interrupt(Stop)
        assert future.result(LIMIT) == "interrupted"
        assert_settled(pool)
        assert pool.stats().failed == 0
    assert ran == [10_000]


def test_interrupts_at_random_moments_of_nesting_hit_only_the_outer_task() -> None:
    bystanders: list[BaseException] = []

    def inner(number: int) -> int:
        try:
            return count(number)
        except BaseException as error:
            bystanders.append(error)
            raise

    def outer() -> str:
        try:
            while True:
                future = pool.submit(inner, 30)
                future.add_done_callback(lambda _: inner(20))
                pool.go(inner, 10)
                future.result(LIMIT)
        except Stop:
            return "interrupted"

    with Pool(1, queue_size=2, exception_handler=bystanders.append) as pool:
        for number in range(200):
            future = pool.submit(outer)
            eventually(future.running)
            count(number % 50 * 20)
            assert future.interrupt(Stop)
            assert future.result(LIMIT) == "interrupted"
        assert_settled(pool)
        assert pool.stats().failed == 0
    assert bystanders == []

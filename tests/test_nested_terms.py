"""What becomes of tasks that run in the midst of others: results, contexts, cancellation, terms."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextvars import ContextVar

import pytest
from antspy import Pool, PoolOverloadError
from antspy.view import Priority
from support import LIMIT, Gate, assert_settled

QUEUES = pytest.mark.parametrize("queue_size", [0, 5, None])
who: ContextVar[str] = ContextVar("who", default="nobody")


@pytest.mark.parametrize("ask", ["result", "exception"])
def test_who_does_not_wait_does_not_run_the_task(ask: str) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=5) as pool:

        def outer() -> list[int]:
            future = pool.submit(ran.append, 1)
            with pytest.raises(TimeoutError):
                getattr(future, ask)(timeout=0)
            with pytest.raises(TimeoutError):
                getattr(future, ask)(timeout=-1)
            assert not future.done()
            assert not future.running()
            return ran.copy()

        assert pool.submit(outer).result(LIMIT) == []
        assert_settled(pool)
    assert ran == [1]


def test_only_the_pools_own_workers_run_a_task_they_wait_for(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool, Pool(1) as other:
        pool.go(gate)
        gate.wait_entered()
        future = pool.submit(threading.get_ident)
        with pytest.raises(TimeoutError):
            future.result(timeout=0.01)
        with pytest.raises(TimeoutError):
            other.submit(future.result, 0.01).result(LIMIT)
        assert pool.queued == 1
        gate.open()
        assert future.result(LIMIT) != other.submit(threading.get_ident).result(LIMIT)


@QUEUES
def test_what_a_nested_task_raises_is_in_its_future(queue_size: int | None) -> None:
    seen: list[BaseException] = []
    with Pool(1, queue_size=queue_size, exception_handler=seen.append) as pool:

        def outer() -> str:
            future = pool.submit(int, "no number")
            with pytest.raises(ValueError, match="no number"):
                future.result(LIMIT)
            assert isinstance(future.exception(), ValueError)
            leaving = pool.submit(exit, "leaving")
            assert isinstance(leaving.exception(LIMIT), SystemExit)
            return "goes on"

        assert pool.submit(outer).result(LIMIT) == "goes on"
        assert_settled(pool)
        stats = pool.stats()
        assert (stats.completed, stats.failed) == (1, 2)
    assert seen == []


@QUEUES
def test_an_exception_that_passes_through_is_in_both_futures(queue_size: int | None) -> None:
    with Pool(1, queue_size=queue_size) as pool:
        outer = pool.submit(lambda: pool.submit(int, "no number").result(LIMIT))
        with pytest.raises(ValueError, match="no number"):
            outer.result(LIMIT)
        assert_settled(pool)
        assert pool.stats().failed == 2


@QUEUES
def test_callbacks_of_a_nested_task_are_called(queue_size: int | None) -> None:
    called: list[int] = []
    with Pool(1, queue_size=queue_size) as pool:

        def outer() -> list[int]:
            future = pool.submit(abs, -3)
            future.add_done_callback(lambda future: called.append(future.result()))
            future.result(LIMIT)
            return called.copy()

        assert pool.submit(outer).result(LIMIT) == [3]


def test_a_nested_task_has_its_submitters_context(gate: Gate) -> None:
    def inner() -> str:
        before = who.get()
        who.set("inner")
        return before

    with Pool(1, queue_size=5) as pool:
        futures: list[object] = []

        def outer() -> list[str]:
            who.set("outer")
            gate()
            mine = pool.submit(inner)
            who.set("outer, later")
            return [mine.result(LIMIT), foreign.result(LIMIT), who.get()]

        future = pool.submit(outer)
        gate.wait_entered()
        token = who.set("main")
        foreign = pool.submit(inner)
        who.reset(token)
        gate.open()
        assert future.result(LIMIT) == ["outer", "main", "outer, later"]
        assert futures == []
    assert who.get() == "nobody"


def test_a_task_run_at_once_has_the_callers_context_and_cannot_change_it() -> None:
    def inner() -> str:
        before = who.get()
        who.set("inner")
        return before

    def outer() -> list[str]:
        who.set("outer")
        return [pool.submit(inner).result(LIMIT), who.get()]

    with Pool(1) as pool:
        assert pool.submit(outer).result(LIMIT) == ["outer", "outer"]


def test_a_cancelled_task_is_not_run_by_who_waits_for_it() -> None:
    ran: list[int] = []
    with Pool(1, queue_size=2) as pool:

        def outer() -> str:
            for number in range(1000):  # its place is free each time
                future = pool.submit(ran.append, number)
                assert future.cancel()
                with pytest.raises(CancelledError):
                    future.result(LIMIT)
            return "goes on"

        assert pool.submit(outer).result(LIMIT) == "goes on"
        assert_settled(pool)
        assert pool.stats().cancelled == 1000
    assert ran == []


def test_a_task_that_has_been_run_cannot_be_cancelled() -> None:
    with Pool(1, queue_size=2) as pool:

        def outer() -> bool:
            future = pool.submit(abs, -1)
            future.result(LIMIT)
            return future.cancel()

        assert pool.submit(outer).result(LIMIT) is False
        assert_settled(pool)


def test_a_waited_for_tasks_place_is_free_afterwards() -> None:
    with Pool(1, queue_size=1, overflow="raise") as pool:

        def outer() -> int:
            return sum(pool.submit(abs, -1).result(LIMIT) for _ in range(200))

        assert pool.submit(outer).result(LIMIT) == 200
        assert_settled(pool)


@QUEUES
@pytest.mark.parametrize("priority", ["high", "low"])
def test_nested_tasks_with_terms(queue_size: int | None, priority: Priority) -> None:
    with Pool(1, queue_size=queue_size) as pool:
        view = pool.options(priority=priority, deadline=1000, timeout=1000, name="nested")

        def outer() -> list[object]:
            futures = [view.submit(abs, -number) for number in range(3)]
            names = {future.name for future in futures}
            return [*(future.result(LIMIT) for future in futures), *names]

        assert pool.submit(outer).result(LIMIT) == [0, 1, 2, "nested"]
        assert_settled(pool)
        pool._advance_clock(2000)  # the deadlines of tasks that were run pass
        assert pool.submit(abs, -1).result(LIMIT) == 1
        assert_settled(pool)
        assert pool.stats().cancelled == 0


def test_a_nested_task_whose_deadline_has_passed_is_cancelled() -> None:
    with Pool(1, queue_size=5) as pool:

        def outer() -> bool:
            future = pool.options(deadline=1000).submit(abs, -1)
            pool._advance_clock(2000)
            with pytest.raises(CancelledError):
                future.result(LIMIT)
            return future.cancelled()

        # The deadline may be noticed by the waiter or by the watcher; the task is not run by either.
        assert pool.submit(outer).result(LIMIT)
        assert_settled(pool)
        assert pool.stats().cancelled == 1


def test_a_full_pool_that_raises_does_so_for_its_own_tasks_too() -> None:
    with Pool(1, overflow="raise") as pool:

        def outer() -> None:
            for call in (pool.submit, pool.go):
                with pytest.raises(PoolOverloadError):
                    call(abs, -1)

        pool.submit(outer).result(LIMIT)
        assert_settled(pool)
        assert pool.stats().rejected == 2


def test_a_full_pool_that_discards_does_so_for_its_own_tasks_too() -> None:
    with Pool(1, overflow="discard") as pool:

        def outer() -> bool:
            return pool.submit(abs, -1).cancelled()

        assert pool.submit(outer).result(LIMIT) is True
        assert_settled(pool)
        assert pool.stats().discarded == 1


def shut(pool: Pool) -> None:
    pool.shutdown(wait=False)


def release(pool: Pool) -> None:
    pool.release()


@pytest.mark.parametrize("close", [shut, release])
def test_what_was_accepted_before_the_pool_closed_can_be_waited_for(
    close: Callable[[Pool], None],
) -> None:
    pool = Pool(1, queue_size=5)

    def outer() -> int:
        future = pool.submit(abs, -1)
        close(pool)
        with pytest.raises(RuntimeError, match="after shutdown"):
            pool.submit(abs, -2)
        return future.result(LIMIT)

    assert pool.submit(outer).result(LIMIT) == 1
    pool.shutdown()
    assert pool.stats().completed == 2

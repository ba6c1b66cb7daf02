"""A future is a `concurrent.futures.Future` in every respect."""

import concurrent.futures
import threading
import time
import traceback
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    CancelledError,
    InvalidStateError,
)
from functools import partial
from typing import Any

import pytest
from antspy import Future, Pool
from support import Gate, Thread


def fail(message: str = "the task's own") -> None:
    raise LookupError(message)


def test_a_future_is_a_concurrent_futures_future() -> None:
    with Pool(1) as pool:
        future = pool.submit(abs, -1)
        assert isinstance(future, concurrent.futures.Future)
        assert type(future) is Future
        assert future.result() == 1


def test_states_follow_each_other(gate: Gate) -> None:
    def states(future: Future[Any]) -> tuple[bool, bool, bool]:
        return future.running(), future.done(), future.cancelled()

    with Pool(1, queue_size=2) as pool:
        future, queued, cancelled = (pool.submit(gate) for _ in range(3))
        gate.wait_entered()
        assert cancelled.cancel()
        assert states(future) == (True, False, False)
        assert states(queued) == (False, False, False)
        assert states(cancelled) == (False, True, True)
        gate.open()
        queued.result()
        assert states(future) == states(queued) == (False, True, False)


def test_repr_tells_the_state(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        running, queued = pool.submit(gate, 1), pool.submit(fail)
        gate.wait_entered()
        assert "state=running" in repr(running)
        assert "state=pending" in repr(queued)
        gate.open()
        queued.exception()
        assert "state=finished returned int" in repr(running)
        assert "state=finished raised LookupError" in repr(queued)


@pytest.mark.parametrize("value", [None, 0, "text", ValueError("a result"), [1, 2]])
def test_the_result_is_what_the_task_returned(value: object) -> None:
    with Pool(1) as pool:
        future = pool.submit(lambda: value)
        assert future.result() is value
        assert future.result() is value
        assert future.exception() is None


def test_the_exception_is_what_the_task_raised_with_its_traceback() -> None:
    with Pool(1) as pool:
        future = pool.submit(fail)
        error = future.exception()
        assert isinstance(error, LookupError)
        assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["fail"]
        with pytest.raises(LookupError, match="the task's own") as info:
            future.result()
        assert info.value is error


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration])
def test_any_exception_is_delivered_and_the_worker_lives(kind: type[BaseException]) -> None:
    def task() -> None:
        raise kind("mine")

    with Pool(1) as pool:
        ident = pool.submit(threading.get_ident).result()
        assert type(pool.submit(task).exception()) is kind
        assert pool.submit(threading.get_ident).result() == ident


@pytest.mark.parametrize("timeout", [0, 0.02, -1])
@pytest.mark.parametrize("method", ["result", "exception"])
def test_a_result_that_is_late_raises_timeout_error(method: str, timeout: float, gate: Gate) -> None:
    with Pool(1) as pool:
        future = pool.submit(gate, 3)
        with pytest.raises(concurrent.futures.TimeoutError):
            getattr(future, method)(timeout)
        gate.open()
        assert future.result(timeout=10) == 3


def test_many_threads_may_wait_for_one_result(gate: Gate) -> None:
    with Pool(1) as pool:
        future = pool.submit(gate, 3)
        waiters = [Thread(future.result) for _ in range(20)]
        time.sleep(0.02)
        gate.open()
        assert [waiter.result() for waiter in waiters] == [3] * 20


def test_a_queued_task_can_be_cancelled_and_does_not_run(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        future = pool.submit(ran.append, 1)
        assert future.cancel()
        assert future.cancel()
        for method in (future.result, future.exception):
            with pytest.raises(CancelledError):
                method()
        gate.open()
    assert ran == []


def test_a_running_or_finished_task_cannot_be_cancelled(gate: Gate) -> None:
    with Pool(1) as pool:
        future = pool.submit(gate, 1)
        gate.wait_entered()
        assert not future.cancel()
        gate.open()
        assert future.result() == 1
        assert not future.cancel()


def test_cancel_wakes_who_waits_for_the_result(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        future = pool.submit(int)
        waiters = [Thread(future.result), Thread(future.exception)]
        time.sleep(0.02)
        assert future.cancel()
        for waiter in waiters:
            with pytest.raises(CancelledError):
                waiter.result()
        gate.open()


def test_a_cancel_that_races_the_worker_has_one_outcome() -> None:
    outcomes = set()
    ran: list[int] = []
    with Pool(2, queue_size=None) as pool:
        for number in range(5000):
            future = pool.submit(ran.append, number)
            cancelled = future.cancel()
            assert cancelled == future.cancelled()
            if not cancelled:
                future.result(timeout=10)
            assert cancelled != (number in ran[-1:])
            outcomes.add(cancelled)
            if number % 2:
                time.sleep(0)
    assert True in outcomes


def test_callbacks_run_in_order_once_the_task_has_ended(gate: Gate) -> None:
    calls: list[tuple[int, Any]] = []

    def callback(number: int, future: concurrent.futures.Future[Any]) -> None:
        calls.append((number, future.result()))

    with Pool(1) as pool:
        future = pool.submit(gate, 5)
        for number in range(3):
            future.add_done_callback(partial(callback, number))
        assert calls == []
        gate.open()
        assert pool.wait(timeout=10)
        assert calls == [(0, 5), (1, 5), (2, 5)]
        future.add_done_callback(lambda future: calls.append((3, threading.get_ident())))
        assert calls[-1] == (3, threading.get_ident())


def test_a_callback_that_raises_is_logged_and_harms_nobody(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    called = threading.Event()
    with Pool(1) as pool:
        future = pool.submit(gate)
        future.add_done_callback(lambda _: fail("in a callback"))
        future.add_done_callback(lambda _: called.set())
        gate.open()
        assert called.wait(10)
        assert pool.submit(abs, -1).result() == 1
        future.add_done_callback(lambda _: fail("at once"))
    texts = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert texts == ["in a callback", "at once"]
    assert {record.name for record in caplog.records} == {"concurrent.futures"}


def test_callbacks_of_a_cancelled_future_are_called_once(gate: Gate) -> None:
    calls: list[Any] = []
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        future = pool.submit(int)
        future.add_done_callback(calls.append)
        future.cancel()
        future.cancel()
        assert calls == [future]
        gate.open()
    assert calls == [future]


def test_wait_of_the_standard_library_takes_futures(gate: Gate) -> None:
    with Pool(3) as pool:
        blocked, done = pool.submit(gate), pool.submit(abs, -1)
        result = concurrent.futures.wait([blocked, done], timeout=10, return_when=FIRST_COMPLETED)
        assert result == ({done}, {blocked})
        failed = pool.submit(fail)
        result = concurrent.futures.wait([blocked, failed], timeout=10, return_when=FIRST_EXCEPTION)
        assert failed in result.done
        assert concurrent.futures.wait([blocked], timeout=0.02).not_done == {blocked}
        waiter = Thread(lambda: concurrent.futures.wait([blocked, done, failed], return_when=ALL_COMPLETED))
        time.sleep(0.02)
        gate.open()
        assert waiter.result() == ({blocked, done, failed}, set())


def test_wait_is_told_of_a_cancelled_future(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        future = pool.submit(int)
        waiter = Thread(lambda: concurrent.futures.wait([future], timeout=10))
        time.sleep(0.02)
        future.cancel()
        assert waiter.result() == ({future}, set())
        gate.open()


def test_as_completed_yields_each_future_once_as_it_ends() -> None:
    gates = [Gate() for _ in range(4)]
    with Pool(4) as pool:
        futures = [pool.submit(gate, number) for number, gate in enumerate(gates)]
        gates[2].open()
        order = []
        for future in concurrent.futures.as_completed(futures, timeout=20):
            order.append(future.result())
            if len(order) < 4:
                gates[[2, 0, 3, 1][len(order)]].open()
    assert order == [2, 0, 3, 1]


def test_as_completed_mixes_with_the_standard_librarys_futures() -> None:
    with Pool(2) as pool, concurrent.futures.ThreadPoolExecutor(2) as executor:
        futures: list[concurrent.futures.Future[int]] = []
        for number in range(200):
            futures += [pool.submit(abs, -number), executor.submit(abs, -number)]
        done = list(concurrent.futures.as_completed(futures, timeout=20))
        assert sorted(map(id, done)) == sorted(map(id, futures))


@pytest.mark.timeout(30)
def test_no_wake_up_is_lost_between_a_result_and_who_waits_for_it() -> None:
    with Pool(4, queue_size=None) as pool:
        for _ in range(300):
            futures = [pool.submit(int) for _ in range(8)]
            waiter = Thread(concurrent.futures.wait, futures, timeout=10)
            assert all(future.result(timeout=10) == 0 for future in futures)
            done, not_done = waiter.result()
            assert (len(done), not_done) == (8, set())


def test_a_future_of_ones_own_works_as_the_standard_librarys() -> None:
    future: Future[int] = Future()
    calls: list[Any] = []
    future.add_done_callback(calls.append)
    assert not future.done()
    assert future.set_running_or_notify_cancel()
    assert future.running()
    assert not future.cancel()
    future.set_result(3)
    assert (future.result(), calls) == (3, [future])
    with pytest.raises(InvalidStateError):
        future.set_result(4)
    with pytest.raises(InvalidStateError):
        future.set_exception(LookupError())
    assert future.result() == 3

    failed: Future[int] = Future()
    failed.set_exception(LookupError("mine"))
    with pytest.raises(LookupError, match="mine"):
        failed.result()

    cancelled: Future[int] = Future()
    assert cancelled.cancel()
    assert not cancelled.set_running_or_notify_cancel()
    with pytest.raises(InvalidStateError):
        cancelled.set_result(1)


def test_a_task_settled_from_outside_does_not_run_and_frees_its_place(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=1, overflow="raise") as pool:
        pool.go(gate)
        gate.wait_entered()
        future: Any = pool.submit(ran.append, 1)
        future.set_result("settled")
        again = pool.submit(abs, -1)
        gate.open()
        assert (future.result(), again.result()) == ("settled", 1)
        assert pool.wait(timeout=10)
    assert ran == []


def test_attributes_can_be_set_on_a_future(gate: Gate) -> None:
    with Pool(1) as pool:
        future: Any = pool.submit(gate)
        future.url = "about:blank"
        assert future.url == "about:blank"
        assert {future: 1}[future] == 1
        del future.url
        assert not hasattr(future, "url")
        gate.open()

"""A block of tasks that are waited for, and cancelled when one fails."""

import concurrent.futures
import threading
import time
from concurrent.futures import CancelledError
from typing import Any, NoReturn

import pytest
from antspy import Future, Group, Pool, PoolOverloadError
from group_support import Abort, Failure, fail, fail_after, raises_group
from support import LIMIT, Gate, Program, Thread, eventually


def test_the_end_of_the_block_waits_for_all_tasks(gate: Gate) -> None:
    with Pool(2, queue_size=None) as pool:

        def block() -> list[Future[Any]]:
            with Group(pool) as group:
                return [group.submit(gate, number) for number in range(5)]

        thread = Thread(block)
        gate.wait_entered(2)
        time.sleep(0.02)
        assert thread.is_alive()
        gate.open()
        futures = thread.result()
        assert all(future.done() for future in futures)
        assert [future.result() for future in futures] == list(range(5))


def test_submit_calls_the_function_with_its_arguments_and_returns_a_future() -> None:
    def fn(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    with Pool(2) as pool, Group(pool) as group:
        future = group.submit(fn, 1, 2, self=3, fn=4)
        assert type(future) is Future
        assert future.result() == ((1, 2), {"self": 3, "fn": 4})


def test_results_are_in_the_order_of_submission(gate: Gate) -> None:
    with Pool(4, queue_size=None) as pool:
        with Group(pool) as group:
            group.submit(gate, "first")
            for number in range(20):
                group.submit(abs, -number)
            gate.open()
        assert group.results() == ["first", *range(20)]
        assert group.results() == ["first", *range(20)]


def test_a_group_of_nothing_has_no_results() -> None:
    with Pool(1) as pool, Group(pool) as group:
        pass
    assert group.results() == []


def test_results_are_refused_before_the_end_of_the_block() -> None:
    with Pool(1) as pool:
        group = Group(pool)
        with pytest.raises(RuntimeError, match="after the group's block"):
            group.results()
        with group:
            group.submit(int).result()
            with pytest.raises(RuntimeError, match="after the group's block"):
                group.results()
        assert group.results() == [0]


def test_submit_is_refused_outside_of_the_block() -> None:
    ran: list[int] = []
    with Pool(1) as pool:
        group = Group(pool)
        with pytest.raises(RuntimeError, match="inside of the group's block"):
            group.submit(ran.append, 1)
        with group:
            pass
        with pytest.raises(RuntimeError, match="inside of the group's block"):
            group.submit(ran.append, 1)
    assert ran == []


def test_a_group_can_be_entered_only_once() -> None:
    with Pool(1) as pool:
        group = Group(pool)
        with group, pytest.raises(RuntimeError, match="once"):
            group.__enter__()
        with pytest.raises(RuntimeError, match="once"):
            group.__enter__()


def test_what_failed_is_raised_in_the_order_of_submission(gate: Gate) -> None:
    errors = [Failure(number) for number in range(3)]
    gates = [Gate() for _ in errors]
    with Pool(4) as pool, raises_group(*errors), Group(pool) as group:
        futures = [group.submit(fail_after, gate, error) for gate, error in zip(gates, errors, strict=True)]
        group.submit(gate)
        for one in [*gates, gate]:
            one.wait_entered()
        for number in (2, 0, 1):  # the last submitted fails first
            gates[number].open()
            concurrent.futures.wait([futures[number]], LIMIT)
        gate.open()


def test_an_exception_group_is_an_exception_if_all_that_failed_are() -> None:
    def block(error: BaseException) -> None:
        with Group(pool) as group:
            group.submit(fail, error)

    with Pool(2) as pool:
        with pytest.raises(BaseExceptionGroup) as info:
            block(Failure())
        assert type(info.value) is ExceptionGroup
        with pytest.raises(BaseExceptionGroup) as info:
            block(Abort())
        assert type(info.value) is BaseExceptionGroup


def test_a_failure_cancels_at_once_what_has_not_started_and_waits_for_what_runs(gate: Gate) -> None:
    ran: list[int] = []
    failing = Gate()
    with Pool(2, queue_size=None) as pool:
        with raises_group(Failure), Group(pool) as group:
            running = group.submit(gate, "unharmed")
            failed = group.submit(fail_after, failing, Failure())
            gate.wait_entered()
            failing.wait_entered()
            # One worker fails and goes on to the next task, perhaps before its future's callback has run;
            # the other tasks find nobody.
            busy = Gate()
            pool.go(busy)
            futures = [group.submit(ran.append, number) for number in range(50)]
            failing.open()
            eventually(lambda: all(future.cancelled() for future in futures))
            assert isinstance(failed.exception(), Failure)
            assert not running.done()
            busy.open()
            threading.Timer(0.02, gate.open).start()
        assert running.result(timeout=0) == "unharmed"
    assert ran == []


def test_submit_after_a_failure_returns_a_cancelled_future() -> None:
    ran: list[int] = []
    with Pool(1) as pool:
        with raises_group(Failure), Group(pool) as group:
            failed = group.submit(fail, Failure())
            failed.exception()
            # Whoever waits is woken before the callbacks run.
            eventually(lambda: group.submit(int).cancelled())
            pool.release()  # which nobody asks any more
            future = group.submit(ran.append, 1)
            assert type(future) is Future
            assert future.cancelled()
            with pytest.raises(CancelledError):
                future.result()
            assert concurrent.futures.wait([future], timeout=LIMIT).done == {future}
        assert ran == []


def test_a_group_that_has_failed_has_no_results() -> None:
    with Pool(1) as pool:
        with raises_group(Failure), Group(pool) as group:
            group.submit(fail, Failure())
        with pytest.raises(RuntimeError, match="has failed"):
            group.results()


def test_a_base_exception_of_a_task_is_in_the_group() -> None:
    together = threading.Barrier(2)

    def task(error: BaseException) -> NoReturn:
        together.wait(LIMIT)
        raise error

    with Pool(2) as pool, raises_group(Failure, Abort), Group(pool) as group:
        group.submit(task, Failure())
        group.submit(task, Abort())


def test_an_exception_of_the_body_comes_last_and_cancels_what_has_not_started(gate: Gate) -> None:
    ran: list[int] = []
    errors = [Failure(), LookupError()]
    with Pool(1, queue_size=None) as pool:
        with raises_group(*errors), Group(pool) as group:
            group.submit(fail_after, gate, errors[0])
            gate.wait_entered()
            future = group.submit(ran.append, 1)
            future.add_done_callback(lambda _: gate.open())
            raise errors[1]
        assert future.cancelled()
    assert ran == []


def test_an_exception_of_the_body_alone_is_in_a_group_too() -> None:
    error = Failure()
    with Pool(1) as pool, raises_group(error), Group(pool):
        raise error


def test_a_body_that_asks_for_a_result_adds_nothing_to_what_failed() -> None:
    error = Failure()
    with Pool(1) as pool:
        with raises_group(error), Group(pool) as group:
            group.submit(fail, error).result()
        with raises_group(error), Group(pool) as group:
            group.submit(fail, error)
            while True:
                group.submit(int).result()  # until it is a cancelled one


def test_a_body_that_asks_for_a_cancelled_result_fails_itself(gate: Gate) -> None:
    with Pool(1, queue_size=None) as pool, raises_group(CancelledError), Group(pool) as group:
        group.submit(gate)
        gate.wait_entered()
        cancelled = group.submit(gate)
        cancelled.cancel()
        gate.open()
        cancelled.result()


def test_a_pool_that_refuses_a_task_is_an_exception_of_the_body(gate: Gate) -> None:
    with Pool(1, overflow="raise") as pool:
        with raises_group(PoolOverloadError), Group(pool) as group:
            first = group.submit(gate, 1)
            gate.wait_entered()
            threading.Timer(0.02, gate.open).start()
            group.submit(gate, 2)
        assert first.result(timeout=0) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, Abort])
def test_what_is_no_exception_leaves_the_body_at_once_and_cancels_what_has_not_started(
    error: type[BaseException], gate: Gate
) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=None) as pool:
        group = Group(pool)
        futures: list[Future[Any]] = []

        def block() -> None:
            with group:
                futures.append(group.submit(gate, "unharmed"))
                gate.wait_entered()
                futures.append(group.submit(ran.append, 1))
                raise error

        with pytest.raises(error):
            block()
        running, queued = futures
        assert queued.cancelled()
        assert not running.done()
        with pytest.raises(RuntimeError, match="has failed"):
            group.results()
        with pytest.raises(RuntimeError, match="inside"):
            group.submit(int)
        gate.open()
        assert running.result() == "unharmed"
    assert ran == []


def test_ctrl_c_while_the_block_waits_cancels_what_has_not_started() -> None:
    program = Program("""
        import threading, time
        from antspy import Group, Pool

        opened = threading.Event()
        pool = Pool(1, queue_size=None)
        try:
            with Group(pool) as group:
                running = group.submit(opened.wait)
                future = group.submit(print, "must not run")
                print("waiting", flush=True)
        except KeyboardInterrupt:
            print(future.cancelled(), running.done())
        opened.set()
        pool.shutdown()
    """)
    program.wait_line("waiting")
    time.sleep(0.1)  # for the wait to begin
    program.interrupt()
    assert program.end() == (0, "True False\n", "")


def test_a_future_that_was_cancelled_has_not_failed(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    with Pool(1, queue_size=None) as pool:
        with Group(pool) as group:
            group.submit(gate, 1)
            gate.wait_entered()
            cancelled = group.submit(gate, 2)
            last = group.submit(gate, 3)
            assert cancelled.cancel()
            gate.open()
        assert last.result() == 3
        with pytest.raises(CancelledError):
            group.results()
    assert not caplog.records


def test_a_task_that_its_pool_discards_has_not_failed(gate: Gate) -> None:
    with Pool(1, overflow="discard") as pool:
        with Group(pool) as group:
            group.submit(gate, 1)
            gate.wait_entered()
            discarded = group.submit(gate, 2)
            gate.open()
        assert discarded.cancelled()
        with pytest.raises(CancelledError):
            group.results()


def test_a_task_that_the_caller_runs_cancels_the_others_when_it_fails(gate: Gate) -> None:
    with Pool(1, queue_size=1, overflow="caller_runs") as pool, raises_group(Failure), Group(pool) as group:
        group.submit(gate)
        gate.wait_entered()
        queued = group.submit(gate)
        failed = group.submit(fail, Failure())
        assert failed.done()
        assert queued.cancelled()
        gate.open()


def test_tasks_may_submit_to_their_group_also_when_its_block_has_come_to_its_end(gate: Gate) -> None:
    with Pool(4) as pool:
        with Group(pool) as group:

            def first() -> str:
                group.submit(second)
                return "first"

            def second() -> str:
                gate()
                time.sleep(0.02)
                group.submit(third)
                return "second"

            def third() -> str:
                time.sleep(0.02)
                return "third"

            group.submit(first)
            gate.wait_entered()
            threading.Timer(0.02, gate.open).start()
        assert group.results() == ["first", "second", "third"]

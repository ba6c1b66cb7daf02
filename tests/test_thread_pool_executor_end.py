"""How `antspy.ThreadPoolExecutor` ends: by `shutdown`, when nobody keeps it, with the program, in a child."""

import gc
import os
import signal
import threading
import weakref
from concurrent.futures import Future as StandardFuture
from typing import Any

import pytest
from antspy import ThreadPoolExecutor
from support import LIMIT, Gate, Program, eventually, run_program

# Python 3.12 and later warn of a fork in a program with threads.
QUIET = ("-W", "ignore::DeprecationWarning")


def test_after_shutdown_nothing_is_accepted() -> None:
    executor = ThreadPoolExecutor(1)
    assert executor._shutdown is False
    executor.shutdown()
    assert executor._shutdown is True
    with pytest.raises(RuntimeError, match=r"^cannot schedule new futures after shutdown$"):
        executor.submit(int)
    executor.shutdown()


@pytest.mark.parametrize("wait", [True, 1, "yes"])
def test_shutdown_runs_what_was_accepted(wait: Any) -> None:
    executor = ThreadPoolExecutor(2)
    futures = [executor.submit(abs, -number) for number in range(100)]
    executor.shutdown(wait)
    assert [future.result(0) for future in futures] == list(range(100))


@pytest.mark.parametrize("wait", [False, 0, None])
def test_shutdown_need_not_wait(wait: Any, gate: Gate) -> None:
    executor = ThreadPoolExecutor(2)
    future = executor.submit(gate, 7)
    executor.shutdown(wait)
    assert not future.done()
    gate.open()
    assert future.result(LIMIT) == 7
    for thread in executor._threads:
        thread.join(LIMIT)


def test_shutdown_can_cancel_what_no_worker_has_taken(gate: Gate) -> None:
    executor = ThreadPoolExecutor(3)
    futures = [executor.submit(gate) for _ in range(50)]
    executor.shutdown(wait=False, cancel_futures=True)
    assert sum(future.cancelled() for future in futures) == 47
    gate.open()
    executor.shutdown()
    assert all(future.done() for future in futures)


def test_with_waits_for_the_end(gate: Gate) -> None:
    with ThreadPoolExecutor(2) as executor:
        future = executor.submit(gate, 7)
        gate.open()
    assert future.result(0) == 7
    assert not any(thread.is_alive() for thread in executor._threads)


@pytest.mark.parametrize("cyclic", [False, True])
def test_a_deleted_executor_lets_its_workers_go(cyclic: bool, gate: Gate) -> None:
    executor = ThreadPoolExecutor(3)
    if cyclic:
        executor.itself = executor  # type: ignore[attr-defined]
        executor.submit(int).add_done_callback(lambda future, executor=executor: None)  # type: ignore[misc]
    for _ in range(3):
        executor.submit(gate)
    threads = executor._threads
    gate.open()
    del executor
    gc.collect()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    held = [weakref.ref(thread) for thread in threads]
    threads.clear()
    del thread
    eventually(lambda: all(thread() is None for thread in held))


def test_an_executor_may_be_shut_down_by_a_done_callback(caplog: pytest.LogCaptureFixture) -> None:
    executor, ended = ThreadPoolExecutor(2), threading.Event()

    def shut_down(future: StandardFuture[Any]) -> None:
        executor.shutdown(wait=False)
        ended.set()

    executor.submit(int).add_done_callback(shut_down)
    assert ended.wait(LIMIT)
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(int)
    executor.shutdown()
    assert caplog.records == []


def test_a_done_callback_may_submit() -> None:
    with ThreadPoolExecutor(1) as executor:
        ended: list[int] = []

        def again(future: StandardFuture[int]) -> None:
            ended.append(future.result())
            if len(ended) < 5:
                executor.submit(abs, len(ended)).add_done_callback(again)

        executor.submit(int).add_done_callback(again)
        eventually(lambda: len(ended) == 5)
    assert ended == [0, 1, 2, 3, 4]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that signal")
def test_a_signal_handler_may_submit_and_shut_down(gate: Gate) -> None:
    executor = ThreadPoolExecutor(1)
    futures: list[StandardFuture[int]] = []

    def handle(number: int, frame: object) -> None:
        if len(futures) < 5:
            futures.append(executor.submit(abs, -number))
        else:
            signal.setitimer(signal.ITIMER_REAL, 0)
            executor.shutdown(wait=False)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        eventually(lambda: executor.closed)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert [future.result(LIMIT) for future in futures] == [signal.SIGALRM] * 5
    executor.shutdown()


# With the program, and in a child.


def test_a_program_ends_when_all_tasks_have_run() -> None:
    out = run_program("""
        import time
        from antspy import ThreadPoolExecutor
        executor = ThreadPoolExecutor(2)
        for number in range(5):
            executor.submit(lambda: (time.sleep(0.05), print("ran ", end="", flush=True)))
        executor.shutdown(wait=False)
    """)
    assert out == "ran " * 5


def test_a_program_that_has_begun_to_end_accepts_nothing() -> None:
    code, out, err = Program("""
        import atexit
        @atexit.register
        def late():
            try:
                executor.submit(print)
            except RuntimeError as error:
                print(type(error).__name__, error)
            executor.submit(print)
        from antspy import ThreadPoolExecutor
        executor = ThreadPoolExecutor(1)
        executor.submit(print, "hello").result()
    """).end()
    why = "cannot schedule new futures after interpreter shutdown"
    assert (code, out) == (0, f"hello\nRuntimeError {why}\n")
    assert f"\nRuntimeError: {why}\n" in err


def test_a_task_that_submits_while_the_program_ends_is_told() -> None:
    out = run_program("""
        from antspy import ThreadPoolExecutor
        executor = ThreadPoolExecutor(2)
        def task():
            try:
                while True:
                    executor.submit(int)
            except RuntimeError as error:
                print(error)
        executor.submit(task)
    """)
    assert out == "cannot schedule new futures after interpreter shutdown\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_uses_the_executor_that_it_inherited() -> None:
    out = run_program(
        """
        import os, threading
        from antspy import ThreadPoolExecutor
        executor = ThreadPoolExecutor(2, "ant")
        gate = threading.Event()
        executor.submit(gate.wait, 20)
        inherited = executor._threads
        assert len(inherited) == 1
        if child := os.fork():
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            gate.set()
            executor.shutdown()
            assert len(executor._threads) == 1
            print("parent")
        else:
            # The parent's workers are not there, and are joined at once.
            (thread,) = inherited
            thread.join()
            assert not thread.is_alive()
            assert executor._threads == set()
            assert executor.submit(abs, -7).result(20) == 7
            assert [thread.name for thread in executor._threads] == ["ant_0"]
            assert len(threading.enumerate()) == 2
            executor.shutdown()
            print("child", flush=True)
        """,
        *QUIET,
    )
    assert out == "child\nparent\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_by_a_worker_has_it_as_its_main_thread() -> None:
    out = run_program(
        """
        import os, sys, threading
        from antspy import ThreadPoolExecutor

        def task():
            sys.stdout.flush()
            me = threading.current_thread()
            if child := os.fork():
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert threading.current_thread() is threading.main_thread() is me
            assert (me.name, me.is_alive(), me.ident) == ("MainThread", True, threading.get_ident())
            assert threading.enumerate() == [me]
            with ThreadPoolExecutor(2) as own:
                print(own.submit(abs, -7).result(20), flush=True)
            threading._shutdown()  # as at the end of a program
            os._exit(0)

        with ThreadPoolExecutor(2) as executor:
            print(executor.submit(task).result())
        """,
        *QUIET,
    )
    assert out == "7\n0\n"

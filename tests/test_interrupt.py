"""Ctrl-C ends every wait at once, and nothing is lost by it."""

import signal
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from antspy import Pool, WaitGroup
from support import Gate, Program, alarm

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm that is a signal")

SOON = 0.5


class Interrupt(Exception):
    pass


def raise_interrupt() -> None:
    raise Interrupt


interrupt_after = partial(alarm, raise_interrupt)
"""A signal whose handler raises, in the main thread, so many seconds from now."""


WAITS: dict[str, Callable[[Pool, Gate], object]] = {
    "submit": lambda pool, gate: pool.submit(gate),
    "go": lambda pool, gate: pool.go(gate),
    "map": lambda pool, gate: list(pool.map(gate, range(3))),
    "wait": lambda pool, gate: pool.wait(),
    "wait with a timeout": lambda pool, gate: pool.wait(timeout=30),
    "release": lambda pool, gate: pool.release(timeout=30),
    "release without a limit": lambda pool, gate: pool.release(timeout=None),
    "shutdown": lambda pool, gate: pool.shutdown(),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_signal_ends_a_wait_at_once(name: str, gate: Gate) -> None:
    with Pool(1) as pool:
        busy = pool.submit(gate, "unharmed")
        gate.wait_entered()
        start = time.monotonic()
        with pytest.raises(Interrupt), interrupt_after(0.05):
            WAITS[name](pool, gate)
        assert time.monotonic() - start < 0.05 + SOON
        assert pool.waiting == 0
        gate.open()
        assert busy.result() == "unharmed"
        if not pool.closed:
            assert pool.submit(abs, -1).result() == 1
            assert pool.wait(timeout=10)


@pytest.mark.parametrize("timeout", [None, 30])
@pytest.mark.parametrize("method", ["result", "exception"])
def test_a_signal_ends_the_wait_for_a_result_at_once(method: str, timeout: float | None, gate: Gate) -> None:
    with Pool(1) as pool:
        future = pool.submit(gate, "unharmed")
        start = time.monotonic()
        with pytest.raises(Interrupt), interrupt_after(0.05):
            getattr(future, method)(timeout)
        assert time.monotonic() - start < 0.05 + SOON
        gate.open()
        assert future.result() == "unharmed"


def test_a_signal_ends_the_wait_for_a_group_at_once(gate: Gate) -> None:
    with Pool(1) as pool:
        group = WaitGroup(pool)
        group.go(gate)
        start = time.monotonic()
        with pytest.raises(Interrupt), interrupt_after(0.05):
            group.wait()
        assert time.monotonic() - start < 0.05 + SOON
        assert group.count == 1
        gate.open()
        assert group.wait(timeout=10)


def test_a_signal_ends_the_wait_for_a_reboot_at_once(gate: Gate) -> None:
    pool = Pool(1)
    pool.go(gate)
    pool.release()
    with pytest.raises(Interrupt), interrupt_after(0.05):
        pool.reboot()
    assert pool.closed
    gate.open()
    pool.reboot()
    assert pool.submit(abs, -1).result() == 1
    pool.shutdown()


def test_a_handler_that_does_not_raise_does_not_end_a_wait(gate: Gate) -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: calls.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        with Pool(1) as pool:
            future = pool.submit(gate)
            with pytest.raises(TimeoutError):
                future.result(timeout=0.2)
            assert pool.wait(timeout=0.2) is False
            gate.open()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(calls) > 5


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals for one thread")
@pytest.mark.parametrize("timeout", [None, 30])
def test_a_signal_that_does_not_end_the_sleep_ends_the_wait(timeout: float | None, gate: Gate) -> None:
    asleep, sent = threading.Event(), threading.Event()

    def get_signal() -> None:
        asleep.wait(10)
        # Long enough for the main thread to sleep, and any shorter is no less right.
        time.sleep(0.05)
        signal.pthread_kill(threading.get_ident(), signal.SIGALRM)
        sent.set()

    def wait() -> None:
        asleep.set()
        future.result(timeout)

    # Not one of the pool's threads: those block signals.
    other = threading.Thread(target=get_signal)
    with Pool(1) as pool:
        future = pool.submit(gate)
        other.start()
        with pytest.raises(Interrupt), interrupt_after(30):
            wait()
        assert sent.is_set()
        gate.open()
        other.join()


def test_a_task_can_interrupt_the_main_threads_wait(gate: Gate) -> None:
    main = threading.get_ident()

    def interrupt() -> None:
        time.sleep(0.05)
        signal.pthread_kill(main, signal.SIGALRM)

    with Pool(2) as pool:
        future = pool.submit(gate)
        with pytest.raises(Interrupt), interrupt_after(30):
            _ = pool.submit(interrupt), future.result(timeout=20)
        gate.open()


def test_an_interrupted_submit_is_not_accepted_and_takes_no_place(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1) as pool:
        pool.go(gate)
        for _ in range(5):
            with pytest.raises(Interrupt), interrupt_after(0.01):
                pool.go(ran.append, 1)
        gate.open()
        assert pool.wait(timeout=10)
        for number in range(2, 100):
            pool.go(ran.append, number)
    assert ran == list(range(2, 100))


def test_interrupts_at_any_moment_lose_no_task_and_no_place() -> None:
    ran = accepted = interrupted = 0

    def task() -> None:
        nonlocal ran
        ran += 1
        time.sleep(0.0005)

    with Pool(1, overflow="block") as pool:
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            try:
                with interrupt_after(0.0007):
                    while True:
                        pool.go(task)
                        accepted += 1
            except Interrupt:
                interrupted += 1
        assert pool.wait(timeout=10)
        assert pool.submit(abs, -1).result(timeout=10) == 1
        assert pool.idle == pool.running == 1
    assert interrupted > 100
    # The signal may come between the return of `go` and the count of it.
    assert accepted <= ran <= accepted + interrupted


BLOCKED = """
    import sys, threading, time
    from antspy import Pool, WaitGroup
    pool = Pool(1)
    opened = threading.Event()
    group = WaitGroup(pool)
    group.add()
    future = pool.submit(opened.wait, 20)
    print("blocked", flush=True)
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    opened.set()
    assert future.result() is True
    pool.reboot()
    print(pool.submit(abs, -1).result())
"""


@pytest.mark.parametrize(
    "call",
    [
        "pool.submit(int)",
        "pool.go(int)",
        "future.result()",
        "future.exception(timeout=30)",
        "pool.wait()",
        "group.wait()",
        "pool.release(timeout=30)",
        "pool.shutdown()",
        "list(pool.map(abs, [1, 2]))",
    ],
)
def test_ctrl_c_reaches_a_blocked_program_within_half_a_second(call: str) -> None:
    program = Program(BLOCKED.format(call=call))
    program.wait_line("blocked")
    time.sleep(0.1)
    start = time.monotonic()
    program.interrupt()
    program.wait_line("interrupted")
    assert time.monotonic() - start < SOON
    assert program.end() == (0, "1\n", "")


def test_ctrl_c_in_a_task_that_the_main_thread_runs_is_the_main_threads() -> None:
    program = Program("""
        import threading, time
        from antspy import Pool
        pool = Pool(1, overflow="caller_runs")
        gate = threading.Event()
        pool.go(gate.wait, 20)
        def task():
            print("runs", flush=True)
            while True:
                time.sleep(0.01)
        try:
            pool.submit(task)
            print("not interrupted")
        except KeyboardInterrupt:
            print("interrupted")
        gate.set()
    """)
    program.wait_line("runs")
    program.interrupt()
    code, out, _ = program.end()  # the exception of the future that nobody got is logged
    assert (code, out) == (0, "interrupted\n")

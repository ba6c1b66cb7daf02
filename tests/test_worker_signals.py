"""Signals go to the main thread, a worker that is hit by one goes on, and children of tasks get theirs."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

import pytest
from antspy import Pool
from support import LIMIT, Gate, eventually, run_program
from test_fork import QUIET

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")


class Arrived(Exception):
    pass


@pytest.fixture
def arrivals() -> Iterator[list[str]]:
    """The names of the threads in which the handler of SIGUSR1 has run."""
    arrivals: list[str] = []

    def handle(number: int, frame: FrameType | None) -> None:
        arrivals.append(threading.current_thread().name)

    before = signal.signal(signal.SIGUSR1, handle)
    yield arrivals
    signal.signal(signal.SIGUSR1, before)


def has(arrivals: list[str], count: int) -> bool:
    return len(arrivals) == count


def terminate_a_child() -> int:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"]) as child:
        child.terminate()
        return child.wait(LIMIT)


def test_a_child_process_of_a_task_can_be_terminated() -> None:
    with Pool(1) as pool:
        assert pool.submit(terminate_a_child).result(LIMIT) == -signal.SIGTERM


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what Linux shows of a process")
def test_a_child_process_of_a_task_blocks_no_signals() -> None:
    with Pool(1) as pool:
        command = ["grep", "SigBlk", "/proc/self/status"]
        shown = pool.submit(subprocess.check_output, command, text=True).result(LIMIT)
    assert int(shown.split()[1], 16) == 0


def test_a_process_that_a_task_forks_blocks_no_signals() -> None:
    out = run_program(
        """
        import os, signal
        from antspy import Pool
        def in_task():
            child = os.fork()
            if not child:
                print(signal.pthread_sigmask(signal.SIG_BLOCK, []), flush=True)
                os._exit(0)
            os.waitpid(child, 0)
        with Pool(1) as pool:
            pool.submit(in_task).result()
        """,
        *QUIET,
    )
    assert out == "set()\n"


def test_a_worker_blocks_what_its_starter_blocks() -> None:
    def blocked() -> set[int]:
        return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])}

    with Pool(1) as pool:
        assert pool.submit(blocked).result(LIMIT) == blocked()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    try:
        with Pool(1) as pool:
            assert pool.submit(blocked).result(LIMIT) == {*map(int, before), signal.SIGUSR2}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_signals_go_to_the_main_thread_whatever_the_workers_do() -> None:
    over = threading.Event()

    def arrive(number: int, frame: FrameType | None) -> None:
        raise Arrived

    def spin() -> None:
        while not over.is_set():
            pass

    def nap() -> None:
        while not over.is_set():
            time.sleep(0.0002)

    before = signal.signal(signal.SIGALRM, arrive)
    try:
        with Pool(20, prealloc=True) as pool:
            for task in (spin, nap, nap, nap):
                pool.go(task)
            waits = pool.submit(over.wait)
            late = 0
            for _ in range(100):
                start = time.monotonic()
                with pytest.raises(Arrived):  # noqa: PT012  # the alarm may come before the wait has begun
                    signal.setitimer(signal.ITIMER_REAL, 0.002)
                    while True:
                        with suppress(TimeoutError):
                            waits.result(0.2)
                late += time.monotonic() - start > 0.15
            over.set()
    finally:
        signal.signal(signal.SIGALRM, before)
    # A signal that comes in the moment before a sleep begins is seen when the sleep is over. If workers took
    # signals, all would be seen then.
    assert late < 50


def test_a_worker_that_is_hit_by_a_signal_goes_on(arrivals: list[str], gate: Gate) -> None:
    with Pool(2, expiry=10) as pool:
        ident = pool.submit(threading.get_ident).result(LIMIT)
        for turn in range(1, 21):  # while it is idle
            eventually(lambda: pool.idle == 1)
            signal.pthread_kill(ident, signal.SIGUSR1)
            eventually(partial(has, arrivals, turn))
            assert pool.submit(threading.get_ident).result(LIMIT) == ident
        busy = pool.submit(gate, 7)
        gate.wait_entered()
        for turn in range(21, 41):  # while it runs a task
            signal.pthread_kill(ident, signal.SIGUSR1)
            eventually(partial(has, arrivals, turn))
        gate.open()
        assert busy.result(LIMIT) == 7
        assert pool.stats().workers_started == 1
    assert set(arrivals) == {"MainThread"}


def test_a_task_that_waits_for_another_waits_on_when_it_is_hit(arrivals: list[str], gate: Gate) -> None:
    with Pool(2) as pool:
        other = pool.submit(gate, 7)
        gate.wait_entered()
        ident: list[int] = []

        def wait() -> int:
            ident.append(threading.get_ident())
            return int(other.result(LIMIT))

        outer = pool.submit(wait)
        eventually(lambda: ident)
        for turn in range(1, 21):
            signal.pthread_kill(ident[0], signal.SIGUSR1)
            eventually(partial(has, arrivals, turn))
        assert not outer.done()
        gate.open()
        assert outer.result(LIMIT) == 7

"""What the tests have in common."""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from antspy import Pool, PoolOverloadError

LIMIT = 20.0
"""Seconds after which something that must happen has not."""

TASKS = Path("/proc/self/task")
"""The threads of this process, as the kernel counts them (Linux)."""

COMPLETE = sys.version_info[:2] == (3, 11) and Path(__file__).parents[1].joinpath("Makefile").exists()
"""Whether all libraries of the extras must be there: this Python has wheels of them all.

The tests of a wheel, away from the source tree, have none of them.
"""

part = 1
"""Which part of its tasks a test with `many` runs: all. On a cluster, where a task takes long, fewer."""


def many(number: int) -> int:
    """Return how many tasks a test runs that needs many, but no certain number: 10 at least."""
    return min(number, max(10, number // part))


def library(name: str) -> Any:
    """Import a library; without it skip the test, but where it must be there."""
    if COMPLETE:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed: it may have no wheel for this Python")


def eventually(condition: Callable[[], object], limit: float = LIMIT) -> None:
    """Wait for what nobody announces."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.001)


def threads() -> int:
    """How many threads the process has: all that there are, or where that is not shown, Python's own."""
    return len(os.listdir(TASKS)) if TASKS.exists() else threading.active_count()


@contextmanager
def alarm(call: Callable[[], object], seconds: float) -> Iterator[None]:
    """Call it in the main thread, `seconds` from now, by a signal (where there is `signal.setitimer`)."""

    def handle(number: int, frame: FrameType | None) -> None:
        call()

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Gate:
    """A task that stays until the gate is opened, and then returns its argument."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self._entered = threading.Semaphore(0)

    def __call__(self, value: Any = None) -> Any:
        self._entered.release()
        assert self._opened.wait(LIMIT), "nobody opened the gate"
        return value

    def wait_entered(self, count: int = 1) -> None:
        """Wait until `count` more tasks have come in."""
        for _ in range(count):
            assert self._entered.acquire(timeout=LIMIT), "a task did not start"

    def open(self) -> None:
        self._opened.set()


class Thread(threading.Thread):
    """A thread whose result can be asked for, and whose exception with it."""

    def __init__(self, call: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        super().__init__(daemon=True)
        self._call = partial(call, *args, **kwargs)
        self._result: object = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._call()
        except BaseException as error:
            self._error = error

    def result(self) -> Any:
        self.join(LIMIT)
        assert not self.is_alive(), "the thread did not end"
        if self._error is not None:
            raise self._error
        return self._result


class Program:
    """A Python program of its own, given as source text. One that hangs is killed, after `limit` seconds."""

    def __init__(
        self, source: str, *options: str, folder: Path | None = None, limit: float | None = None
    ) -> None:
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by `end`
        self._process = subprocess.Popen(
            [sys.executable, *options, "-c", textwrap.dedent(source)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            cwd=folder,
        )
        self._alarm = threading.Timer(limit or LIMIT, self._process.kill)
        self._alarm.start()

    def wait_line(self, line: str) -> None:
        """Wait until the program has printed `line`."""
        assert self._process.stdout is not None
        printed = self._process.stdout.readline()
        if printed != line + "\n":
            raise AssertionError(f"{printed!r} instead of {line!r}: {self.end()}")

    def write(self, text: str) -> None:
        """Write to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    @property
    def pid(self) -> int:
        return self._process.pid

    def interrupt(self) -> None:
        """Press Ctrl-C. Where that cannot be done to one program alone the test is skipped."""
        if sys.platform == "win32":
            self._process.kill()
            self.end()
            pytest.skip("Ctrl-C reaches all programs of a console")
        self._process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Return the exit code, and what was printed and has not been read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        out = self._process.stdout.read()
        code = self._process.wait()
        hangs = self._alarm.finished.is_set()
        self._alarm.cancel()
        self._process.stdout.close()
        with self._stderr:
            self._stderr.seek(0)
            err = self._stderr.read()
        assert not hangs, f"the program hangs; it printed {out!r} and {err!r}"
        return code, out, err


def run_program(source: str, *options: str) -> str:
    """Run a program that must end well, and without a word on stderr; return what it printed."""
    code, out, err = Program(source, *options).end()
    assert (code, err) == (0, ""), f"exit code {code}, stderr:\n{err}"
    return out


def assert_settled(pool: Pool) -> None:
    """Wait until the pool has nothing to do, and check that each accepted task is counted once."""
    assert pool.wait(timeout=LIMIT)
    stats = pool.stats()
    assert (pool.queued, stats.queued, pool.waiting) == (0, 0, 0)
    assert stats.submitted == stats.completed + stats.failed + stats.cancelled


def overloaded(pool: Pool) -> bool:
    """Whether the pool refuses one more task; if not, it has one more."""
    try:
        pool.go(int)
    except PoolOverloadError:
        return True
    return False

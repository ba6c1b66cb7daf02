"""A program that ends while its pool is busy, and says what becomes of each task: `end.py WORK END ROUND`.

What comes after the drain is slow, so that workers that are still busy meet the end of the interpreter.
"""

import atexit
import hashlib
import os
import signal
import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from antspy import Pool, PoolClosedError

WORK, END, ROUND = sys.argv[1], sys.argv[2], int(sys.argv[3])
DRAINED = END in ("drain", "sys.exit")
SECONDS = 0.02 if DRAINED else 30.0
"""That a task takes: for ever, if nobody waits for it."""

DELAY = ROUND % 20 * 0.001
DATA = os.urandom(200_000)
WORKERS, QUEUED = 3, 2
MAIN = threading.get_ident()
started = threading.Semaphore(0)


def say(*words: object) -> None:
    # Not by print(): its lock, held by a worker that does not come back, would stop the end of Python.
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Slow:
    """Ends when the interpreter does, and takes its time."""

    def __del__(self, clock: Any = time.monotonic, sleep: Any = time.sleep) -> None:
        end = clock() + 0.05
        while clock() < end:
            sleep(0.001)


class Lingering:
    """Ends where the task's arguments are dropped: on a worker, or at once."""

    def __del__(self) -> None:
        if threading.get_ident() != MAIN:
            python(0)


def python(number: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        pass


def in_c(number: int) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        match number % 4:
            case 0:
                time.sleep(SECONDS)
            case 1:
                hashlib.sha256(DATA).digest()
            case 2:
                zlib.compress(DATA)
            case _:
                sum(range(100_000))


def submit(number: int) -> None:
    try:
        full.submit(int).result()
    except PoolClosedError:
        python(number)


WORKS: dict[str, Callable[[int], object]] = {
    "python": python,
    "c": in_c,
    "submit": submit,
    "destructor": lambda number: None,
}


def task(number: int, lingering: object) -> None:
    say("ran", number)
    started.release()
    WORKS[WORK](number)
    if END == "sys.exit":
        sys.exit(3)


def tell(number: int, future: "Future[None]") -> None:
    say("cancelled" if future.cancelled() else "told", number)


def hand_in(number: int) -> None:
    lingering = Lingering() if WORK == "destructor" else None
    future = pool.submit(task, number, lingering)
    say("accepted", number)
    future.add_done_callback(lambda future: tell(number, future))


def interrupt() -> None:
    while not pool.closed:
        time.sleep(0.001)
    time.sleep(DELAY)
    os.kill(os.getpid(), signal.SIGINT)


def leave() -> None:
    time.sleep(DELAY)
    os._exit(5)


sys.setswitchinterval(0.0005)  # or all would wait for workers that compute
sys.slow = Slow()  # type: ignore[attr-defined]
atexit.register(time.sleep, 0.01)
daemon = END == "daemon"
full = Pool(1, daemon=daemon)
pool = Pool(WORKERS, queue_size=QUEUED, daemon=daemon, exception_handler=lambda error: None)
if WORK == "submit":
    full.go(time.sleep, SECONDS)
for number in range(WORKERS + QUEUED):
    hand_in(number)
if WORK == "submit":
    late = threading.Thread(target=submit, args=(0,), daemon=True)
    late.start()
for _ in range(WORKERS):
    started.acquire()
match END:
    case "ctrl-c":
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a program in the background ignores it
        threading.Thread(target=interrupt, daemon=True).start()
    case "os._exit":
        Pool(1).go(leave)
    case _:
        time.sleep(DELAY)
say("ends")

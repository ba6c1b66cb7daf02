"""What tests have run in the workers of a cluster, which import this by its name."""

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import distributed
from antspy.dask import ClusterPool


def pid(*_: object) -> int:
    return os.getpid()


def told(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def fail(number: int) -> NoReturn:
    raise KeyError(number)


def leave(code: int) -> NoReturn:
    sys.exit(code)


def stop() -> NoReturn:
    raise StopIteration("enough")


class Awkward(Exception):
    """An exception whose `args` are not what it is made with: plain `pickle` cannot make it again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_awkwardly() -> NoReturn:
    raise Awkward(1, 2)


def fail_with_a_lock() -> NoReturn:
    raise KeyError(threading.Lock())


def work(number: int, seconds: float) -> tuple[int, float, float]:
    """Return when it began and when it ended, on the clock that all processes of the machine share."""
    start = time.monotonic()
    time.sleep(seconds)
    return number, start, time.monotonic()


def write_down(number: int, book: str) -> int:
    """Note that it ran: a line a run."""
    descriptor = os.open(book, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, b"%d\n" % number)
    finally:
        os.close(descriptor)
    return number


def hold(book: str) -> None:
    """Note that it runs, and stay until the file `open` is beside the book; 60 s at most."""
    write_down(os.getpid(), book)
    end = time.monotonic() + 60
    while not Path(book).with_name("open").exists() and time.monotonic() < end:
        time.sleep(0.01)


def interval_overlap(spans: list[tuple[int, float, float]]) -> int:
    """How many ran at once, at most."""
    events = sorted([(start, 1) for _, start, _ in spans] + [(end, -1) for _, _, end in spans])
    most = running = 0
    for _, change in events:
        running += change
        most = max(most, running)
    return most


def write_pid(book: str) -> None:
    Path(book).write_text(str(os.getpid()))


def numbers() -> Iterator[int]:
    yield 1


async def coroutine() -> int:
    return 1


class Picky:
    """Comes to the client as what cannot be made there."""

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return int, ("a picky one",)


def give_up() -> NoReturn:
    raise KeyboardInterrupt


def cancelled() -> NoReturn:
    raise asyncio.CancelledError


def key_and_stack() -> tuple[str, list[str]]:
    stack = [entry.name for entry in traceback.extract_stack()]
    return str(distributed.worker.thread_state.key), stack


def address() -> str:
    return str(distributed.get_worker().address)


def make_a_pool() -> None:
    with distributed.worker_client() as client:
        ClusterPool(client, 8)


def write_down_slowly(number: int, book: str) -> None:
    time.sleep(0.05)
    write_down(number, book)


def allow_no_failures(dask_scheduler: Any) -> None:
    dask_scheduler.allowed_failures = 0


def die(book: str) -> NoReturn:
    """End the worker, as a lack of memory would."""
    write_down(os.getpid(), book)
    os._exit(1)

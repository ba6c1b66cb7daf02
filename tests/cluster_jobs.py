"""What tests have run in the workers of a cluster, which import it by its name; and what measures them there."""

import os
import sys
import time
from pathlib import Path
from typing import Any, NoReturn


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
    """Pickled, it cannot be made again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_awkwardly() -> NoReturn:
    raise Awkward(1, 2)


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

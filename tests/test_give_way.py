"""Busy workers let other threads have the interpreter."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from antspy import Pool
from support import eventually

ROUNDS = 40
"""How often the other thread needs the interpreter anew: a switch interval (5 ms) each time, or two."""


def in_python(pool: Pool) -> Callable[[], None]:
    """A task that submits itself, for ever."""

    def task() -> None:
        pool.go(task)

    return task


def in_c(pool: Pool) -> Callable[[], None]:
    """The same without Python code: only a thread that runs such hands the interpreter over."""
    task = partial(pool.go)
    task.__setstate__((pool.go, (task,), {}, None))  # type: ignore[attr-defined]
    return task


@contextmanager
def busy(make: Callable[[Pool], Callable[[], None]]) -> Iterator[Pool]:
    with Pool(1, queue_size=None, exception_handler=lambda _error: None) as pool:
        task = make(pool)
        pool.go(task)
        yield pool
    # Closed: the last `go` was refused.
    if isinstance(task, partial):  # ends the cycle, which the collector does not see in every Python
        task.__setstate__((print, (), {}, None))  # type: ignore[attr-defined]


@pytest.mark.parametrize("make", [in_python, in_c])
@pytest.mark.timeout(20)
def test_tasks_without_end_do_not_keep_the_interpreter(make: Callable[[Pool], Callable[[], None]]) -> None:
    with busy(make) as pool:
        for _ in range(ROUNDS):
            before = pool.stats().completed
            # Lets go of the interpreter until the worker has it, and wants it again.
            eventually(lambda before=before: pool.stats().completed > before)  # type: ignore[misc]

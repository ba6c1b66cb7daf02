"""The Python frame of a task that has a name: whatever shows stacks shows the name.

The core calls such a task through a small function, whose code bears the task's name. Its frame is the
first of the task's stack, and all of it where the task is a function in C:

    File ".../service.py", line 7 in fetch
    File ".../antspy/task.py", line 25 in fetch users

A task without a name has no frame but its own. The frame costs 40 ns of processor time in CPython 3.11: 1.1
times as much for a no-op by `go`.
"""

from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import cast

_LONGEST = 200
"""Characters of a name that are shown. py-spy leaves a frame out whose name has 4096 or more."""


def _task(fn: Callable[..., object], args: tuple[object, ...], kwargs: dict[str, object] | None) -> object:
    try:
        if kwargs is None:  # costs less than no keywords do
            return fn(*args)
        return fn(*args, **kwargs)
    finally:
        # An exception's traceback keeps this frame. It must not keep what the task was called with.
        del fn, args, kwargs


def frame(name: str) -> Callable[..., object]:
    """Return a function that calls `fn(*args, **kwargs)`, given these three, in a frame called `name`."""
    return _frame(str.__str__(name))  # exactly a str, also of a subclass that compares in its own way


@lru_cache(maxsize=1024)
def _frame(name: str) -> Callable[..., object]:
    if len(name) > _LONGEST:
        name = name[: _LONGEST - 3] + "..."
    if not (name and name.isprintable()):
        name = repr(name)  # a stack has one line for a frame, and its readers take no lone surrogate
    code = _task.__code__.replace(co_name=name, co_qualname=name)
    return cast(Callable[..., object], FunctionType(code, globals(), name))

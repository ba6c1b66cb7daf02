"""The settings of a pool, as its constructors pass them on."""

import itertools
import threading
from collections.abc import Callable
from operator import index
from typing import Any, Literal, TypedDict

from .exception_handler import ExceptionHandler

Overflow = Literal["block", "raise", "caller_runs", "discard"]
"""What a full pool does with one more task."""

_LEAST_STACK = 8 * 2**20
_numbers = itertools.count()


class Settings(TypedDict, total=False):
    """Keyword arguments of `Pool`, described there."""

    queue_size: int | None
    overflow: Overflow
    max_blocking: int | None
    expiry: float | None
    min_workers: int
    prealloc: bool
    daemon: bool
    rate: float | None
    exception_handler: ExceptionHandler | None
    initializer: Callable[..., object] | None
    initargs: tuple[Any, ...]
    finalizer: Callable[[Any], object] | None
    thread_name_prefix: str
    stack_size: int | None


DEFAULTS: Settings = {
    "queue_size": 0,
    "overflow": "block",
    "max_blocking": None,
    "expiry": 10.0,
    "min_workers": 0,
    "prealloc": False,
    "daemon": False,
    "rate": None,
    "exception_handler": None,
    "initializer": None,
    "initargs": (),
    "finalizer": None,
    "thread_name_prefix": "",
    "stack_size": None,
}
"""Those of `Pool`."""


def complete(settings: Settings, kind: str) -> dict[str, Any]:
    """Return all settings as the core takes them: what was given, else `Pool`'s defaults.

    `kind` is what workers are called whose prefix was not given.
    """
    if unknown := settings.keys() - DEFAULTS.keys():
        raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
    merged: dict[str, Any] = {**DEFAULTS, **settings}
    merged["thread_name_prefix"] = prefix(merged["thread_name_prefix"], kind)
    merged["stack_size"] = stack_bytes(merged["stack_size"])
    return merged


def whole(name: str, value: object) -> int:
    """Return the argument of this name as an int; a bool is none."""
    if not isinstance(value, bool):
        try:
            return index(value)  # type: ignore[arg-type]  # what it does not take is told below
        except TypeError:
            pass
    raise TypeError(f"{name} must be an int, not {value!r}")


def stack_bytes(stack_size: int | None) -> int:
    """Return the stack of a worker: what was asked for, else `threading.stack_size()`, else 8 MiB.

    A native thread's 2 MiB would end the process on a recursion that `threading.Thread` survives.
    """
    if stack_size is None:
        return threading.stack_size() or _LEAST_STACK
    if not isinstance(stack_size, int):
        raise TypeError(f"stack_size must be an int or None, not {stack_size!r}")
    if stack_size < 32768:  # what threading.stack_size() accepts
        raise ValueError(f"stack_size must be at least 32768 bytes, or None, not {stack_size}")
    return stack_size


def prefix(thread_name_prefix: str, kind: str) -> str:
    """Return the prefix of the workers' names: what was asked for, else `kind` and a number."""
    if not isinstance(thread_name_prefix, str):
        raise TypeError(f"thread_name_prefix must be a str, not {thread_name_prefix!r}")
    if "\0" in thread_name_prefix:
        raise ValueError(f"thread_name_prefix must not hold a null byte: {thread_name_prefix!r}")
    try:
        thread_name_prefix.encode()
    except UnicodeEncodeError:
        message = f"thread_name_prefix must not hold a lone surrogate: {thread_name_prefix!r}"
        raise ValueError(message) from None
    return thread_name_prefix or f"{kind}-{next(_numbers)}"

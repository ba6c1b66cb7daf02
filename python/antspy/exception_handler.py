"""Where exceptions go that nobody waits for. Called by the core, which logs nothing itself."""

import logging
from collections.abc import Callable
from typing import Any

ExceptionHandler = Callable[[BaseException], object]
"""Gets what a task raised."""

_logger = logging.getLogger("antspy")


def handle(handler: ExceptionHandler | None, error: BaseException, name: str | None) -> None:
    """Give `error` to the pool's handler, or log it with its traceback on the logger `antspy`.

    `name` is the task's, if it has one.
    """
    if name is not None:
        error.add_note(f"in the task {name!r}")
    if handler is None:
        _log("exception in a task that nobody waits for", error)
        return
    try:
        handler(error)
    except BaseException as second:  # the worker must live, whatever the handler does
        _log("exception in a task that nobody waits for", error)
        _log("exception in the exception handler of a pool", second)


def log_initializer(error: BaseException) -> None:
    """Log what an initializer raised, as the standard library does: its pool is broken."""
    logging.getLogger("concurrent.futures").critical("Exception in initializer:", exc_info=error)


def log_finalizer(error: BaseException) -> None:
    """Log what a finalizer raised: its worker leaves all the same."""
    _logger.error("exception in a pool's finalizer", exc_info=error)


def log_callback(future: Any, error: BaseException) -> None:
    """Log what a future's callback raised, where the standard library's futures log it."""
    logging.getLogger("concurrent.futures").error("exception calling callback for %r", future, exc_info=error)


def log_unexpected_state(future: Any, state: str) -> None:
    """Log that a future was started twice, where the standard library's futures log it."""
    logging.getLogger("concurrent.futures").critical("Future %s in unexpected state: %s", id(future), state)


def _log(message: str, error: BaseException) -> None:
    _logger.error(message, exc_info=error)

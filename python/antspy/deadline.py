"""Until when to wait."""

import time


def deadline(timeout: float | None) -> float | None:
    """Return when a wait that begins now is over, on the clock of `time.monotonic`; `None`: never.

    Raises:
        TypeError, ValueError: `timeout` is not a number of seconds of at least 0, nor `None`.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds or None, not {timeout!r}")
    if not timeout >= 0:  # nan is not
        raise ValueError(f"timeout must be at least 0 seconds, or None, not {timeout!r}")
    return time.monotonic() + timeout


def left(end: float | None, least: float = 0.0) -> float | None:
    """Return how many seconds are left, not less than `least`."""
    return None if end is None else max(least, end - time.monotonic())

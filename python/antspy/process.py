"""What antspy tells the process when it is imported: how to end, and what to do after a fork."""

import atexit
import os
import threading

# The core calls these from its threads. Imported there for the first time, a fork in that moment would
# leave the child with an import lock that nobody releases.
from . import exception_handler, task, worker  # noqa: F401
from ._antspy import _after_fork, _drain


def install() -> None:
    """Register the drain at the program's end and the renewal in a forked child."""
    # threading's own hook, as concurrent.futures uses it: it runs before the threads are joined, while
    # tasks can still do everything. atexit comes later; it is for a Python without that hook.
    register = getattr(threading, "_register_atexit", atexit.register)
    register(_drain)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)

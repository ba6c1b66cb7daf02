"""A worker's thread, made known to `threading`. Called by the core at the thread's start and end."""

import sys
import threading


def register(name: str) -> None:
    """Name the current thread, and install the hooks that debuggers and coverage have set for all."""
    # current_thread() makes and registers an object for a thread that Python did not start.
    threading.current_thread().name = name
    if (profile := threading.getprofile()) is not None:
        sys.setprofile(profile)
    if (trace := threading.gettrace()) is not None:
        sys.settrace(trace)


def checkpoint() -> None:
    """Do nothing: an exception that is pending in this thread is raised here."""


def unregister() -> None:
    """Take the current thread out of `threading.enumerate()`.

    Python does so itself from 3.13 on; before, the entry would stay, and a later thread with the same
    ident would inherit the name.
    """
    sys.settrace(None)
    sys.setprofile(None)
    with threading._active_limbo_lock:  # type: ignore[attr-defined]
        threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]

"""A worker's thread, made known to `threading`. Called by the core at the thread's start and end."""

import threading


def register(name: str) -> None:
    """Name the current thread."""
    # current_thread() makes and registers an object for a thread that Python did not start.
    thread = threading.current_thread()
    thread.name = name
    _keep(thread)


def _keep(thread: threading.Thread) -> None:
    """Have `threading` know the thread until `unregister`.

    From 3.13 on it forgets a thread that it did not start when the thread's `threading.local` ends: before
    what else ends there and may ask for it.
    """
    local = getattr(threading, "_thread_local_info", None)
    if local is not None and vars(local).pop("_track_dummy_thread_ref", None) is not None:
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            threading._active[thread.ident] = thread  # type: ignore[attr-defined]


def checkpoint() -> None:
    """Do nothing: an exception that is pending in this thread is raised here."""


def unregister() -> None:
    """Have `threading` forget the current thread: a later one with its ident is not to find it there."""
    with threading._active_limbo_lock:  # type: ignore[attr-defined]
        threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]

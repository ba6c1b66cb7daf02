"""A worker's thread, made known to `threading`. Called by the core at the thread's start and end."""

import threading
from typing import Any


class WorkerThread(threading._DummyThread):
    """The current thread, which Python did not start, as one that can be named, listed and joined.

    A dummy thread, as `threading` calls its own objects for such threads: it says "alive" for ever and cannot
    be joined. This one knows the worker's end.
    """

    def __init__(self, name: str) -> None:
        self._ended = threading.Event()
        super().__init__()
        self.name = name
        # The interpreter does not end before its workers, as with every thread that is no daemon.
        self._daemonic = False

    def is_alive(self) -> bool:
        """Return whether the worker has not come to its end."""
        return not self._ended.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the worker has come to its end, or for `timeout` seconds."""
        if self is threading.current_thread():
            raise RuntimeError("cannot join current thread")
        self._ended.wait(timeout)

    # In a forked child `threading` calls one of these for each thread that it knows: with an ident for the
    # one that forked, which is the main thread there.

    def _after_fork(self, new_ident: int | None = None) -> None:
        self._forget_others(is_alive=new_ident is not None)
        super()._after_fork(new_ident=new_ident)  # type: ignore[misc]

    def _reset_internal_locks(self, is_alive: bool) -> None:  # up to 3.12
        self._forget_others(is_alive)
        super()._reset_internal_locks(is_alive)  # type: ignore[misc]
        if is_alive:
            main: Any = self
            main.__class__ = threading._MainThread  # type: ignore[attr-defined]
            main._name = "MainThread"
            main._set_tstate_lock()

    def _forget_others(self, is_alive: bool) -> None:
        self._ended._at_fork_reinit()  # type: ignore[attr-defined]
        if not is_alive:
            self._ended.set()

    def __repr__(self) -> str:
        state = "alive" if self.is_alive() else "ended"
        return f"<{type(self).__name__}({self.name}, {state} {self.ident})>"


class Crew(set[threading.Thread]):
    """The threads of a pool's workers: those that live."""

    keeps_ended = False
    """Whether the threads that end from now on stay."""


def register(name: str, crew: Crew) -> None:
    """Name the current thread, as one of the crew."""
    thread = WorkerThread(name)
    crew.add(thread)
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
    """Do nothing: what is pending in this thread is raised here, and others get the interpreter."""


def unregister(crew: Crew | None) -> None:
    """Have `threading` forget the current thread: a later one with its ident is not to find it there."""
    with threading._active_limbo_lock:  # type: ignore[attr-defined]
        thread = threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]
    if isinstance(thread, WorkerThread):
        if crew is not None and not crew.keeps_ended:
            crew.discard(thread)
        ended = thread._ended
        del thread  # whoever has waited for it may be the last to hold it
        ended.set()

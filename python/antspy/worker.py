"""A worker's thread, made known to `threading`. Called by the core at the thread's start and end."""

import threading
from typing import Any

from ._antspy import _Seat


class WorkerThread(threading._DummyThread):
    """The current thread, which Python did not start, as one that can be named, listed and joined.

    A dummy thread, as `threading` calls its own objects for such threads: it says "alive" for ever and cannot
    be joined. This one knows the worker's end.

    There may be thousands. An event with its condition, lock and queue, which `threading` gives each thread,
    takes more than all the rest of it. So what is the same for all that have started is the class's, and the
    event of its end is made for whoever waits for it.
    """

    _has_ended = False
    _end: threading.Event | None = None
    """For those who wait. Both are written under the lock of `threading`'s own list of threads."""

    def __init__(self, name: str, daemon: bool, seat: _Seat) -> None:
        this: Any = self
        self.seat = seat
        this._name = name
        if daemon:
            this._daemonic = True
        this._set_ident()
        if make_handle := getattr(threading, "_make_thread_handle", None):  # from 3.13 on
            handle = (
                "_os_thread_handle" if "_os_thread_handle" in _shared else "_handle"
            )  # the first from 3.14 on
            setattr(this, handle, make_handle(this._ident))
        if hasattr(this, "_set_native_id"):
            this._set_native_id()
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            threading._active[this._ident] = self  # type: ignore[attr-defined]

    def is_alive(self) -> bool:
        """Return whether the worker has not come to its end."""
        return not self._has_ended

    def join(self, timeout: float | None = None) -> None:
        """Wait until the worker has come to its end, or for `timeout` seconds."""
        if self is threading.current_thread():
            raise RuntimeError("cannot join current thread")
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            if self._has_ended:
                return
            if self._end is None:
                self._end = threading.Event()
        self._end.wait(timeout)

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
        self._has_ended = not is_alive
        if self._end is not None:
            self._end._at_fork_reinit()  # type: ignore[attr-defined]
            if not is_alive:
                self._end.set()
        if is_alive:  # and about to be of another class
            vars(self).update(_shared | vars(self))

    def __repr__(self) -> str:
        state = "alive" if self.is_alive() else "ended"
        return f"<{type(self).__name__}({self.name}, {state} {self.ident})>"


def _share() -> dict[str, Any]:
    """Give the class what a thread that has started has of `threading`, and return it."""
    # With a name, or it would take a number from the program's own threads. Not a daemon: the interpreter
    # does not end before its workers, but for those of a daemon pool.
    thread = threading.Thread(name="worker", daemon=False)
    thread._started.set()  # type: ignore[attr-defined]
    for name, value in vars(thread).items():
        setattr(WorkerThread, name, value)
    return vars(thread)


_shared = _share()


class Crew(set[threading.Thread]):
    """The threads of a pool's workers: those that live."""

    keeps_ended = False
    """Whether the threads that end from now on stay."""

    def __init__(self, daemon: bool = False) -> None:
        super().__init__()
        self.daemon = daemon


def register(name: str, crew: Crew, seat: _Seat) -> None:
    """Name the current thread, as one of the crew."""
    crew.add(WorkerThread(name, crew.daemon, seat))


def checkpoint() -> None:
    """Do nothing: what is pending in this thread is raised here, and others get the interpreter."""


def unregister(crew: Crew | None) -> None:
    """Have `threading` forget the current thread: a later one with its ident is not to find it there."""
    known: dict[int, threading.Thread] = threading._active  # type: ignore[attr-defined]
    thread = known.get(threading.get_ident())
    if not isinstance(thread, WorkerThread):
        known.pop(threading.get_ident(), None)  # a dummy, made for whoever has asked for this thread
        return
    if crew is not None and not crew.keeps_ended:
        crew.discard(thread)
    with threading._active_limbo_lock:  # type: ignore[attr-defined]
        thread._has_ended = True  # first: in a child that is forked between the two nobody would say so
        known.pop(threading.get_ident(), None)
        end = thread._end
    del thread  # whoever has waited for it may be the last to hold it
    if end is not None:
        end.set()

"""Many tasks that are all inside at the same time: a pool that holds them has a worker for each."""

from itertools import count

from vs.peer import Peer


class Crowd:
    """`size` tasks come in, and stay until they are told to leave.

    They leave one after the other, each let go by the one before it: thousands that wake at once would wait
    for the interpreter at once.
    """

    def __init__(self, peer: Peer, size: int) -> None:
        self._complete = peer.event()
        self._gate = peer.lock()
        self._gate.acquire()
        self._last = size - 1
        self._arrivals = count()

    def enter(self) -> None:
        """The task."""
        if next(self._arrivals) == self._last:
            self._complete.set()
        with self._gate:
            pass

    def wait_complete(self) -> None:
        self._complete.wait()

    def leave(self) -> None:
        self._gate.release()

"""Calls by way of a cluster that come back: what a test hands in runs in the test's own process, so that it
may be a closure, a gate, a bound method of a list. The pool's part, and the way through the cluster, are the
real ones: the scheduler, a worker's process and one of its threads. What is not tried so is pickling:
functions, arguments and results stay here, and go through the cluster as numbers.
"""

import itertools
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any

from antspy.dask.carrier import Carrier


class Caller(socketserver.StreamRequestHandler):
    """A connection from the cluster, and a thread of its own: for one call."""

    server: "Switchboard"

    def handle(self) -> None:
        number = int(self.rfile.readline())
        self.server.run(number)
        self.wfile.write(b"done\n")


class Switchboard(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Caller)
        self._numbers = itertools.count()
        self.served = 0
        """How many calls have come back. Written by many threads: about so many."""
        self._calls: dict[int, tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = {}
        self._outcomes: dict[int, tuple[object, BaseException | None]] = {}
        threading.Thread(target=self.serve_forever, name="switchboard", daemon=True).start()

    def keep(self, fn: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> int:
        number = next(self._numbers)
        self._calls[number] = fn, args, kwargs or {}
        return number

    def run(self, number: int) -> None:
        fn, args, kwargs = self._calls.pop(number)
        self.served += 1
        try:
            self._outcomes[number] = fn(*args, **kwargs), None
        except BaseException as error:
            self._outcomes[number] = None, error

    def take(self, number: int) -> object:
        value, error = self._outcomes.pop(number)
        if error is None:
            return value
        try:
            raise error
        finally:
            del error

    def drop(self, number: int) -> None:
        """It did not come to run."""
        self._calls.pop(number, None)
        self._outcomes.pop(number, None)


def ring(address: tuple[str, int], number: int) -> None:
    """Call the switchboard: this runs in a worker of the cluster."""
    with socket.create_connection(address) as connection:
        connection.sendall(b"%d\n" % number)
        connection.recv(16)


class ReturnCarrier(Carrier):
    """Has a call come back."""

    switchboard: Switchboard

    def __call__(
        self,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None,
        name: str | None,
    ) -> object:
        board = self.switchboard
        number = board.keep(fn, args, kwargs)
        del fn, args, kwargs
        address = board.server_address
        try:
            super().__call__(ring, (address, number), None, name)
            return board.take(number)
        finally:
            board.drop(number)

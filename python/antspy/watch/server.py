"""Serves what the pools of this process do on a Unix socket that only its owner can open."""

import atexit
import contextlib
import json
import os
import selectors
import socket
import socketserver
import struct
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from .place import listen
from .request import Calm, refuse_others, with_stacks
from .snapshot import Watch

PATIENCE = 5.0
"""Seconds that a request may take: one after the other is answered."""
SLOWEST = 20
"""How many of the tasks of a pool are shown, if the request does not say."""


class StatsServer:
    """Answers requests for what the pools do, until it is closed. Made by `serve_stats`.

    It is a context manager, whose end closes it. A forked child does not serve; it may call `serve_stats`
    itself.

    >>> import antspy, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with antspy.serve_stats(folder + "/stats") as server:
    ...         server.path.name
    'stats'
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        """Where its socket is."""
        self._server = Server(path)
        self._inode = path.stat().st_ino
        self._thread = threading.Thread(target=self._server.serve, name="antspy-stats", daemon=True)
        self._thread.start()
        _serving.add(self)

    @property
    def closed(self) -> bool:
        """Whether it answers no more."""
        return self not in _serving

    def close(self) -> None:
        """Stop answering, and remove the socket. On a closed one nothing happens.

        >>> import antspy, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     server = antspy.serve_stats(folder + "/stats")
        ...     server.close()
        ...     server.closed
        True
        """
        if self.closed:
            return
        self._server.stop()
        self._thread.join(PATIENCE)
        self._server.server_close()
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._inode:  # or another has taken its place
                self.path.unlink()
        _serving.discard(self)  # last: Ctrl-C before that leaves it to the next call

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<StatsServer {'closed' if self.closed else 'open'} path={str(self.path)!r}>"


_serving: set[StatsServer] = set()
"""Those that are open."""


def serve_stats(path: str | os.PathLike[str]) -> StatsServer:
    """Let whoever owns this process see what its pools do: `antspy top PATH` shows it.

    A Unix socket is made there that only its owner (and root) can open, and a thread answers requests on it
    with a document of JSON each. They are of HTTP: `curl --unix-socket PATH http://antspy/stats` works, too.
    From now on workers write down which task they run and since when, some nanoseconds a task; as long as
    nobody asks there is nothing else to do.

    Args:
        path: Where the socket is to be; what an ended process has left there is replaced.

    Returns:
        The server; `close()`, or the end of the program, removes the socket.

    Raises:
        FileExistsError: Somebody serves there already, or what is there is no socket.
        OSError: The socket cannot be made there: no such folder, no right to write into it, a path too long.
        TypeError: `path` is no path.

    >>> import antspy, os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder, antspy.serve_stats(folder + "/stats") as server:
    ...     oct(os.stat(server.path).st_mode)[-3:]
    '600'
    """
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("serve_stats() needs Unix sockets, which this system's Python does not have")
    try:
        place = os.fspath(path)
    except TypeError:
        raise TypeError(f"path must be a path, not {path!r}") from None
    if not isinstance(place, str):
        raise TypeError(f"path must be a str or a path of str, not {path!r}")
    return StatsServer(Path(place).absolute())


class Server(Calm, socketserver.TCPServer):
    """HTTP on a Unix socket, one request after the other."""

    if hasattr(socket, "AF_UNIX"):
        address_family = socket.AF_UNIX

    def __init__(self, path: Path) -> None:
        listening = listen(path)
        self.watch = Watch()
        self._bell, self._rope = socket.socketpair()
        self._stopped = False
        self._answered: socket.socket | None = None
        """The connection whose request is answered now. `process_request` writes this and then reads
        `_stopped`, `stop` writes that and then reads this: so one of them sees what the other did."""
        super().__init__(str(path), Handler, bind_and_activate=False)  # type: ignore[arg-type]
        self.socket.close()
        self.socket = listening

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether the other end is of the same user, where the system tells, or root."""
        if not hasattr(socket, "SO_PEERCRED"):
            return True
        size = struct.calcsize("3i")
        _, user, _ = struct.unpack("3i", request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return user in (os.geteuid(), 0)

    def serve(self) -> None:
        """Answer until somebody calls `stop`; sleeps as long as nobody asks."""
        with selectors.DefaultSelector() as selector:
            for end in (self.socket, self._bell):
                selector.register(end, selectors.EVENT_READ)
            while self._bell not in [key.fileobj for key, _ in selector.select()]:
                self._handle_request_noblock()  # type: ignore[attr-defined]  # as `serve_forever` does

    def process_request(self, request: Any, client_address: Any) -> None:
        self._answered = request
        if not self._stopped:
            super().process_request(request, client_address)
        self._answered = None

    def stop(self) -> None:
        """Have `serve` return, also if it waits for a request that does not come."""
        self._stopped = True
        if (answered := self._answered) is not None:
            with contextlib.suppress(OSError):
                answered.shutdown(socket.SHUT_RDWR)
        self._rope.close()

    def server_close(self) -> None:
        super().server_close()
        self.watch.close()
        self._bell.close()
        self._rope.close()


class Handler(BaseHTTPRequestHandler):
    """`GET /stats`, with `stacks=1` and `slowest=N`."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]  # it is
    timeout = PATIENCE

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path != "/stats":
            self._answer(404, {"error": f"{url.path} is not there; /stats is"})
            return
        try:
            stacks, slowest = terms(url.query)
        except ValueError as error:
            self._answer(400, {"error": str(error)})
            return
        self._answer(200, self.server.watch.snapshot(stacks, slowest))

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return str(self.server.server_address)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the program's output is the program's."""


def terms(query: str) -> tuple[bool, int]:
    """Read what a request asks for."""
    given = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    refuse_others(given, "stacks", "slowest")
    stacks, slowest = with_stacks(given), given.get("slowest", str(SLOWEST))
    if not (slowest.isascii() and slowest.isdigit() and len(slowest) < 10):
        raise ValueError(f"slowest must be a whole number, at least 0, not {slowest!r}")
    return stacks, int(slowest)


def _close_all() -> None:
    for server in list(_serving):
        server.close()


def _forget_all() -> None:
    """In a forked child there is no thread that serves: the parent's sockets are the parent's."""
    Watch.forget_all()
    for server in _serving:
        server._server.server_close()
    _serving.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)

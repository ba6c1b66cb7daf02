"""Serves the page of `antspy top --web`, and what it asks for, to browsers of this machine."""

from __future__ import annotations

import errno
import json
import math
import socket
import socketserver
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..client import Client, WatchError
from ..options import Options
from ..request import Calm, reason, refuse_others, with_stacks
from .history import History

PATIENCE = 10.0
"""Seconds that a browser may take to send a request, or to take the answer."""

CONNECTIONS = 64
"""The most at once, each with a thread. Who comes beyond them is sent away: the page asks again."""

FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/plot.js": ("plot.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}

HEADERS = {
    # The page has its own files and nothing else; no text that it gets can become a script.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

LOCAL = ("localhost", "127.0.0.1", "::1")


def serve(options: Options, client: Client) -> int:
    """Serve the page until Ctrl-C.

    Raises:
        WatchError: There is no such process, or the page cannot be served at that port or host.
    """
    with History(options, client) as history, WebServer(options, client, history) as server:
        print(f"antspy top: {server.url} (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.1)
    return 0


class WebServer(Calm, ThreadingHTTPServer):
    """Has a thread a connection, so that a slow browser holds up nobody; `CONNECTIONS` of them at most."""

    daemon_threads = True
    allow_reuse_port = False  # two on one port would each get some of the requests
    request_queue_size = 64

    def __init__(self, options: Options, client: Client, history: History) -> None:
        assert options.web is not None
        self.host = options.host
        self.history = history
        self._slowest = options.slowest
        self._client = client
        self._one_by_one = threading.Lock()
        self._places = threading.Semaphore(CONNECTIONS)
        self._files = {path: (read(name), kind) for path, (name, kind) in FILES.items()}
        self.address_family, address = resolve(options.host, options.web)
        try:
            super().__init__(address, Handler)
        except (OSError, OverflowError) as error:
            raise refused(options, error) from None

    def server_bind(self) -> None:
        """Do without the name of this machine, which may take seconds to find."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()  # no thread could be started
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.server_port}/"

    def file(self, path: str) -> tuple[bytes, str] | None:
        """Return one of the page's files and its type."""
        return self._files.get(path)

    def stats(self, stacks: bool) -> dict[str, Any]:
        """Ask the process now; one such request after the other, whatever the browsers do.

        Raises:
            WatchError: It does not answer.
        """
        with self._one_by_one:
            return self._client.ask(stacks, self._slowest)


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, Any]:
    """Return the kind of address that a host is, and the address."""
    if not host:
        raise WatchError(f"--host must be a name or an address, not {host!r}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WatchError(f"--host {host!r}: {reason(error)}") from None
    family, _, _, _, address = found[0]
    return family, address


def refused(options: Options, error: Exception) -> WatchError:
    """Say by which of its arguments the page cannot be served."""
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return WatchError(f"--host {options.host!r}: {reason(error)}")
    return WatchError(f"--web {options.web}: {reason(error)}")


def read(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()


class Handler(BaseHTTPRequestHandler):
    """`GET` of the page's files; of `/state?after=TIME`, what is known; of `/stats?stacks=1`, which asks."""

    server: WebServer  # pyright: ignore[reportIncompatibleVariableOverride]  # it is
    timeout = PATIENCE

    def do_GET(self) -> None:
        if not self._is_for_us():
            self._answer(403, {"error": f"this is not {self.headers['Host']!r}, but {self.server.url}"})
            return
        url = urlsplit(self.path)
        try:
            terms = dict(parse_qsl(url.query, strict_parsing=bool(url.query)))
            if url.path == "/state":
                self._answer(200, self.server.history.state(moment(terms)))
            elif url.path == "/stats":
                refuse_others(terms, "stacks")
                self._answer(200, self.server.stats(with_stacks(terms)))
            elif (file := self.server.file(url.path)) is not None:
                self._send(200, *file)
            else:
                self._answer(404, {"error": f"{url.path} is not there"})
        except ValueError as error:
            self._answer(400, {"error": str(error)})
        except WatchError as error:
            self._answer(502, {"error": str(error)})

    def _is_for_us(self) -> bool:
        """Whether the browser means this server by its name or address.

        A page elsewhere may let its own name lead here (DNS rebinding): then that name is asked for.
        """
        given = self.headers.get_all("Host") or []
        if len(given) != 1:
            return False
        try:
            name = urlsplit(f"//{given[0]}").hostname
        except ValueError:
            return False
        came_to = self.connection.getsockname()[0].removeprefix("::ffff:")  # so IPv6 names addresses of IPv4
        return name in {*LOCAL, self.server.host.lower(), came_to}

    def _answer(self, status: int, document: dict[str, Any]) -> None:
        self._send(status, json.dumps(document).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or none with `GET`."""
        self.close_connection = True
        self._answer(code, {"error": message or self.responses[code][0]})

    def version_string(self) -> str:
        return "antspy"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a page asks every second."""


def moment(terms: dict[str, str]) -> float:
    """Read after which moment the samples are wanted."""
    refuse_others(terms, "after")
    given = terms.get("after", "0")
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"after must be seconds since the epoch, not {given!r}")
    return value

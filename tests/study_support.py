"""A server that the jobs of the study call, and one configuration of it in a process of its own."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from antspy.study.configuration import Configuration
from antspy.study.options import Capacity, Client, Variant
from support import LIMIT

JOBS = 101
PATHS = sorted(f"/two/{number}" for number in range(JOBS))


class Calls(ThreadingHTTPServer):
    """A server that knows what it was asked, and on which connections."""

    request_queue_size = 128

    def __init__(self, status: int, *, close: bool) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = status
        self.close = close
        self.lock = threading.Lock()
        self.paths: list[str] = []
        self.connections: set[Any] = set()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Calls

    def do_GET(self) -> None:
        with self.server.lock:
            if self.path.startswith("/two/"):  # the others are not jobs
                self.server.paths.append(self.path)
                self.server.connections.add(self.client_address)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "3")
        if self.server.close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def calls(status: int = 200, *, close: bool = False) -> Iterator[Calls]:
    with Calls(status, close=close) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(LIMIT)


def row(
    port: int,
    capacity: Capacity = 5,
    variant: Variant = Variant.SUBMIT,
    client: Client = Client.HTTPTOOLS,
) -> Configuration:
    return Configuration("a row", capacity, variant, client, jobs=JOBS, port=port, delay=0)


def measured(command: list[str], configuration: Configuration) -> dict[str, Any]:
    """The result of a process that ended well."""
    process = subprocess.Popen(
        [*command, configuration.to_json()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        lines = process.stdout.readlines()
        assert process.wait(LIMIT) == 0
    return dict(json.loads(lines[-1])["result"])

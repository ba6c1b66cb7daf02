"""The client `httptools`: a socket for each worker, whose answers the parser of Node.js reads.

A request is two calls that let go of the interpreter, one to send and one to receive, with some microseconds
of Python around them. A connection holds a socket, a parser and one open file.
"""

from __future__ import annotations

import socket
import struct

import httptools

from antspy.study.client import CONNECT_TIMEOUT, Connector, FetchError, why

PIECE = 256
"""Bytes to receive at once. Each thread that waits for its answer holds so many; an answer of the study is
shorter."""


class Answer:
    """What the parser tells. They know each other, in a cycle that only the collector ends; the socket, which
    is an open file, is not in it."""

    __slots__ = ("complete", "keep_alive", "parser")

    complete: bool
    keep_alive: bool

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)

    def on_message_complete(self) -> None:
        self.complete = True
        self.keep_alive = self.parser.should_keep_alive()  # not known any more when `feed_data` is back


class Connection:
    """One keep-alive connection, which connects at its first request and again after a failed one."""

    __slots__ = ("answer", "stream")

    stream: socket.socket | None

    def __init__(self) -> None:
        self.stream = None

    def connect(self, address: tuple[str, int], timeout: float) -> socket.socket:
        connected = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.stream = connected  # now, so that `close` finds it if connecting fails
        connected.settimeout(CONNECT_TIMEOUT)
        connected.connect(address)
        # From here the kernel keeps the time: Python would ask before each call if it is ready.
        connected.settimeout(None)
        seconds, rest = divmod(timeout, 1)
        limit = struct.pack("ll", int(seconds), int(rest * 1e6))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.answer = Answer()
        return connected

    def close(self) -> None:
        if self.stream is not None:
            self.stream.close()
            self.stream = None


def socket_connector(host: str, port: int, timeout: float) -> Connector:
    address, rest = (host, port), f" HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"

    def request(connection: Connection, path: str) -> None:
        try:
            stream = connection.stream or connection.connect(address, timeout)
            stream.sendall(f"GET {path}{rest}".encode())
            answer = connection.answer
            answer.complete = False
            parser = answer.parser
            while not answer.complete:
                received = stream.recv(PIECE)
                if not received:
                    raise FetchError("connection closed without an answer")
                parser.feed_data(received)
        except (OSError, httptools.HttpParserError) as error:
            connection.close()
            raise FetchError(why(error)) from None
        except FetchError:
            connection.close()
            raise
        if not answer.keep_alive:
            connection.close()
        status = parser.get_status_code()
        if status != 200:
            raise FetchError(f"status {status}")

    return Connector(Connection, request, f"a socket and httptools {httptools.__version__}")

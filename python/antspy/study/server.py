"""The server that the jobs call: an HTTP/1.1 server in a process of its own.

    GET /one/:id    answers after 2 s
    GET /two/:id    answers after the delay (100 ms in the study)
    GET /zero/:id   answers at once; the server's own request rate is measured here
    GET /open/      how many connections are open, this one included

uvloop runs the sockets, httptools (the parser of Node.js) reads the requests. Nothing is put on top
of them, because the server must not be what is measured, and it shares the machine with the client:
one request costs about 20 µs of processor time here, about 40 µs in granian and 65 to 115 µs in
uvicorn (2 cores, 1,000 to 10,000 connections).

The listening socket is opened by the parent and handed over, so that a port in use is known before
anything starts.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from functools import partial
from importlib.metadata import version
from typing import cast

import httptools
import uvloop

from antspy.study.lifeline import follow_parent
from antspy.study.message import say

BACKLOG = 65_535
"""Connections that may wait for `accept`; the kernel lowers it to its own limit (`somaxconn`)."""

ONE_DELAY = 2.0


def reply(status: str, body: bytes, *, close: bool = False) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
    return (head + ("Connection: close\r\n" if close else "") + "\r\n").encode() + body


OPEN = b"/open/"

OK = reply("200 OK", b"ok\n")
OK_CLOSE = reply("200 OK", b"ok\n", close=True)
NOT_FOUND = reply("404 Not Found", b"not found\n", close=True)
BAD_REQUEST = reply("400 Bad Request", b"bad request\n", close=True)


class Connection(asyncio.Protocol):
    """One keep-alive connection; httptools calls `on_url` and `on_message_complete` while it is
    fed."""

    open = 0
    """All that there are."""

    def __init__(self, delays: dict[bytes, float]) -> None:
        self.delays = delays
        self.parser = httptools.HttpRequestParser(self)
        self.url = b""
        self.later = asyncio.get_running_loop().call_later

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class, not a subclass of asyncio's
        Connection.open += 1

    def connection_lost(self, exc: Exception | None) -> None:
        Connection.open -= 1

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.answer(BAD_REQUEST)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_message_complete(self) -> None:
        route, self.url = self.url[: self.url.find(b"/", 1) + 1], b""
        delay = self.delays.get(route)
        if route == OPEN:
            self.answer(reply("200 OK", f"{Connection.open}\n".encode(), close=True))
        elif delay is None:
            self.answer(NOT_FOUND)
        elif self.parser.should_keep_alive():
            self.later(delay, self.answer, OK)
        else:
            self.later(delay, self.answer, OK_CLOSE)

    def answer(self, data: bytes) -> None:
        if self.transport.is_closing():  # the client did not wait
            return
        self.transport.write(data)
        if data is not OK:
            self.transport.close()


async def serve(listener: socket.socket, delay: float) -> None:
    delays = {b"/zero/": 0.0, b"/one/": ONE_DELAY, b"/two/": delay}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, delays), sock=listener, backlog=BACKLOG)
    say({"library": f"uvloop {version('uvloop')}, httptools {version('httptools')}"}, output=1)
    await server.serve_forever()


if __name__ == "__main__":
    follow_parent()
    uvloop.run(serve(socket.socket(fileno=int(sys.argv[1])), float(sys.argv[2])))

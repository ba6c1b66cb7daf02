"""The server's own request rate: `python -m antspy.study.server_rate PORT CONNECTIONS`.

A compact client in a process of its own: each connection sends its next request as soon as it has
the answer to the last, on the route without a delay. Client and server share the machine, so that
the server could do at least this much.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

import uvloop

from antspy.study.configuration import HOST
from antspy.study.lifeline import follow_parent
from antspy.study.message import say

WARM_UP = 0.2
DURATION = 1.0
CONNECTIONS = 1_000
REQUEST = f"GET /zero/1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


class Connection(asyncio.Protocol):
    """Asks again whenever it is answered; an answer is small enough to arrive in one piece."""

    answers = 0
    lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.answers += 1
        self.transport.write(REQUEST)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


async def measure(port: int, count: int) -> float:
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(count):
        _, connection = await loop.create_connection(Connection, HOST, port)
        connections.append(connection)
    for connection in connections:
        connection.transport.write(REQUEST)
    await asyncio.sleep(WARM_UP)
    before, start = sum(connection.answers for connection in connections), time.perf_counter()
    await asyncio.sleep(DURATION)
    answers, seconds = (
        sum(connection.answers for connection in connections) - before,
        time.perf_counter() - start,
    )
    if any(connection.lost for connection in connections):
        raise ConnectionError("the server closed a connection")
    return answers / seconds


if __name__ == "__main__":
    follow_parent()
    say({"rate": uvloop.run(measure(int(sys.argv[1]), int(sys.argv[2])))}, output=1)

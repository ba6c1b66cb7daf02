"""A server whose answers take longer by the square of what is too much at once: a byte for a byte.

`python benches/slow_server.py DESCRIPTOR DELAY LIMIT [DELAY LIMIT]`: with up to LIMIT calls at once an answer
takes DELAY seconds; with n times as many, n * n times as long. The byte `!` has it go on with the next pair.
"""

import asyncio
import socket
import sys
from functools import partial
from itertools import cycle
from typing import cast

import uvloop
from antspy.study.lifeline import follow_parent


class Slowness:
    def __init__(self, pairs: list[tuple[float, int]]) -> None:
        self.pairs = cycle(pairs)
        self.delay, self.limit = next(self.pairs)
        self.calls = 0

    def change(self) -> None:
        self.delay, self.limit = next(self.pairs)

    def now(self) -> float:
        return self.delay * max(1.0, self.calls / self.limit) ** 2


class Connection(asyncio.Protocol):
    def __init__(self, slowness: Slowness) -> None:
        self.slowness = slowness

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if data == b"!":
            self.slowness.change()
        self.slowness.calls += 1
        asyncio.get_running_loop().call_later(self.slowness.now(), self.answer)

    def answer(self) -> None:
        self.slowness.calls -= 1
        if not self.transport.is_closing():
            self.transport.write(b".")


async def serve(listener: socket.socket, slowness: Slowness) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, slowness), sock=listener, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    follow_parent()
    numbers = [float(text) for text in sys.argv[2:]]
    pairs = [(delay, int(limit)) for delay, limit in zip(numbers[::2], numbers[1::2], strict=True)]
    uvloop.run(serve(socket.socket(fileno=int(sys.argv[1])), Slowness(pairs)))

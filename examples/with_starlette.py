"""Starlette: blocking endpoints on an antspy pool that is opened and released with the application."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from antspy import Pool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

pool = Pool(100)


def on_pool(fn: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """Run a blocking endpoint on the pool. A request waits for its place without blocking the event loop."""

    @functools.wraps(fn)
    async def endpoint(request: Request) -> Response:
        return await pool.arun(fn, request)

    return endpoint


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    pool.reboot()  # nothing, unless the application is started for the second time
    async with pool:  # released when the application ends
        yield


@on_pool
def greet(request: Request) -> Response:
    return PlainTextResponse(f"hello {request.path_params['name']}")


app = Starlette(routes=[Route("/{name}", greet)], lifespan=lifespan)

with TestClient(app) as client:
    print(client.get("/ant").text)
    assert client.get("/bee").text == "hello bee"
assert pool.closed

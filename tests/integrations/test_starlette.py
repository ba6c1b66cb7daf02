"""Starlette's blocking endpoints on a pool, as the example shows."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import antspy
from support import LIMIT, Gate, library

library("starlette")
library("httpx2")

from anyio.to_thread import current_default_thread_limiter  # noqa: E402
from httpx2 import ASGITransport, AsyncClient  # noqa: E402
from starlette.applications import Starlette  # noqa: E402
from starlette.exceptions import HTTPException  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import PlainTextResponse, Response  # noqa: E402
from starlette.routing import Route  # noqa: E402
from starlette.testclient import TestClient  # noqa: E402

Blocking = Callable[[Request], Response]

ANYIO_THREADS = 40
"""What Starlette's own endpoints in threads are limited to."""


def application(pool: antspy.Pool, **endpoints: Blocking) -> Starlette:
    """Return an application with `endpoints` under their names, on `pool`, and one that needs no thread."""

    def on_pool(fn: Blocking) -> Callable[[Request], Awaitable[Response]]:
        @functools.wraps(fn)
        async def endpoint(request: Request) -> Response:
            return await pool.arun(fn, request)

        return endpoint

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        pool.reboot()
        async with pool:
            yield

    async def alive(request: Request) -> Response:
        return PlainTextResponse("alive")

    routes = [Route(f"/{name}", on_pool(endpoint)) for name, endpoint in endpoints.items()]
    return Starlette(routes=[*routes, Route("/alive", alive)], lifespan=lifespan)


@asynccontextmanager
async def started(app: Starlette) -> AsyncIterator[AsyncClient]:
    """A client of the application, which runs in this loop."""
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


def client_of(app: Any) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://app")


def worker(request: Request) -> Response:
    return PlainTextResponse(threading.current_thread().name)


def test_an_endpoint_runs_on_a_worker() -> None:
    pool = antspy.Pool(4, thread_name_prefix="ant")
    with TestClient(application(pool, worker=worker)) as client:
        assert client.get("/worker").text.startswith("ant_")
        assert client.get("/alive").text == "alive"


def test_the_pool_is_open_while_the_application_runs_and_as_often_as_it_is_started() -> None:
    pool = antspy.Pool(4)
    app = application(pool, worker=worker)
    for _ in range(3):
        with TestClient(app) as client:
            assert not pool.closed
            assert client.get("/worker").status_code == 200
        assert pool.closed
        assert pool.running == 0


def test_more_endpoints_run_at_once_than_anyio_has_threads() -> None:
    together = threading.Barrier(2 * ANYIO_THREADS)

    def meet(request: Request) -> Response:
        return PlainTextResponse(str(together.wait(LIMIT)))

    async def main() -> list[str]:
        assert current_default_thread_limiter().total_tokens == ANYIO_THREADS
        async with started(application(antspy.Pool(100), meet=meet)) as client:
            answers = await asyncio.gather(*(client.get("/meet") for _ in range(2 * ANYIO_THREADS)))
            return [answer.text for answer in answers]

    assert sorted(asyncio.run(main()), key=int) == [str(number) for number in range(2 * ANYIO_THREADS)]


def test_requests_beyond_the_places_wait_and_the_loop_goes_on(gate: Gate) -> None:
    pool = antspy.Pool(2)

    def stay(request: Request) -> Response:
        return PlainTextResponse(gate("done"))

    async def main() -> list[str]:
        async with started(application(pool, stay=stay)) as client:
            requests = [asyncio.create_task(client.get("/stay")) for _ in range(30)]
            while pool.waiting < 28:
                await asyncio.sleep(0)
            assert (pool.busy, (await client.get("/alive")).text) == (2, "alive")
            gate.open()
            return [(await request).text for request in requests]

    assert asyncio.run(main()) == ["done"] * 30


def test_a_request_that_is_given_up_gives_up_its_place_in_the_line(gate: Gate) -> None:
    ran = []
    pool = antspy.Pool(1)

    def stay(request: Request) -> Response:
        ran.append(request.url.query)
        return PlainTextResponse(gate("done"))

    async def main() -> None:
        async with started(application(pool, stay=stay)) as client:
            first = asyncio.create_task(client.get("/stay?first"))
            await asyncio.to_thread(gate.wait_entered)
            second = asyncio.create_task(client.get("/stay?second"))
            while pool.waiting < 1:
                await asyncio.sleep(0)
            second.cancel()
            while pool.waiting > 0:
                await asyncio.sleep(0)
            gate.open()
            assert (await first).text == "done"

    asyncio.run(main())
    assert ran == ["first"]


def test_an_error_of_an_endpoint_is_answered_as_always() -> None:
    def refuse(request: Request) -> Response:
        raise HTTPException(418, "no coffee")

    def fail(request: Request) -> Response:
        raise LookupError("no ant")

    app = application(antspy.Pool(2), refuse=refuse, fail=fail, worker=worker)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/refuse")
        assert (answer.status_code, answer.text) == (418, "no coffee")
        assert client.get("/fail").status_code == 500
        assert client.get("/worker").status_code == 200


def test_a_full_pool_that_raises_can_be_answered_with_503(gate: Gate) -> None:
    async def overloaded(request: Request, error: Exception) -> Response:
        return PlainTextResponse("later", status_code=503)

    pool = antspy.Pool(1, overflow="raise")
    app = application(pool, stay=lambda request: PlainTextResponse(gate("done")))
    app.add_exception_handler(antspy.PoolOverloadError, overloaded)

    async def main() -> list[int]:
        async with started(app) as client:
            first = asyncio.create_task(client.get("/stay"))
            await asyncio.to_thread(gate.wait_entered)
            second = await client.get("/stay")
            gate.open()
            return [(await first).status_code, second.status_code]

    assert asyncio.run(main()) == [200, 503]


def test_an_endpoint_sees_the_context_of_its_request() -> None:
    user: ContextVar[str] = ContextVar("user", default="nobody")

    def whoami(request: Request) -> Response:
        return PlainTextResponse(user.get())

    app = application(antspy.Pool(2), whoami=whoami)

    async def with_user(scope: Any, receive: Any, send: Any) -> None:
        user.set(dict(scope["headers"])[b"user"].decode())
        await app(scope, receive, send)

    async def main() -> None:
        names = [f"user {number}" for number in range(20)]
        async with app.router.lifespan_context(app), client_of(with_user) as client:
            answers = await asyncio.gather(*(client.get("/whoami", headers={"user": name}) for name in names))
        assert [answer.text for answer in answers] == names

    asyncio.run(main())
    assert user.get() == "nobody"

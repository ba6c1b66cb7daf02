"""FastAPI's blocking endpoints on a pool, as the example shows."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, ParamSpec, TypeVar

import antspy
import pytest
from support import LIMIT, library

library("fastapi")
library("httpx2")

from fastapi import Depends, FastAPI, HTTPException, Request, Response  # noqa: E402
from fastapi.testclient import TestClient  # noqa: E402
from httpx2 import ASGITransport, AsyncClient  # noqa: E402
from pydantic import BaseModel  # noqa: E402

P = ParamSpec("P")
T = TypeVar("T")

pool = antspy.Pool(100, thread_name_prefix="ant")
together = threading.Barrier(80)
events: list[str] = []


def on_pool(fn: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    @functools.wraps(fn)
    async def endpoint(*args: P.args, **kwargs: P.kwargs) -> T:
        return await pool.arun(fn, *args, **kwargs)

    return endpoint


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    pool.reboot()
    async with pool:
        yield


app = FastAPI(lifespan=lifespan)


class Ant(BaseModel):
    name: str
    legs: int = 6


async def colony(request: Request) -> AsyncIterator[str]:
    events.append("opened")
    yield request.headers.get("colony", "black")
    events.append("closed")


@app.get("/ants/{name}")
@on_pool
def ant(name: str, colony: Annotated[str, Depends(colony)], response: Response, legs: int = 6) -> Ant:
    """Find an ant."""
    events.append("ran")
    response.headers["worker"] = threading.current_thread().name
    response.headers["colony"] = colony
    return Ant(name=name, legs=legs)


@app.post("/legs")
@on_pool
def legs(ant: Ant) -> int:
    if ant.name == "nobody":
        raise HTTPException(404, "no ant")
    return ant.legs


@app.get("/meet")
@on_pool
def meet() -> int:
    return together.wait(LIMIT)


@pytest.fixture
def client() -> Iterator[TestClient]:
    events.clear()
    with TestClient(app) as client:
        yield client
    assert pool.closed


def test_an_endpoint_runs_on_a_worker_with_all_that_fastapi_gives_it(client: TestClient) -> None:
    answer = client.get("/ants/bee?legs=7", headers={"colony": "red"})
    assert answer.json() == {"name": "bee", "legs": 7}
    assert answer.headers["worker"].startswith("ant_")
    assert answer.headers["colony"] == "red"
    assert events == ["opened", "ran", "closed"]


def test_parameters_and_bodies_are_checked_and_described(client: TestClient) -> None:
    assert client.get("/ants/bee?legs=many").status_code == 422
    assert client.post("/legs", json={"legs": 6}).status_code == 422
    assert client.post("/legs", json={"name": "ant"}).json() == 6
    described = client.get("/openapi.json").json()["paths"]["/ants/{name}"]["get"]
    assert described["description"] == "Find an ant."
    assert [parameter["name"] for parameter in described["parameters"]] == ["name", "legs"]


def test_an_error_is_answered_as_always(client: TestClient) -> None:
    answer = client.post("/legs", json={"name": "nobody"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "no ant"})


def test_more_endpoints_run_at_once_than_anyio_has_threads() -> None:
    async def main() -> list[int]:
        transport = ASGITransport(app)
        async with lifespan(app), AsyncClient(transport=transport, base_url="http://app") as client:
            answers = await asyncio.gather(*(client.get("/meet") for _ in range(80)))
            return [answer.json() for answer in answers]

    assert sorted(asyncio.run(main())) == list(range(80))

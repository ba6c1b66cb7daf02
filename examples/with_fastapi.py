"""FastAPI: blocking endpoints on an antspy pool, as many at once as it has places."""

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from antspy import Pool
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

P = ParamSpec("P")
T = TypeVar("T")
pool = Pool(100)


def on_pool(fn: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Run a blocking endpoint on the pool. A request waits for its place without blocking the event loop."""

    @functools.wraps(fn)
    async def endpoint(*args: P.args, **kwargs: P.kwargs) -> T:
        return await pool.arun(fn, *args, **kwargs)

    return endpoint


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    pool.reboot()  # nothing, unless the application is started for the second time
    async with pool:  # released when the application ends
        yield


app = FastAPI(lifespan=lifespan)
together = threading.Barrier(60)  # without the pool there are 40 threads, and this never ends


@app.get("/square/{number}")
@on_pool
def square(number: int) -> int:
    together.wait()
    return number * number


async def main() -> None:
    async with lifespan(app), AsyncClient(transport=ASGITransport(app), base_url="http://app") as client:
        answers = await asyncio.gather(*(client.get(f"/square/{number}") for number in range(60)))
    assert [answer.json() for answer in answers] == [number * number for number in range(60)]
    print(answers[-1].json(), pool)


asyncio.run(main())

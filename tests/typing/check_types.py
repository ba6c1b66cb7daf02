"""What type checkers make of the public names. Checked by mypy with everything else; it never runs."""

import concurrent.futures
from collections.abc import Iterator
from typing import assert_type

import antspy
from antspy import Future, Pool, PoolWithFunc, WaitGroup


def greet(name: str, *, loud: bool = False) -> str:
    return name.upper() if loud else name


async def check_await(pool: Pool, group: WaitGroup) -> None:
    assert_type(await pool.submit(greet, "ant"), str)
    await group


def check_pool(pool: Pool) -> None:
    assert_type(pool.submit(greet, "ant", loud=True), Future[str])
    assert_type(pool.submit(greet, "ant").result(timeout=1), str)
    assert_type(pool.submit(greet, "ant").exception(), BaseException | None)
    assert_type(pool.map(len, ["a", "b"]), Iterator[int])
    assert_type(pool.wait(1.5), bool)
    assert_type(pool.capacity, int | None)
    assert_type(pool.free, int | None)
    assert_type(pool.running, int)
    assert_type(pool.closed, bool)
    pool.go(greet, "ant", loud=True)
    with pool as same:
        assert_type(same, Pool)
    executor: concurrent.futures.Executor = pool
    future: concurrent.futures.Future[str] = pool.submit(greet, "ant")
    del executor, future


def check_mistakes(pool: Pool) -> None:
    # mypy's warn_unused_ignores, part of strict, makes each of these a promise that there is an error.
    pool.submit(greet)  # type: ignore[call-arg]
    pool.submit(greet, 3)  # type: ignore[arg-type]
    pool.go(greet, "ant", quiet=True)  # type: ignore[call-arg]
    pool.submit(3)  # type: ignore[arg-type]
    Pool(3, overflow="drop")  # type: ignore[arg-type]
    pool.capacity = 3  # type: ignore[misc]
    WaitGroup().go(greet)  # type: ignore[call-arg]


def check_pool_with_func() -> None:
    pool = PoolWithFunc(greet, 3, expiry=None)
    assert_type(pool, PoolWithFunc[str])
    assert_type(pool.submit("ant"), Future[str])
    pool.invoke("ant")
    with pool as same:
        assert_type(same, PoolWithFunc[str])


def check_default() -> None:
    assert_type(antspy.default_pool(), Pool)
    assert_type(antspy.submit(greet, "ant"), Future[str])
    assert_type(antspy.wait(), bool)
    assert_type(antspy.free(), int | None)

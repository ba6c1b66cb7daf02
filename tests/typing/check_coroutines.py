"""What type checkers make of the ways in for coroutines."""

import asyncio
from collections.abc import AsyncGenerator
from typing import assert_type

import antspy
from antspy import Future, MultiPool, Pool, PoolWithFunc, SubPool
from antspy.loop_future import LoopFuture
from functions import greet


async def check_pool(pool: Pool) -> None:
    assert_type(await pool.asubmit(greet, "ant", loud=True), Future[str])
    assert_type(await (await pool.asubmit(greet, "ant")), str)
    assert_type(pool.arun(greet, "ant"), LoopFuture[str])
    assert_type(await pool.arun(greet, "ant"), str)
    both = await asyncio.gather(pool.arun(greet, "ant"), pool.arun(len, "ant"))
    assert_type(both, tuple[str, int])
    assert_type(await asyncio.create_task(pool.arun(greet, "ant")), str)
    assert_type(pool.amap(len, ["a"]), AsyncGenerator[int, None])
    assert_type(pool.amap(len, ["a"], progress="lengths"), AsyncGenerator[int, None])
    async for length in pool.amap(len, ["a"], chunksize=2):
        assert_type(length, int)
    async with pool as same:
        assert_type(same, Pool)


async def check_views(pool: Pool, part: SubPool, multi: MultiPool, one: PoolWithFunc[int]) -> None:
    assert_type(await pool.options(priority="low").arun(greet, "ant"), str)
    assert_type(await part.asubmit(greet, "ant"), Future[str])
    assert_type(part.amap(len, ["a"]), AsyncGenerator[int, None])
    assert_type(await multi.arun(greet, "ant"), str)
    assert_type(await one.arun("ant"), int)
    assert_type(await one.options(name="count").asubmit("ant"), Future[int])


async def check_default() -> None:
    assert_type(await antspy.asubmit(greet, "ant"), Future[str])
    assert_type(await antspy.arun(greet, "ant"), str)
    assert_type(antspy.amap(len, ["a"]), AsyncGenerator[int, None])


def check_from_outside(pool: Pool) -> None:
    assert_type(asyncio.run(pool.arun(greet, "ant")), str)

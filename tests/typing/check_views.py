"""What type checkers make of views, sub-pools and several pools as one."""

import concurrent.futures
from collections.abc import Iterator
from typing import assert_type

from antspy import Future, Group, MultiPool, Pool, PoolView, SubPool
from antspy.multi_pool import MultiPoolView
from functions import greet


async def check_view(pool: Pool) -> None:
    view = pool.options(timeout=1, deadline=2.5, priority="low", name="greeting")
    assert_type(view, PoolView)
    assert_type(view.options(name=None), PoolView)
    assert_type(view.submit(greet, "ant", loud=True), Future[str])
    assert_type(await view.submit(greet, "ant"), str)
    assert_type(view.map(len, ["a"]), Iterator[int])
    assert_type(view.group(), Group)
    view.go(greet, "ant")


def check_subpool(pool: Pool) -> None:
    part = pool.subpool(2)
    assert_type(part, SubPool)
    assert_type(part.submit(greet, "ant"), Future[str])
    assert_type(part.map(len, ["a"]), Iterator[int])
    assert_type(part.options(priority="high"), PoolView)
    assert_type(part.group(), Group)
    assert_type(part.capacity, int)
    assert_type(part.free, int)
    assert_type(part.wait(1), bool)
    part.go(greet, "ant")


def check_multi_pool() -> None:
    multi = MultiPool(2, 3, "round_robin", overflow="raise")
    executor: concurrent.futures.Executor = multi
    assert_type(multi.submit(greet, "ant"), Future[str])
    assert_type(multi.map(len, ["a"]), Iterator[int])
    assert_type(multi.group(), Group)
    assert_type(multi.pools, tuple[Pool, ...])
    assert_type(multi.capacity, int | None)
    view = multi.options(timeout=3)
    assert_type(view, MultiPoolView)
    assert_type(view.submit(greet, "ant"), Future[str])
    with multi as same:
        assert_type(same, MultiPool)
    del executor

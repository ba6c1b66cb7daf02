"""What type checkers make of a pool for one function."""

from typing import assert_type

from antspy import Future, MultiPoolWithFunc, PoolWithFunc, Stats
from antspy.view import PoolWithFuncView
from functions import greet


def check_pool_with_func() -> None:
    pool = PoolWithFunc(greet, 3, expiry=None)
    assert_type(pool, PoolWithFunc[str])
    assert_type(pool.submit("ant"), Future[str])
    pool.invoke("ant")
    assert_type(pool.stats(), Stats)
    with pool as same:
        assert_type(same, PoolWithFunc[str])


async def check_view(pool: PoolWithFunc[int]) -> None:
    view = pool.options(priority="low").options(name="count")
    assert_type(view, PoolWithFuncView[int])
    assert_type(view.submit("ant"), Future[int])
    assert_type(await view.submit("ant"), int)
    view.invoke("ant")


def check_multi_pool_with_func() -> None:
    multi = MultiPoolWithFunc(greet, 2, 3, "least_tasks", queue_size=4)
    assert_type(multi, MultiPoolWithFunc[str])
    assert_type(multi.submit("ant"), Future[str])
    assert_type(multi.pools, tuple[PoolWithFunc[str], ...])
    multi.invoke("ant")

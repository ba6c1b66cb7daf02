"""What type checkers make of the default pool's functions."""

from collections.abc import Iterator
from typing import assert_type

import antspy
from antspy import Future, Group, Pool, PoolView, Stats, SubPool
from functions import greet


async def check_default() -> None:
    assert_type(antspy.default_pool(), Pool)
    assert_type(antspy.submit(greet, "ant", loud=True), Future[str])
    assert_type(await antspy.submit(greet, "ant"), str)
    assert_type(antspy.map(len, ["a"]), Iterator[int])
    assert_type(antspy.options(priority="high"), PoolView)
    assert_type(antspy.subpool(3), SubPool)
    assert_type(antspy.group(), Group)
    assert_type(antspy.stats(), Stats)
    assert_type(antspy.wait(), bool)
    assert_type(antspy.free(), int | None)
    assert_type(antspy.running(), int)
    assert_type(antspy.closed(), bool)
    antspy.go(greet, "ant")
    antspy.tune(3)
    await antspy.arelease()

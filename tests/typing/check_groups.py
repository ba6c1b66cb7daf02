"""What type checkers make of groups and wait groups."""

from typing import Any, assert_type

from antspy import Future, Group, Pool, WaitGroup
from functions import greet, work


def check_group(pool: Pool) -> None:
    with pool.group() as group:
        assert_type(group, Group)
        assert_type(group.submit(greet, "ant", loud=True), Future[str])
    assert_type(group.results(), list[Any])


async def check_group_in_a_coroutine(pool: Pool) -> None:
    async with pool.group() as group:
        assert_type(group, Group)
        assert_type(await group.submit(greet, "ant"), str)
    Group(pool.options(name="greeting"))
    Group(pool.subpool(2))


def check_wait_group(pool: Pool) -> None:
    with WaitGroup(pool) as group:
        assert_type(group, WaitGroup)
        group.go(greet, "ant", loud=True)
        group.go(work)
    group.add()
    group.add(-1)
    assert_type(group.count, int)
    assert_type(group.wait(timeout=3), bool)


async def check_wait_group_in_a_coroutine() -> None:
    await WaitGroup()

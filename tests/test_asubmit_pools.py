"""Submitting in a coroutine to whatever has places: sub-pools, several pools, groups, views."""

import asyncio
from collections.abc import Callable
from typing import Any

import antspy
import pytest
from antspy import (
    LoopFuture,
    MultiPool,
    MultiPoolWithFunc,
    Pool,
    PoolClosedError,
    PoolOverloadError,
    PoolWithFunc,
    ThreadPoolExecutor,
)
from loop_support import assert_account, fill, run, start, turns, until
from support import LIMIT, Gate, Thread


def counts(multi: MultiPool) -> list[int]:
    """How many tasks each sub-pool has got."""
    return [pool.stats().submitted for pool in multi.pools]


MAKERS: dict[str, Callable[[], Any]] = {
    "Pool": lambda: Pool(2),
    "PoolView": lambda: Pool(2).options(priority="high"),
    "SubPool": lambda: Pool(2).subpool(1),
    "view of a SubPool": lambda: Pool(2).subpool(1).options(timeout=LIMIT),
    "MultiPool": lambda: MultiPool(2, 1),
    "MultiPool, least_tasks": lambda: MultiPool(2, 1, "least_tasks"),
    "MultiPoolView": lambda: MultiPool(2, 1).options(priority="low"),
    "ThreadPoolExecutor": lambda: ThreadPoolExecutor(2),
    "default pool": lambda: antspy,
}


@pytest.mark.parametrize("kind", MAKERS)
def test_all_that_have_places_have_the_ways_in_for_coroutines(kind: str) -> None:
    async def main(pool: Any) -> None:
        futures = [await pool.asubmit(divmod, number, 2) for number in range(5)]
        expected = [divmod(number, 2) for number in range(5)]
        assert [await future for future in futures] == expected
        running = [pool.arun(divmod, number, 2) for number in range(5)]
        assert type(running[0]) is LoopFuture
        assert await asyncio.gather(*running) == expected
        assert [result async for result in pool.amap(divmod, range(5), [2] * 5)] == expected
        await (pool._pool if "SubPool" in kind else pool).arelease(LIMIT)
        with pytest.raises(PoolClosedError):
            await pool.asubmit(abs, -1)
        with pytest.raises(PoolClosedError):
            await pool.arun(abs, -1)

    run(main(MAKERS[kind]()))


FUNCTION_MAKERS: dict[str, Callable[[], Any]] = {
    "PoolWithFunc": lambda: PoolWithFunc(divmod, 2),
    "PoolWithFuncView": lambda: PoolWithFunc(divmod, 2).options(priority="high"),
    "MultiPoolWithFunc": lambda: MultiPoolWithFunc(divmod, 2, 1),
    "MultiPoolWithFunc, least_tasks": lambda: MultiPoolWithFunc(divmod, 2, 1, "least_tasks"),
}


@pytest.mark.parametrize("kind", FUNCTION_MAKERS)
def test_so_have_those_for_one_function(kind: str) -> None:
    async def main(pool: Any) -> None:
        futures = [await pool.asubmit(number, 2) for number in range(5)]
        expected = [divmod(number, 2) for number in range(5)]
        assert [await future for future in futures] == expected
        assert await asyncio.gather(*(pool.arun(number, 2) for number in range(5))) == expected
        with pytest.raises(ZeroDivisionError):
            await pool.arun(1, 0)
        await pool.arelease(LIMIT)
        with pytest.raises(PoolClosedError):
            await pool.asubmit(1, 2)

    run(main(FUNCTION_MAKERS[kind]()))


def test_a_pool_for_one_function_makes_coroutines_wait(gate: Gate) -> None:
    async def main(pool: PoolWithFunc[Any]) -> None:
        pool.invoke(1)
        gate.wait_entered()
        waiting = await start(pool.asubmit(2))
        view = pool.options(timeout=0)
        with pytest.raises(TimeoutError):
            await view.arun(3)
        assert pool.waiting == 1
        with pytest.raises(TypeError, match="keyword"):
            await pool.asubmit(number=2)  # type: ignore[call-arg]
        gate.open()
        assert await (await waiting) == 2

    async def enter(pool: PoolWithFunc[Any]) -> None:
        async with pool:
            await main(pool)
        assert pool.running == 0

    run(enter(PoolWithFunc(gate, 1)))


def test_a_full_subpool_makes_coroutines_wait_in_its_own_line(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        waiting = [await start(sub.asubmit(abs, -1)), await start(sub.asubmit(abs, -2))]
        thread = Thread(sub.submit, abs, -3)
        await until(lambda: sub.waiting == 3)
        assert (pool.waiting, sub.running, sub.free) == (0, 1, 0)
        assert await pool.arun(abs, -4) == 4  # the pool has places
        gate.open()
        assert [await (await task) for task in waiting] == [1, 2]
        assert (await asyncio.to_thread(thread.result)).result() == 3
        assert await asyncio.to_thread(sub.wait, LIMIT)
        assert (sub.running, sub.waiting) == (0, 0)

    with Pool(3) as pool:
        run(main(pool))
        assert_account(pool)


def test_past_the_subpools_line_comes_the_pools(gates: list[Gate]) -> None:
    async def main(pool: Pool) -> None:
        sub = pool.subpool(1)
        sub.go(gates[0])
        fill(pool, gates[1])
        gates[0].wait_entered()
        waiting = sub.arun(abs, -1)
        queued = pool.arun(gates[2], 2)  # stands in the pool's line already
        assert (sub.waiting, pool.waiting) == (1, 1)
        gates[0].open()
        gates[2].wait_entered()  # has the place that came free
        await until(lambda: pool.waiting == 1)
        assert (sub.waiting, sub.running, waiting.done()) == (0, 1, False)
        gates[1].open()
        assert await waiting == 1
        gates[2].open()
        assert await queued == 2
        assert sub.running == 0

    with Pool(2) as pool:
        run(main(pool))
        assert_account(pool)


@pytest.mark.parametrize("way", ["asubmit", "arun"])
def test_a_timeout_holds_for_both_lines_together(way: str, gates: list[Gate]) -> None:
    async def main(pool: Pool) -> None:
        sub = pool.subpool(1)
        sub.go(gates[0])
        fill(pool, gates[1])
        gates[0].wait_entered()
        submit = getattr(sub.options(timeout=0.05), way)
        loop = asyncio.get_running_loop()
        began = loop.time()
        waiting = await start(submit(abs, -1))
        blocked = pool.arun(gates[2], 2)
        gates[0].open()
        await until(lambda: pool.waiting == 1 and not sub.waiting)
        with pytest.raises(TimeoutError):
            await waiting
        assert loop.time() - began < 5
        assert (sub.running, pool.waiting) == (0, 0)
        gates[1].open()
        gates[2].open()
        await blocked

    with Pool(2) as pool:
        run(main(pool))
        assert_account(pool)


@pytest.mark.parametrize("overflow", ["raise", "discard", "caller_runs"])
def test_a_full_subpool_does_what_its_pool_does(overflow: Any, gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        if overflow == "raise":
            with pytest.raises(PoolOverloadError, match="capacity 1"):
                await sub.asubmit(abs, -1)
        elif overflow == "discard":
            assert (await sub.asubmit(abs, -1)).cancelled()
        else:
            waiting = await start(sub.asubmit(abs, -1))
            assert sub.waiting == 1
            gate.open()
            assert await (await waiting) == 1
        gate.open()

    with Pool(2, overflow=overflow) as pool:
        run(main(pool))
        assert_account(pool)


def test_those_in_a_subpools_line_are_sent_away_when_the_pool_is_closed(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        sub = pool.subpool(1)
        sub.go(gate)
        gate.wait_entered()
        waiting = [await start(sub.asubmit(abs, -1)), sub.arun(abs, -2)]
        pool.release()
        for ended in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(ended, PoolClosedError)
        assert (sub.waiting, sub.running) == (0, 1)
        gate.open()
        await pool.arelease()
        assert sub.running == 0

    run(main(Pool(2)))


def test_round_robin_passes_by_a_full_pool_that_refuses(gate: Gate) -> None:
    async def main(multi: MultiPool) -> None:
        first, second = multi.pools
        fill(first, gate)
        assert [await (await multi.asubmit(abs, -1)), await multi.arun(abs, -2)] == [1, 2]
        assert counts(multi) == [1, 2]
        fill(second, gate)
        with pytest.raises(PoolOverloadError):
            await multi.asubmit(abs, -3)
        gate.open()

    with MultiPool(2, 1, overflow="raise") as multi:
        run(main(multi))


def test_round_robin_waits_at_the_pool_whose_turn_it_is(gate: Gate) -> None:
    async def main(multi: MultiPool) -> None:
        first, second = multi.pools
        fill(first, gate)
        waiting = await start(multi.asubmit(abs, -1))
        assert await (await multi.asubmit(abs, -2)) == 2
        assert (first.waiting, second.waiting, multi.waiting) == (1, 0, 1)
        gate.open()
        assert await (await waiting) == 1

    with MultiPool(2, 1) as multi:
        run(main(multi))


def test_least_tasks_goes_where_there_are_fewest(gate: Gate) -> None:
    async def main(multi: MultiPool) -> None:
        fill(multi.pools[0], gate)
        for number in range(3):
            assert await (await multi.asubmit(abs, -number)) == number
        assert counts(multi) == [1, 3]
        gate.open()

    with MultiPool(2, 2, "least_tasks") as multi:
        run(main(multi))


def test_several_pools_are_released_together(gate: Gate) -> None:
    async def main(multi: MultiPool) -> None:
        for pool in multi.pools:
            fill(pool, gate)
        with pytest.raises(TimeoutError, match=r"the pools still have 2 workers after 0.01 s; arelease\(\)"):
            await multi.arelease(0.01)
        assert multi.closed
        gate.open()
        async with multi:
            pass
        assert multi.running == 0

    run(main(MultiPool(2, 1)))


def test_a_group_waits_for_what_its_coroutines_submit(gate: Gate) -> None:
    async def main(pool: Pool) -> list[int]:
        async with pool.group() as group:
            await group.asubmit(gate, 1)
            waiting = await start(group.asubmit(abs, -2))
            assert pool.waiting == 1
            gate.open()
            await waiting
            await group.asubmit(abs, -3)
        with pytest.raises(RuntimeError, match=r"asubmit\(\) must be called inside"):
            await group.asubmit(abs, -1)
        return group.results()

    with Pool(1) as pool:
        assert run(main(pool)) == [1, 2, 3]


def test_a_group_that_has_failed_cancels_who_comes_from_the_line(gates: list[Gate]) -> None:
    ran: list[int] = []

    def fail() -> None:
        gates[0]()
        raise LookupError

    async def main(pool: Pool) -> None:
        async with pool.group() as group:
            group.submit(fail)
            gates[0].wait_entered()
            following = pool.arun(gates[1])
            waiting = await start(group.asubmit(ran.append, 1))
            assert pool.waiting == 2
            gates[0].open()
            gates[1].wait_entered()
            await until(lambda: group._failed)
            waiting_still = not waiting.done()
            pool.pause()  # it comes in, and does not start before its coroutine has
            gates[1].open()
            assert waiting_still
            assert (await waiting).cancelled()
            assert (await group.asubmit(ran.append, 2)).cancelled()
            pool.resume()
            await following

    with Pool(1) as pool:
        with pytest.raises(ExceptionGroup) as caught:
            run(main(pool))
        assert [type(error) for error in caught.value.exceptions] == [LookupError]
        assert_account(pool)
    assert ran == []


def test_a_task_that_enters_when_its_group_is_over_is_cancelled(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        async with pool.group() as group:
            waiting = await start(group.asubmit(abs, -1))
        gate.open()
        with pytest.raises(RuntimeError, match="the group's block ended"):
            await waiting
        await turns()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)

"""Cancelling a coroutine at each stage: its task runs once or never, and its place is free."""

import asyncio
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from antspy import Pool, PoolView, SubPool
from loop_support import assert_account, fill, run, turns, until
from support import LIMIT, Gate, eventually

Way = Callable[..., Any]


async def _asubmit(pool: Any, fn: Any, *args: Any) -> Any:
    return await (await pool.asubmit(fn, *args))


async def _group(pool: Any, fn: Any, *args: Any) -> Any:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pool.arun(fn, *args))
    return task.result()


async def _arun(pool: Any, fn: Any, *args: Any) -> Any:
    return await pool.arun(fn, *args)


def _future(pool: Any, fn: Any, *args: Any) -> Any:
    return pool.arun(fn, *args)


def _task(pool: Any, fn: Any, *args: Any) -> Any:
    return asyncio.create_task(pool.arun(fn, *args))


def _begin(way: Way) -> Way:
    """An awaitable that can be cancelled."""

    def begin(pool: Any, fn: Any, *args: Any) -> Any:
        return asyncio.ensure_future(way(pool, fn, *args))

    return begin


WAYS: dict[str, Way] = {
    "asubmit": _begin(_asubmit),
    "TaskGroup": _begin(_group),
    "arun": _begin(_arun),
    "future of arun": _future,
    "task of arun": _task,
}

ways = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))


async def cancelled(waiting: Any) -> None:
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@ways
def test_in_a_subpools_line(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool, sub: SubPool) -> None:
        sub.go(gate)
        gate.wait_entered()
        waiting = [way(sub, ran.append, number) for number in range(3)]
        await until(lambda: sub.waiting == 3)
        await cancelled(waiting[1])
        await until(lambda: sub.waiting == 2)
        gate.open()
        await waiting[0]
        await waiting[2]
        assert (sub.running, sub.waiting) == (0, 0)
        assert sub.wait(LIMIT)

    with Pool(2) as pool:
        run(main(pool, pool.subpool(1)))
        assert_account(pool)
        stats = pool.stats()
        assert (stats.submitted, stats.cancelled, stats.rejected) == (3, 0, 1)
    assert ran == [0, 2]


@ways
def test_in_the_pools_line(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = [way(pool, ran.append, number) for number in range(3)]
        await until(lambda: pool.waiting == 3)
        await cancelled(waiting[1])
        await until(lambda: pool.waiting == 2)
        gate.open()
        await waiting[0]
        await waiting[2]

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        stats = pool.stats()
        assert (stats.submitted, stats.cancelled, stats.rejected) == (3, 0, 1)
    assert ran == [0, 2]


@ways
def test_in_the_pools_line_with_a_place_of_a_subpool(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool, sub: SubPool) -> None:
        fill(pool, gate)
        waiting = way(sub, ran.append, 1)
        await until(lambda: (sub.running, pool.waiting) == (1, 1))
        await cancelled(waiting)
        await until(lambda: (sub.running, pool.waiting) == (0, 0))
        gate.open()
        await way(sub, ran.append, 2)

    with Pool(1) as pool:
        run(main(pool, pool.subpool(1)))
        assert_account(pool)
    assert ran == [2]


@ways
def test_in_the_queue(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        queued = [way(pool, ran.append, number) for number in range(3)]
        await until(lambda: pool.queued == 3)
        await turns()
        waiting = way(pool, ran.append, 3)
        await until(lambda: pool.waiting == 1)
        await cancelled(queued[1])
        await until(lambda: pool.waiting == 0)  # its place is another's at once
        assert pool.queued == 3
        gate.open()
        await asyncio.gather(queued[0], queued[2], waiting)

    with Pool(1, queue_size=3) as pool:
        run(main(pool))
        assert_account(pool)
        stats = pool.stats()
        assert (stats.submitted, stats.cancelled, stats.rejected) == (5, 1, 0)
    assert ran == [0, 2, 3]


@ways
def test_while_it_runs(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    def task() -> None:
        gate()
        ran.append(1)

    async def main(pool: Pool) -> None:
        running = way(pool, task)
        await until(lambda: pool.busy == 1)
        gate.wait_entered()
        await turns()
        await cancelled(running)
        assert (pool.busy, ran) == (1, [])
        gate.open()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert (pool.stats().completed, pool.stats().cancelled) == (1, 0)
    assert ran == [1]


@ways
def test_when_it_is_done(way: Way) -> None:
    async def main(pool: Pool) -> None:
        done = way(pool, abs, -1)
        assert await done == 1
        assert not done.cancel()
        assert await done == 1

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


@ways
def test_when_it_is_done_and_the_loop_does_not_know_yet(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = way(pool, ran.append, 1)
        await until(lambda: pool.waiting == 1)
        gate.open()
        pool.wait()  # the loop stands still meanwhile
        await cancelled(waiting)

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().completed == 2
    assert ran == [1]


@ways
def test_when_it_has_gone_in_and_the_loop_does_not_know_yet(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = way(pool, ran.append, 1)
        await until(lambda: pool.waiting == 1)
        pool.pause()
        gate.open()
        eventually(lambda: pool.queued == 1)  # the loop stands still meanwhile
        await cancelled(waiting)
        assert pool.queued == 0
        pool.resume()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert (pool.stats().completed, pool.stats().cancelled) == (1, 1)
    assert ran == []


@ways
def test_when_it_has_been_sent_away_and_the_loop_does_not_know_yet(way: Way, gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = way(pool, abs, -1)
        await until(lambda: pool.waiting == 1)
        pool.release()
        await cancelled(waiting)
        gate.open()
        await pool.arelease()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().rejected == 1


@ways
def test_when_a_place_of_a_subpool_is_on_its_way(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool, sub: SubPool) -> None:
        sub.go(gate)
        gate.wait_entered()
        waiting = [way(sub, ran.append, number) for number in range(2)]
        await until(lambda: sub.waiting == 2)
        gate.open()
        eventually(lambda: sub.waiting == 1)  # granted, while the loop stands still
        await cancelled(waiting[0])
        await waiting[1]

    with Pool(2) as pool:
        sub = pool.subpool(1)
        run(main(pool, sub))
        assert sub.wait(LIMIT)
        assert (sub.running, sub.waiting) == (0, 0)
        assert_account(pool)
    assert ran == [1]


@ways
def test_before_it_has_begun(way: Way) -> None:
    async def main(pool: Pool) -> None:
        pool.pause()
        waiting = way(pool, abs, -1)
        await cancelled(waiting)
        pool.resume()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().started == 0


@ways
def test_a_time_limit_ends_it_as_a_cancel_does(way: Way, gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        for full in (False, True):  # in the queue, then in line behind it
            if full:
                pool.go(int)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await way(pool, ran.append, 1)
        gate.open()

    with Pool(1, queue_size=1) as pool:
        run(main(pool))
        assert_account(pool)
    assert ran == []


def test_a_coroutine_that_is_closed_in_line_leaves_it(gate: Gate) -> None:
    async def main(pool: Pool, view: Pool | PoolView | SubPool) -> None:
        coroutine = view.asubmit(abs, -1)
        coroutine.send(None)
        assert (view.waiting, pool._in_flight) == (1, 1)
        coroutine.close()
        assert view.waiting == 0

    with Pool(1) as pool:
        fill(pool, gate)
        run(main(pool, pool))
        gate.open()
        pool.wait()
        sub = pool.subpool(1)
        sub.go(again := Gate())
        again.wait_entered()
        run(main(pool, sub))
        again.open()
        assert sub.wait(LIMIT)
        assert_account(pool)


def test_the_others_go_on_whoever_is_cancelled() -> None:
    """Some of many, in line and in the queue, in no order; each runs once, or is cancelled."""
    ran: list[int] = []
    lock = threading.Lock()

    def task(number: int) -> int:
        with lock:
            ran.append(number)
        return number

    async def main(pool: Pool) -> None:
        pool.pause()
        waiting = [WAYS[kind](pool, task, number) for number, kind in enumerate([*WAYS] * 50)]
        await until(lambda: pool.waiting == len(waiting) - 20)
        victims = random.Random(5).sample(range(len(waiting)), 150)
        for victim in victims:
            waiting[victim].cancel()
        await turns()
        pool.resume()
        for number, ended in enumerate(await asyncio.gather(*waiting, return_exceptions=True)):
            if number in victims:
                assert isinstance(ended, asyncio.CancelledError)
            else:
                assert ended == number
        assert sorted(ran) == [number for number in range(len(waiting)) if number not in victims]

    with Pool(4, queue_size=16) as pool:
        run(main(pool))
        assert_account(pool)

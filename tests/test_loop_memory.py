"""What coroutines hand in and wait for is let go of at its end, without the garbage collector."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from antspy import LoopFuture, Pool, WaitGroup
from antspy._antspy import _Admission, _Mailbox, _Wait
from loop_support import fill, run, start, turns, until
from support import LIMIT, Gate, eventually


class Thing:
    """An argument or a result."""


class Failure(Exception):
    """What a task raises."""


def give_back(thing: Thing) -> Thing:
    return thing


def fail(thing: Thing) -> None:
    raise Failure


@pytest.fixture(autouse=True)
def no_collector(no_thread_is_left: None) -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def left(*types: type) -> list[Any]:
    """Objects of these types that are alive."""
    return [it for it in gc.get_objects() if isinstance(it, types)]


async def _asubmit(pool: Any, fn: Callable[..., Any], thing: Thing) -> Any:
    return await (await pool.asubmit(fn, thing))


async def _arun(pool: Any, fn: Callable[..., Any], thing: Thing) -> Any:
    return await pool.arun(fn, thing)


def _task(pool: Any, fn: Callable[..., Any], thing: Thing) -> Any:
    return asyncio.create_task(pool.arun(fn, thing))


def _future(pool: Any, fn: Callable[..., Any], thing: Thing) -> Any:
    return pool.arun(fn, thing)


Way = Callable[..., Awaitable[Any]]
ways = pytest.mark.parametrize("way", [_asubmit, _arun, _task, _future])


@ways
def test_after_the_end(way: Way) -> None:
    async def main(pool: Pool) -> None:
        thing = Thing()
        alive = weakref.ref(thing)
        assert await way(pool, give_back, thing) is thing
        del thing
        await turns()
        eventually(lambda: alive() is None)
        assert left(LoopFuture, _Admission) == []

    with Pool(1) as pool:
        run(main(pool))


@ways
def test_after_an_exception(way: Way) -> None:
    async def attempt(pool: Pool, thing: Thing) -> None:
        try:
            await way(pool, fail, thing)
        except Failure:
            return
        raise AssertionError("it did not fail")

    async def main(pool: Pool) -> None:
        thing = Thing()
        alive = weakref.ref(thing)
        await attempt(pool, thing)
        del thing
        await turns()
        eventually(lambda: alive() is None)
        assert left(LoopFuture, _Admission) == []

    with Pool(1) as pool:
        run(main(pool))


@ways
@pytest.mark.parametrize("where", ["queue", "line", "subpool's line", "line, late", "closed"])
def test_after_it_has_not_come_in(way: Way, where: str, gate: Gate) -> None:
    async def begin(pool: Pool) -> Any:
        thing = Thing()
        alive = weakref.ref(thing)
        sub = pool.subpool(1)
        target: Any = pool
        if where == "subpool's line":
            await sub.asubmit(gate)
            target = sub
        if where in ("line", "line, late", "closed"):
            await pool.asubmit(int)
        if where == "line, late":
            target = pool.options(timeout=0.002)
        waiting = asyncio.ensure_future(way(target, give_back, thing))
        await turns()
        assert pool.waiting + sub.waiting == (where != "queue")
        if where == "closed":
            pool.release()
        elif where != "line, late":
            waiting.cancel()
        await until(waiting.done)
        # To raise what it ended with would leave a traceback, and with it this frame.
        assert waiting.cancelled() or isinstance(waiting.exception(), (TimeoutError, RuntimeError))
        return alive

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        alive = await begin(pool)
        await turns()
        if where == "queue":
            gate.open()  # a worker drops what is left of it
        eventually(lambda: alive() is None)
        assert left(LoopFuture, _Admission) == []
        gate.open()

    with Pool(1, queue_size=1) as pool:
        run(main(pool))


@ways
def test_after_it_was_cancelled_while_it_ran(way: Way, gate: Gate) -> None:
    def task(thing: Thing) -> Thing:
        gate()
        return thing

    async def begin(pool: Pool) -> Any:
        thing = Thing()
        running = asyncio.ensure_future(way(pool, task, thing))
        await until(lambda: pool.busy)
        await turns()
        running.cancel()
        await turns()
        assert running.cancelled()
        return weakref.ref(thing)

    async def main(pool: Pool) -> None:
        alive = await begin(pool)
        await turns()
        assert left(LoopFuture, _Admission) == []
        gate.open()
        eventually(lambda: alive() is None)

    with Pool(1) as pool:
        run(main(pool))


def test_after_a_coroutine_was_abandoned(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        thing = Thing()
        alive = weakref.ref(thing)
        coroutine = pool.asubmit(give_back, thing)
        coroutine.send(None)
        assert pool.waiting == 1
        del coroutine, thing
        assert (alive(), pool.waiting) == (None, 0)
        gate.open()

    with Pool(1) as pool:
        run(main(pool))


def test_awaits_that_end_early_leave_no_listener(gate: Gate) -> None:
    async def wait(awaitable: Any) -> None:
        await awaitable

    async def main(pool: Pool) -> None:
        group = WaitGroup()
        group.add()
        future = pool.submit(gate)
        gate.wait_entered()
        for _ in range(20):
            for awaitable in (future, group, pool.arelease()):
                waiting = await start(wait(awaitable))
                waiting.cancel()
                await turns()
                assert waiting.cancelled()
        del waiting
        assert left(LoopFuture, _Admission) == []
        gate.open()
        group.done()

    with Pool(1) as pool:
        run(main(pool))


def test_futures_that_have_ended_already_are_not_kept() -> None:
    async def main(pool: Pool) -> None:
        future = pool.submit(Thing)
        future.result()
        alive = [weakref.ref(await future)]
        waiting = asyncio.gather(future, future)
        await waiting
        del future, waiting
        await turns()
        assert [it() for it in alive] == [None]
        assert left(LoopFuture) == []

    with Pool(1) as pool:
        run(main(pool))


def test_after_amap() -> None:
    things: list[weakref.ref[Thing]] = []

    def task(_: int) -> Thing:
        thing = Thing()
        things.append(weakref.ref(thing))
        return thing

    async def main(pool: Pool) -> None:
        async for thing in pool.amap(task, range(20)):
            assert thing in [it() for it in things]
            await turns()
            # Those that are ahead, and this one.
            assert sum(it() is not None for it in things) <= 4
        del thing
        await turns()
        eventually(lambda: [it() for it in things] == [None] * 20)
        assert left(LoopFuture, _Admission) == []

    with Pool(2) as pool:
        run(main(pool))


def test_a_loop_takes_its_mailbox_with_it() -> None:
    async def main(pool: Pool) -> None:
        await pool.arun(int)

    with Pool(1) as pool:
        for _ in range(20):
            asyncio.run(main(pool))
    gc.collect()
    assert left(_Mailbox, _Wait) == []


def test_who_stands_in_line_is_no_garbage(gate: Gate) -> None:
    ran: list[int] = []

    async def submit(pool: Any, number: int) -> None:
        await (await pool.asubmit(ran.append, number))

    async def main(pool: Pool) -> None:
        sub = pool.subpool(1)
        sub.go(gate)
        fill(pool, gate)
        for number in range(0, 40, 4):  # the loop itself holds its tasks weakly
            asyncio.create_task(submit(pool, number))  # noqa: RUF006
            asyncio.create_task(submit(sub, number + 1))  # noqa: RUF006
            pool.arun(ran.append, number + 2)
            sub.arun(ran.append, number + 3)
        await turns()
        for _ in range(3):
            gc.collect()
        assert (pool.waiting, sub.waiting) == (20, 20)
        gate.open()
        await until(lambda: len(ran) == 40)

    with Pool(2) as pool:
        run(main(pool))
        assert pool.wait(LIMIT)
    assert sorted(ran) == list(range(40))

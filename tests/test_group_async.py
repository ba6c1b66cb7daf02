"""Groups in coroutines: `async with`."""

import asyncio
import gc
import logging
import weakref
from typing import Any

import pytest
from antspy import Future, Group, Pool
from group_support import Abort, Failure, fail, fail_after, raises_group
from support import LIMIT, Gate


def test_an_async_block_waits_without_blocking_the_loop(gate: Gate) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while ticks < 10:
            await asyncio.sleep(0.001)
            ticks += 1
        gate.open()

    async def main(pool: Pool) -> list[int]:
        ticking = asyncio.ensure_future(tick())
        async with Group(pool) as group:
            for number in range(5):
                group.submit(gate, number)
        await ticking
        return group.results()

    with Pool(2, queue_size=None) as pool:
        assert asyncio.run(main(pool)) == list(range(5))
    assert ticks == 10


def test_an_async_block_raises_what_failed_and_cancels_what_has_not_started(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    errors = [Failure(1), Failure(2), LookupError()]

    async def main(pool: Pool) -> None:
        async with Group(pool) as group:
            for error in errors[:2]:
                group.submit(fail_after, gate, error)
            gate.wait_entered(2)
            future = group.submit(ran.append, 1)
            future.add_done_callback(lambda _: gate.open())
            raise errors[2]

    with Pool(2, queue_size=None) as pool, caplog.at_level(logging.DEBUG):
        with raises_group(*errors):
            asyncio.run(main(pool))
        gc.collect()  # asyncio complains about exceptions that nobody has looked at when they are dropped
    assert ran == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_an_async_block_raises_what_failed_also_if_its_body_awaits_a_cancelled_future() -> None:
    error = Failure()

    async def main(pool: Pool) -> None:
        async with Group(pool) as group:
            group.submit(fail, error)
            while True:
                await group.submit(int)

    with Pool(1) as pool, raises_group(error):
        asyncio.run(main(pool))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("where", ["in the body", "at the end"])
def test_an_async_block_that_is_cancelled_cancels_what_has_not_started_and_waits_for_what_runs(
    where: str, times: int, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    futures: list[Future[Any]] = []

    async def block(pool: Pool) -> None:
        async with Group(pool) as group:
            # What runs may fail: cancelled is cancelled.
            futures.extend([group.submit(fail_after, gate, Failure()), group.submit(gate, "unharmed")])
            gate.wait_entered(2)
            futures.extend(group.submit(ran.append, number) for number in range(3))
            if where == "in the body":
                await asyncio.sleep(LIMIT)

    async def main(pool: Pool) -> None:
        task = asyncio.ensure_future(block(pool))
        while len(futures) < 5:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.001)
        for number in range(times):  # the second changes nothing
            task.cancel(f"number {number}")
            await asyncio.sleep(0.02)
            assert all(future.cancelled() for future in futures[2:])
            assert not task.done()
        gate.open()
        with pytest.raises(asyncio.CancelledError, match="number 0"):
            await task
        assert futures[0].done()
        assert futures[1].result(timeout=0) == "unharmed"
        assert task.cancelled()

    with Pool(2, queue_size=None) as pool, caplog.at_level(logging.DEBUG):
        asyncio.run(main(pool))
        gc.collect()
    assert ran == []
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_cancellation_of_an_async_block_is_released_by_whoever_catches_it(gate: Gate) -> None:
    async def block(pool: Pool) -> weakref.ref[BaseException]:
        try:
            async with Group(pool) as group:
                group.submit(gate)
                gate.wait_entered()
        except asyncio.CancelledError as error:
            return weakref.ref(error)
        raise AssertionError("not cancelled")

    async def main(pool: Pool) -> bool:
        task = asyncio.ensure_future(block(pool))
        await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0.001)
        gate.open()
        cancellation = await task
        return cancellation() is None

    gc.collect()
    gc.disable()
    try:
        with Pool(1) as pool:
            assert asyncio.run(main(pool))
    finally:
        gc.enable()


def test_an_async_block_that_a_timeout_cancels_times_out(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        async with asyncio.timeout(0.02):
            async with Group(pool) as group:
                group.submit(gate)
                asyncio.get_running_loop().call_later(0.05, gate.open)

    with Pool(1) as pool, pytest.raises(TimeoutError):
        asyncio.run(main(pool))


def test_what_is_no_exception_leaves_an_async_block_at_once(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        async with Group(pool) as group:
            group.submit(gate)
            gate.wait_entered()
            queued.append(group.submit(gate))
            raise Abort

    queued: list[Future[Any]] = []
    with Pool(1, queue_size=None) as pool:
        with pytest.raises(Abort):
            asyncio.run(main(pool))
        assert queued[0].cancelled()
        gate.open()

"""Releasing a pool in a coroutine."""

import asyncio

import pytest
from antspy import Pool, PoolClosedError
from support import Gate


def test_the_loop_goes_on_while_workers_finish(gate: Gate) -> None:
    pool = Pool(1)
    future = pool.submit(gate, 7)
    gate.wait_entered()

    async def main() -> None:
        released = asyncio.create_task(pool.arelease())
        await asyncio.sleep(0)
        while not pool.closed:
            await asyncio.sleep(0)
        with pytest.raises(PoolClosedError):
            pool.go(int)
        assert not released.done()
        gate.open()
        await released

    asyncio.run(main())
    assert (pool.running, future.result(0)) == (0, 7)


def test_a_cancelled_wait_leaves_the_pool_closed_and_can_be_taken_up_again(gate: Gate) -> None:
    pool = Pool(1)
    pool.go(gate)
    gate.wait_entered()

    async def main() -> None:
        released = asyncio.create_task(pool.arelease())
        while not pool.closed:
            await asyncio.sleep(0)
        released.cancel()
        with pytest.raises(asyncio.CancelledError):
            await released
        assert (pool.closed, pool.running) == (True, 1)
        gate.open()
        await pool.arelease()

    asyncio.run(main())
    assert pool.running == 0


def test_late_workers_are_an_error_and_it_may_be_called_again(gate: Gate) -> None:
    pool = Pool(1)
    pool.go(gate)
    with pytest.raises(TimeoutError):
        asyncio.run(pool.arelease(timeout=0.05))
    gate.open()
    asyncio.run(pool.arelease(timeout=20))
    assert pool.running == 0
    pool.reboot()
    assert pool.submit(abs, -1).result() == 1

"""Releasing a pool in a coroutine."""

import asyncio

import pytest
from antspy import Pool, PoolClosedError
from loop_support import fill, run, start, turns
from support import LIMIT, Gate, Thread, eventually


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


def test_nothing_is_waited_for_where_nobody_is_left() -> None:
    async def main() -> None:
        pool = Pool(2)
        await pool.arelease(timeout=0)
        await pool.arelease()
        assert pool.closed

    run(main())


def test_a_timeout_of_0_does_not_wait(gate: Gate) -> None:
    async def main() -> None:
        pool = Pool(1)
        fill(pool, gate)
        with pytest.raises(TimeoutError, match=r"1 workers after 0 s; arelease\(\) may be called again"):
            await pool.arelease(timeout=0)
        gate.open()
        await pool.arelease()

    run(main())


@pytest.mark.parametrize("timeout", [-1, float("nan"), "1", True])
def test_a_bad_timeout_is_refused_and_closes_nothing(timeout: object) -> None:
    async def main(pool: Pool) -> None:
        with pytest.raises((ValueError, TypeError), match="timeout must be"):
            await pool.arelease(timeout)  # type: ignore[arg-type]
        assert not pool.closed

    with Pool(1) as pool:
        run(main(pool))


def test_a_task_of_the_pool_cannot_wait_for_its_end() -> None:
    pool = Pool(1)

    def task() -> None:
        asyncio.run(pool.arelease())

    with pytest.raises(RuntimeError, match=r"arelease\(\) was called by a task of the same pool"):
        pool.submit(task).result(LIMIT)
    assert pool.closed
    pool.release(timeout=LIMIT)


def test_async_with_waits_for_what_was_accepted_whatever_comes_of_its_body(gate: Gate) -> None:
    async def body(pool: Pool) -> None:
        async with pool:
            fill(pool, gate)
            asyncio.get_running_loop().call_later(0.005, gate.open)
            raise LookupError

    pool = Pool(1)
    with pytest.raises(LookupError):
        run(body(pool))
    assert (pool.closed, pool.running, pool.stats().completed) == (True, 0, 1)


def test_many_may_wait_for_the_end_in_several_loops(gate: Gate) -> None:
    pool = Pool(2)
    fill(pool, gate, 2)

    async def main() -> None:
        await asyncio.gather(pool.arelease(), pool.arelease(), pool.arelease(LIMIT))

    threads = [Thread(run, main()) for _ in range(3)]
    eventually(lambda: pool.closed)
    gate.open()
    for thread in threads:
        thread.result()
    assert pool.running == 0


def test_a_pool_that_was_opened_again_meanwhile_stays_open(gate: Gate) -> None:
    async def main() -> None:
        pool = Pool(1)
        fill(pool, gate)
        released = await start(pool.arelease())
        gate.open()
        pool.release(timeout=LIMIT)  # the loop stands still: it does not know yet
        pool.reboot()
        again = Gate()
        fill(pool, again)
        await asyncio.wait_for(released, LIMIT)
        assert (pool.closed, pool.running) == (False, 1)
        again.open()
        await pool.arelease()

    run(main())


def test_its_cancel_leaves_others_waiting(gate: Gate) -> None:
    async def main() -> None:
        pool = Pool(1)
        fill(pool, gate)
        released = [await start(pool.arelease()) for _ in range(3)]
        released[1].cancel()
        await turns()
        assert [it.done() for it in released] == [False, True, False]
        gate.open()
        await asyncio.gather(released[0], released[2])

    run(main())

"""Submitting in a coroutine: it waits for a place, and its loop goes on."""

import asyncio
import gc
import warnings
from typing import Any

import pytest
from antspy import Future, Pool, PoolClosedError, PoolOverloadError
from loop_support import assert_account, fill, run, start, turns, until
from support import LIMIT, Gate, Thread, eventually


def test_it_returns_the_future_at_once_when_there_is_a_place() -> None:
    async def main(pool: Pool) -> int:
        coroutine = pool.asubmit(divmod, 7, 2)
        with pytest.raises(StopIteration) as ended:  # it does not even go round the loop
            coroutine.send(None)
        future: Future[Any] = ended.value.value
        assert type(future) is Future
        assert await future == (3, 1)
        return await (await pool.asubmit(int, "ff", base=16))

    with Pool(1) as pool:
        assert run(main(pool)) == 255


def test_a_bad_argument_is_refused_by_the_await() -> None:
    async def main(pool: Pool) -> None:
        with pytest.raises(TypeError, match="fn must be callable, not 3"):
            await pool.asubmit(3)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="asubmit"):
            await pool.asubmit()  # type: ignore[call-arg]

    with Pool(1) as pool:
        run(main(pool))
        assert pool.stats().submitted == 0


def test_nothing_is_submitted_before_the_await() -> None:
    ran: list[int] = []
    with Pool(1) as pool:
        coroutine = pool.asubmit(ran.append, 1)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            del coroutine
            gc.collect()
        assert ["asubmit" in str(it.message) for it in seen] == [True]
        assert pool.stats().submitted == 0
    assert ran == []


def test_the_loop_goes_on_while_it_waits_for_a_place(gate: Gate) -> None:
    async def main(pool: Pool) -> int:
        fill(pool, gate)
        waiting = await start(pool.asubmit(abs, -1))
        ticks = 0
        while ticks < 10:
            await asyncio.sleep(0.001)
            ticks += 1
        assert (waiting.done(), pool.waiting) == (False, 1)
        gate.open()
        return await (await waiting)

    with Pool(1) as pool:
        assert run(main(pool)) == 1
        assert_account(pool)


def test_coroutines_and_threads_stand_in_one_line(gate: Gate) -> None:
    order: list[str] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = []
        threads = []
        for number in range(6):
            if number % 2:
                threads.append(Thread(pool.go, order.append, f"thread {number}"))
                await until(lambda: pool.waiting == number + 1)  # noqa: B023  # awaited here
            else:
                waiting.append(await start(pool.asubmit(order.append, f"coroutine {number}")))
                assert pool.waiting == number + 1
        gate.open()
        for task in waiting:
            await (await task)
        for thread in threads:
            await asyncio.to_thread(thread.result)

    with Pool(1) as pool:
        run(main(pool))
        pool.wait()
    kinds = ["coroutine", "thread"] * 3
    assert order == [f"{kind} {number}" for number, kind in enumerate(kinds)]


def test_one_that_comes_later_does_not_overtake_who_waits(gate: Gate) -> None:
    async def main(pool: Pool) -> list[int]:
        order: list[int] = []
        fill(pool, gate)
        early = await start(pool.asubmit(order.append, 1))
        gate.open()
        await until(lambda: not pool.waiting)
        # It has gone in, though its coroutine has not been told yet; this one comes after it.
        await (await pool.asubmit(order.append, 2))
        await early
        return order

    with Pool(1) as pool:
        assert run(main(pool)) == [1, 2]


def test_a_task_in_line_goes_in_though_its_loop_is_busy(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        ran: list[int] = []
        fill(pool, gate)
        waiting = await start(pool.asubmit(ran.append, 1))
        gate.open()
        eventually(lambda: ran)  # meanwhile the loop stands still
        assert pool.wait(timeout=LIMIT)
        assert not waiting.done()
        await (await waiting)

    with Pool(1) as pool:
        run(main(pool))


def test_max_blocking_counts_coroutines_and_threads_together(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        thread = Thread(pool.submit, abs, -1)
        await until(lambda: pool.waiting == 1)
        waiting = await start(pool.asubmit(abs, -2))
        assert pool.waiting == 2
        with pytest.raises(PoolOverloadError):
            await pool.asubmit(abs, -3)
        with pytest.raises(PoolOverloadError):
            pool.submit(abs, -3)
        waiting.cancel()
        await turns()
        again = await start(pool.asubmit(abs, -4))
        assert pool.waiting == 2
        gate.open()
        assert await (await again) == 4
        assert (await asyncio.to_thread(thread.result)).result() == 1

    with Pool(1, max_blocking=2) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().rejected == 3


def test_a_full_pool_that_raises_raises(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        with pytest.raises(PoolOverloadError, match="capacity 1"):
            await pool.asubmit(abs, -1)
        gate.open()

    with Pool(1, overflow="raise") as pool:
        run(main(pool))
        assert pool.stats().rejected == 1


def test_a_full_pool_that_discards_returns_a_cancelled_future(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        future = await pool.asubmit(abs, -1)
        assert future.cancelled()
        with pytest.raises(asyncio.CancelledError):
            await future
        gate.open()

    with Pool(1, overflow="discard") as pool:
        run(main(pool))
        assert pool.stats().discarded == 1


def test_where_a_thread_would_run_the_task_a_coroutine_waits(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = await start(pool.asubmit(gate, 1))
        assert (pool.waiting, waiting.done()) == (1, False)
        with pytest.raises(PoolOverloadError):
            await pool.asubmit(abs, -2)
        gate.open()
        assert await (await waiting) == 1

    with Pool(1, overflow="caller_runs", max_blocking=1) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_queue_takes_what_it_has_room_for(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        queued = [await pool.asubmit(abs, -number) for number in range(2)]
        waiting = await start(pool.asubmit(abs, -2))
        assert (pool.queued, pool.waiting) == (2, 1)
        gate.open()
        assert [await future for future in [*queued, await waiting]] == [0, 1, 2]

    with Pool(1, queue_size=2) as pool:
        run(main(pool))


def test_those_in_line_are_sent_away_when_the_pool_is_closed(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = [await start(pool.asubmit(abs, -number)) for number in range(3)]
        pool.release()
        for ended in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(ended, PoolClosedError)
        with pytest.raises(PoolClosedError):
            await pool.asubmit(abs, -1)
        gate.open()
        await pool.arelease()
        pool.reboot()
        assert await (await pool.asubmit(abs, -1)) == 1

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().rejected == 4


def test_one_that_was_sent_away_knows_it_though_the_pool_is_open_again(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = await start(pool.asubmit(abs, -1))
        gate.open()
        pool.wait()  # it has gone in by itself
        fill(pool, again := Gate())
        late = await start(pool.asubmit(abs, -2))
        pool.release()
        again.open()
        pool.release(timeout=LIMIT)
        pool.reboot()
        assert await (await waiting) == 1
        with pytest.raises(PoolClosedError):
            await late

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


def test_more_capacity_lets_those_in_line_in(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = [await start(pool.asubmit(abs, -number)) for number in range(3)]
        pool.tune(3)
        assert [await (await task) for task in waiting] == [0, 1, 2]
        gate.open()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_paused_pool_keeps_them_in_line() -> None:
    async def main(pool: Pool) -> None:
        pool.pause()
        first = await pool.asubmit(abs, -1)
        waiting = await start(pool.asubmit(abs, -2))
        assert (pool.waiting, pool.queued) == (1, 1)
        pool.resume()
        assert [await first, await (await waiting)] == [1, 2]

    with Pool(1) as pool:
        run(main(pool))

"""Submitting in a coroutine on terms: timeouts, deadlines, priorities, names."""

import asyncio
import time

import pytest
from antspy import Pool
from loop_support import assert_account, fill, run, start, until
from support import LIMIT, Gate, eventually


def test_no_place_in_time_is_an_error_and_the_task_is_not_accepted(gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        view = pool.options(timeout=0.01)
        with pytest.raises(TimeoutError, match="no place"):
            await view.asubmit(ran.append, 1)
        with pytest.raises(TimeoutError, match="no place"):
            await view.arun(ran.append, 2)
        with pytest.raises(TimeoutError, match="no place"):
            await pool.options(timeout=0).arun(ran.append, 3)
        assert pool.waiting == 0
        gate.open()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().rejected == 3
    assert ran == []


def test_a_place_in_time_is_taken(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        view = pool.options(timeout=LIMIT)
        submitted = await start(view.asubmit(abs, -1))
        running = view.arun(abs, -2)
        gate.open()
        assert await (await submitted) == 1
        assert await running == 2

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


@pytest.mark.parametrize("way", ["asubmit", "arun"])
def test_a_place_that_comes_when_time_is_up_is_used_or_given_back(way: str) -> None:
    # The loop is busy while the place comes free and the time passes: it learns of both in one turn, of the
    # time first. The task has gone in by itself; it is not taken for late, nor its result for being there.
    async def main(pool: Pool) -> None:
        gate, slow = Gate(), Gate()
        fill(pool, gate)
        view = pool.options(timeout=0.005)

        async def submit() -> int:
            return await (await view.asubmit(slow, 7))

        waiting = await start(submit()) if way == "asubmit" else view.arun(slow, 7)

        def open_gate() -> None:
            gate.open()
            slow.wait_entered()

        asyncio.get_running_loop().call_at(0, open_gate)
        time.sleep(0.01)
        await asyncio.sleep(0.02)
        assert not waiting.done()
        slow.open()
        assert await waiting == 7

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_deadline_that_passes_in_line_is_an_error(gate: Gate) -> None:
    ran: list[int] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        with pytest.raises(TimeoutError):
            await pool.options(deadline=0.01).asubmit(ran.append, 1)
        with pytest.raises(TimeoutError):
            await pool.options(deadline=0.01, timeout=LIMIT).arun(ran.append, 2)
        gate.open()

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)
    assert ran == []


def test_a_deadline_that_passes_in_the_queue_cancels_the_task(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        view = pool.options(deadline=100)
        queued = view.arun(abs, -1)
        pool._advance_clock(101)
        with pytest.raises(asyncio.CancelledError):
            await queued
        gate.open()

    with Pool(1, queue_size=1) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().cancelled == 1


def test_a_deadline_holds_for_a_task_that_went_in_by_itself(gates: list[Gate]) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gates[0], 2)
        waiting = pool.options(deadline=100).arun(abs, -1)
        late = pool.arun(gates[1])
        assert pool.waiting == 2
        pool.tune(3)  # both are queued now, and one of them is taken
        await until(lambda: not pool.waiting)
        assert await waiting == 1
        gates[1].open()
        await late
        # The same for one that is queued only when its deadline comes.
        pool.tune(2)
        pool.pause()
        queued = pool.options(deadline=100).arun(abs, -2)
        for gate in gates:
            gate.open()
        await until(lambda: not pool.waiting)
        pool._advance_clock(101)
        with pytest.raises(asyncio.CancelledError):
            await queued
        pool.resume()

    with Pool(2) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_loop_that_stands_still_keeps_no_thread_that_looks_after_deadlines(gate: Gate) -> None:
    loop = asyncio.new_event_loop()
    pool = Pool(1)

    async def main() -> list[asyncio.Future[int]]:
        fill(pool, gate)
        return [pool.options(deadline=1000).arun(abs, -number) for number in range(2)]

    waiting = loop.run_until_complete(main())  # and then it is not run, and not closed either
    pool.release()
    gate.open()
    pool.release(timeout=LIMIT)
    pool.reboot()
    assert pool.submit(abs, -1).result() == 1
    pool.release(timeout=LIMIT)
    del waiting
    loop.close()


def test_higher_lanes_go_first(gate: Gate) -> None:
    order: list[str] = []

    async def main(pool: Pool) -> None:
        fill(pool, gate)
        waiting = []
        for priority in ("low", "normal", "high", "low", "high"):
            view = pool.options(priority=priority)
            waiting.append(view.arun(order.append, priority))
        assert pool.waiting == 5
        gate.open()
        await asyncio.gather(*waiting)

    with Pool(1) as pool:
        run(main(pool))
    assert order == ["high", "high", "normal", "low", "low"]


def test_a_view_names_the_task(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        view = pool.options(name="sum")
        assert (await view.asubmit(sum, [1, 2])).name == "sum"
        fill(pool, gate)
        waiting = await start(view.asubmit(sum, [1, 2], start=3))
        gate.open()
        future = await waiting
        assert (future.name, await future) == ("sum", 6)

    with Pool(1) as pool:
        run(main(pool))


def test_many_with_deadlines_in_line_leave_nothing_behind() -> None:
    async def main(pool: Pool) -> None:
        view = pool.options(deadline=1000)
        waiting = [view.arun(abs, -number) for number in range(500)]
        for number in range(0, 500, 7):
            waiting[number].cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        for number, result in enumerate(ended):
            cancelled = number % 7 == 0 and isinstance(result, asyncio.CancelledError)
            assert cancelled or result == number

    with Pool(2) as pool:
        run(main(pool))
        assert_account(pool)
        pool.release(timeout=LIMIT)
        eventually(lambda: pool.running == 0)

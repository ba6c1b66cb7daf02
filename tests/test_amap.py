"""Results in order, one after the other, for coroutines."""

import asyncio
import contextlib
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError
from loop_support import assert_account, fill, run, start, turns, until
from support import LIMIT, Gate


class Source:
    """Numbers; how many have been taken, and whether it has been closed."""

    def __init__(self, count: int | None = None) -> None:
        self.taken = 0
        self.closed = False
        self._count = count

    def __iter__(self) -> Iterator[int]:
        for number in itertools.count() if self._count is None else range(self._count):
            self.taken += 1
            yield number

    async def __aiter__(self) -> AsyncIterator[int]:
        try:
            for number in self:
                yield number
        finally:
            self.closed = True


def items(source: Source) -> Iterator[int]:
    """The same, and no asynchronous iterable."""
    yield from source


async def collect(results: AsyncIterator[Any]) -> list[Any]:
    return [result async for result in results]


def test_results_come_in_order_whatever_ends_first(gates: list[Gate]) -> None:
    async def main(pool: Pool) -> None:
        results = pool.amap(lambda number: gates[number](number), range(4))
        first = await start(anext(results))
        for gate in gates[1:]:
            gate.wait_entered()
            gate.open()
        await asyncio.sleep(0.001)
        assert not first.done()
        gates[0].open()
        assert await first == 0
        assert await collect(results) == [1, 2, 3]

    with Pool(4) as pool:
        run(main(pool))
        assert_account(pool)


def test_iterables_of_all_kinds_are_taken_together() -> None:
    async def main(pool: Pool) -> None:
        assert await collect(pool.amap(pow, [2, 3, 4], Source(2))) == [1, 3]
        assert await collect(pool.amap(pow, Source(5), items(Source(3)))) == [1, 1, 4]
        assert await collect(pool.amap(abs, [])) == []
        assert await collect(pool.amap(abs)) == []
        assert await collect(pool.amap(abs, Source(0))) == []

    with Pool(2) as pool:
        run(main(pool))
        assert_account(pool)


@pytest.mark.parametrize("asynchronous", [True, False])
@pytest.mark.parametrize(("buffersize", "ahead"), [(None, 6), (2, 2), (50, 6), (1, 1)])
def test_it_looks_ahead_no_further_than_there_are_places(
    asynchronous: bool, buffersize: int | None, ahead: int
) -> None:
    async def main(pool: Pool) -> None:
        source = Source()
        results = pool.amap(abs, source if asynchronous else items(source), buffersize=buffersize)
        assert source.taken == 0  # nothing before the first is asked for
        async with contextlib.aclosing(results):
            async for result in results:
                await until(lambda: source.taken == result + 1 + ahead)  # noqa: B023  # awaited here
                await turns(10)
                assert source.taken == result + 1 + ahead
                if result == 20:
                    break

    with Pool(4, queue_size=2) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_pool_without_a_limit_leaves_turns_for_others() -> None:
    async def main(pool: Pool) -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        source = Source()
        async with contextlib.aclosing(pool.amap(abs, items(source))) as results:
            async for result in results:
                if result == 3000:
                    break
        assert ticks > 5
        ticking.cancel()

    with Pool(None) as pool:
        run(main(pool))
        assert_account(pool)


def test_a_result_comes_while_the_next_item_is_waited_for() -> None:
    # As long as the consumer has not seen a result, the source has no next item.
    async def main(pool: Pool) -> list[int]:
        seen = asyncio.Semaphore(1)

        async def source() -> AsyncIterator[int]:
            for number in range(10):
                await seen.acquire()
                yield number

        results = []
        async for result in pool.amap(abs, source()):
            results.append(result)
            seen.release()
        return results

    with Pool(8) as pool:
        assert run(main(pool)) == list(range(10))


def test_a_result_comes_while_a_place_is_waited_for(gate: Gate) -> None:
    # Somebody else takes the place that comes free, and keeps it.
    async def main(pool: Pool) -> None:
        results = pool.amap(abs, [-1, -2])
        fill(pool, gate)
        first = await start(anext(results))
        assert pool.waiting == 1
        keeps = pool.arun(again := Gate())
        gate.open()
        assert await first == 1
        again.wait_entered()
        assert pool.waiting == 1
        again.open()
        await keeps
        assert await collect(results) == [2]

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


def test_one_of_it_stands_in_line_at_a_time(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate, 4)
        waiting = await start(collect(pool.amap(abs, range(20))))
        await turns(10)
        assert pool.waiting == 1
        gate.open()
        assert await waiting == list(range(20))

    with Pool(4, max_blocking=1) as pool:
        run(main(pool))
        assert_account(pool)


def test_several_share_a_pool_of_one_place() -> None:
    async def main(pool: Pool) -> None:
        async def nested(base: int) -> list[int]:
            return [result async for result in pool.amap(pow, range(3), [base] * 3)]

        outer = [await nested(base) async for base in pool.amap(abs, range(4))]
        assert outer == [[number**base for number in range(3)] for base in range(4)]
        many = [collect(pool.amap(abs, range(50))) for _ in range(5)]
        assert await asyncio.gather(*many) == [list(range(50))] * 5

    with Pool(1) as pool:
        run(main(pool))
        assert_account(pool)


@pytest.mark.parametrize("chunksize", [2, 3, 100])
def test_chunks(chunksize: int) -> None:
    threads: list[int] = []

    def task(number: int) -> int:
        threads.append(threading.get_ident())
        return number

    async def main(pool: Pool) -> None:
        assert await collect(pool.amap(task, range(10), chunksize=chunksize)) == list(range(10))
        source = Source(10)
        assert await collect(pool.amap(task, source, chunksize=chunksize, buffersize=1)) == list(range(10))

    with Pool(2) as pool:
        run(main(pool))
        assert_account(pool)
        assert pool.stats().submitted == 2 * -(-10 // chunksize)
    assert len(threads) == 20


def test_what_a_task_raises_comes_in_its_place_and_cancels_the_rest(gate: Gate) -> None:
    ran: list[int] = []

    def task(number: int) -> int:
        if number == 2:
            gate()
            raise LookupError
        ran.append(number)
        return number

    async def main(pool: Pool) -> list[int]:
        source = Source()
        results = pool.amap(task, source)
        seen = [await anext(results), await anext(results)]
        gate.wait_entered()
        await until(lambda: pool.queued == 3)
        gate.open()
        pool.pause()
        with pytest.raises(LookupError):
            await anext(results)
        assert (pool.queued, pool.waiting, source.closed) == (0, 0, True)
        pool.resume()
        with pytest.raises(StopAsyncIteration):
            await anext(results)
        return seen

    with Pool(1, queue_size=3) as pool:
        assert run(main(pool)) == [0, 1]
        assert_account(pool)
    assert ran in ([0, 1], [0, 1, 3])  # the worker may have been faster than the pause


def test_what_an_iterable_raises_comes_after_the_results_before() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise LookupError

    def broken() -> Iterator[int]:
        yield 1
        raise LookupError

    async def main(pool: Pool) -> None:
        for iterable, expected in ((source(), [1, 2]), (broken(), [1])):
            results = pool.amap(abs, iterable)
            assert [await anext(results) for _ in expected] == expected
            with pytest.raises(LookupError):
                await anext(results)

    with Pool(4) as pool:
        run(main(pool))


def test_a_refusal_comes_after_the_results_before(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        results = pool.amap(abs, Source())
        assert await anext(results) == 0
        fill(pool, gate)
        with pytest.raises(PoolOverloadError):
            await collect(results)
        pool.release()
        with pytest.raises(PoolClosedError):
            await collect(pool.amap(abs, [-1]))
        gate.open()

    with Pool(2, overflow="raise") as pool:
        run(main(pool))


@pytest.mark.parametrize("how", ["break", "aclose", "cancel"])
def test_the_end_of_a_loop_over_it_cancels_what_has_not_started(how: str, gate: Gate) -> None:
    ran: list[int] = []

    def task(number: int) -> int:
        if number:
            gate()
        ran.append(number)
        return number

    async def main(pool: Pool) -> None:
        source = Source()
        results = pool.amap(task, source)
        async for result in results:
            assert result == 0
            break
        gate.wait_entered()
        await until(lambda: pool.queued == 2)
        if how == "break":
            del results
            gc.collect()
        elif how == "aclose":
            await results.aclose()
        else:
            waiting = await start(anext(results))
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        await until(lambda: source.closed)
        assert (pool.queued, pool.waiting) == (0, 0)
        gate.open()
        await until(lambda: len(asyncio.all_tasks()) <= 2)

    with Pool(1, queue_size=2) as pool:
        run(main(pool))
        assert_account(pool)
    assert ran == [0, 1]


def test_it_keeps_to_the_terms_of_a_view(gate: Gate) -> None:
    async def main(pool: Pool) -> None:
        fill(pool, gate)
        with pytest.raises(TimeoutError):
            await collect(pool.options(timeout=0.005).amap(abs, [-1]))
        gate.open()
        assert await collect(pool.options(priority="high", timeout=LIMIT).amap(abs, [-1])) == [1]
        sub = pool.subpool(1)
        assert await collect(sub.amap(abs, range(10))) == list(range(10))
        assert sub.running == 0

    with Pool(1) as pool:
        run(main(pool))


def test_bad_arguments_are_refused_at_once() -> None:
    with Pool(1) as pool:
        with pytest.raises(TypeError, match="fn must be callable, not 3"):
            pool.amap(3, [])  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="chunksize must be at least 1, not 0"):
            pool.amap(abs, [], chunksize=0)
        with pytest.raises(TypeError, match="buffersize must be an int, not 'a'"):
            pool.amap(abs, [], buffersize="a")  # type: ignore[arg-type]

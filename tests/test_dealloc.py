"""Objects that end while an exception is on its way, and coroutines that are waked by that."""

import asyncio
from typing import Any

import pytest
from antspy import LoopFuture, Pool, PoolClosedError
from support import Gate


def test_a_pool_that_ends_under_an_exception_tells_those_in_line_and_leaves_the_exception(gate: Gate) -> None:
    futures: list[LoopFuture[Any]] = []

    def pool() -> Pool:
        made = Pool(1)
        futures.extend(made.arun(gate) for _ in range(3))
        return made

    async def main() -> list[Any]:
        with pytest.raises(ZeroDivisionError):
            pool().go(1 / 0)  # type: ignore[arg-type]
        gate.open()
        return await asyncio.gather(*futures, return_exceptions=True)

    first, *others = asyncio.run(main())
    assert first is None
    assert [type(other) for other in others] == [PoolClosedError] * 2


def test_a_task_that_leaves_a_line_under_an_exception_lets_the_next_one_in(gate: Gate) -> None:
    class Refusing:
        def __init__(self, *arguments: object) -> None:
            raise AssertionError("never called")

    async def main(pool: Pool) -> int:
        part = pool.subpool(1)
        running = part.submit(gate)
        box = [part._begin(abs, -1)]
        second = part.arun(abs, -2)
        gate.open()
        running.result()  # the one in the box has the place now
        with pytest.raises(ZeroDivisionError):
            Refusing(box.pop(), 1 / 0)
        return await second

    with Pool(4) as pool:
        assert asyncio.run(main(pool)) == 2

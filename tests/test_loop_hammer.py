"""Several loops and threads hand in ten thousands of tasks and cancel some; then the account must be exact.

What is done is the same each time, by a seed; when it happens is not. `ANTSPY_SOAK=1000` goes on for longer.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from antspy import Pool, PoolOverloadError, SubPool
from loop_support import assert_account, run
from support import LIMIT, Gate, Thread

ROUNDS = int(os.environ.get("ANTSPY_SOAK", "0")) // 100 + 1
LOOPS, THREADS, TASKS = 3, 2, 20_000

Outcome = Literal["returned", "raised", "cancelled", "refused"]


class Failure(Exception):
    """What a task raises."""


class Hammer:
    """Hands in numbered tasks, and remembers what has become of each."""

    def __init__(self, pool: Pool, sub: SubPool) -> None:
        self.pool, self.sub = pool, sub
        self.ran: list[int] = []  # `append` is one step for all threads
        self.outcomes: dict[int, Outcome] = {}
        self.targets: list[Any] = [
            pool,
            pool,
            sub,
            pool.options(priority="high"),
            pool.options(timeout=0.001, priority="low"),
            pool.options(deadline=100),
            sub.options(timeout=0.002),
        ]

    def task(self, number: int) -> int:
        self.ran.append(number)
        if number % 10 == 3:
            raise Failure
        return number

    async def submit(self, way: int, target: Any, number: int) -> None:
        """Hand in one task, and wait for it."""
        try:
            if way == 0:
                result = await (await target.asubmit(self.task, number))
            elif way == 1:
                result = await target.arun(self.task, number)
            elif way == 2:
                result = await asyncio.wait_for(target.arun(self.task, number), LIMIT)
            elif way == 3:
                async with asyncio.timeout(0.0005):
                    result = await target.arun(self.task, number)
            else:
                (result,) = [it async for it in target.amap(self.task, one(number))]
        except Failure:
            self.outcomes[number] = "raised"
        except PoolOverloadError:
            self.outcomes[number] = "refused"
        except TimeoutError:
            self.outcomes[number] = "cancelled"  # by its own time limit while it ran, perhaps
        except asyncio.CancelledError:
            self.outcomes[number] = "cancelled"
            raise
        else:
            assert result == number
            self.outcomes[number] = "returned"

    async def coroutines(self, numbers: range, seed: int) -> None:
        """What one loop does."""
        generator = random.Random(seed)
        pending: set[asyncio.Task[None]] = set()
        for number in numbers:
            way, target = generator.randrange(5), generator.choice(self.targets)
            pending.add(asyncio.create_task(self.submit(way, target, number)))
            if generator.random() < 0.3:
                generator.choice(sorted(pending, key=id)).cancel()
            if generator.random() < 0.05:
                await asyncio.sleep(0)
            if len(pending) > 300:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    assert task.cancelled() or task.exception() is None
        for task in pending:
            if generator.random() < 0.5:
                task.cancel()
        for ended in await asyncio.gather(*pending, return_exceptions=True):
            assert ended is None or isinstance(ended, asyncio.CancelledError)

    def thread(self, numbers: range, seed: int) -> None:
        """What a thread without a loop does."""
        generator = random.Random(seed)
        futures = {}
        for number in numbers:
            try:
                future = generator.choice(self.targets).submit(self.task, number)
            except (TimeoutError, PoolOverloadError):
                self.outcomes[number] = "refused"
                continue
            futures[number] = future
            if generator.random() < 0.2:
                future.cancel()
        for number, future in futures.items():
            if future.cancelled():
                self.outcomes[number] = "cancelled"
            else:
                self.outcomes[number] = "raised" if future.exception(LIMIT) else "returned"


async def one(number: int) -> AsyncIterator[int]:
    """An iterable of one item."""
    yield number


@pytest.mark.timeout(120 * ROUNDS)
@pytest.mark.parametrize(
    ("capacity", "queue_size", "max_blocking"), [(1, 0, None), (3, 10, None), (4, 0, 30), (8, None, None)]
)
def test_each_task_runs_once_or_never_and_no_place_is_lost(
    capacity: int, queue_size: int | None, max_blocking: int | None
) -> None:
    unseen: list[BaseException] = []
    with Pool(
        capacity, queue_size=queue_size, max_blocking=max_blocking, exception_handler=unseen.append
    ) as pool:
        sub = pool.subpool(2)
        for seed in range(ROUNDS):
            hammer = Hammer(pool, sub)
            before = pool.stats()
            share = TASKS // (LOOPS + THREADS)
            shares = [range(share * part, share * (part + 1)) for part in range(LOOPS + THREADS)]
            loops = [
                Thread(lambda numbers: run(hammer.coroutines(numbers, seed)), numbers)  # noqa: B023
                for numbers in shares[:LOOPS]
            ]
            threads = [Thread(hammer.thread, numbers, seed) for numbers in shares[LOOPS:]]
            for thread in loops + threads:
                thread.result()
            check(hammer, before.submitted, before.completed + before.failed)
        assert {type(error) for error in unseen} <= {Failure}


def check(hammer: Hammer, submitted: int, ended: int) -> None:
    """Settle the account."""
    pool, sub = hammer.pool, hammer.sub
    assert_account(pool)
    assert sub.wait(LIMIT)
    assert (sub.running, sub.waiting) == (0, 0)
    ran = set(hammer.ran)
    assert len(ran) == len(hammer.ran)
    by_outcome: dict[Outcome, set[int]] = {
        "returned": set(),
        "raised": set(),
        "cancelled": set(),
        "refused": set(),
    }
    for number, outcome in hammer.outcomes.items():
        by_outcome[outcome].add(number)
    assert by_outcome["returned"] | by_outcome["raised"] <= ran
    assert not by_outcome["refused"] & ran
    stats = pool.stats()
    assert stats.completed + stats.failed - ended == len(ran)
    assert stats.submitted - submitted >= len(ran)
    refill(pool, sub)


def refill(pool: Pool, sub: SubPool) -> None:
    """Take all places, and see that there is not one more and not one less."""
    gate = Gate()
    own = sub._places
    for _ in range(own):
        sub.options(timeout=LIMIT).go(gate)
    places = own if pool._places is None else pool._places
    for _ in range(places - own):
        pool.options(timeout=LIMIT).go(gate)
    full: Any
    for full in [sub] if pool._places is None else [sub, pool]:
        with pytest.raises((TimeoutError, PoolOverloadError)):
            full.options(timeout=0).go(gate)
    assert (pool._in_flight, sub.running) == (places, own)
    gate.open()
    assert_account(pool)

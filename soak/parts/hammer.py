"""Eight threads call everything that a pool has, at once, and each task is accounted for.

What is done follows from the seed; when, from the system. `ANTSPY_SEED=n` does it again.
"""

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, wait
from contextlib import suppress
from typing import Any, Literal

from antspy import (
    Future,
    MultiPool,
    Pool,
    PoolClosedError,
    PoolOverloadError,
    PoolWithFunc,
    TaskInterrupted,
    WaitGroup,
)
from book import ERRORS, LIMIT, Book, Failure, body
from part import Account, Amount, Part

THREADS = 8
CALLS = 350
"""Of each thread in a round."""
REFUSALS = (PoolClosedError, PoolOverloadError, TimeoutError)
KINDS = ("plain", "plain", "plain", "spin", "nest", "raise")


class Arena:
    """A pool that all threads of a round share, with its account and all ways to hand in a task."""

    def __init__(self, seed: int) -> None:
        generator = random.Random(seed)
        self.book = Book()
        self.drops = False
        """Whether a task that was sent may never run."""
        settings: dict[str, Any] = {
            "queue_size": generator.choice([0, 0, 3, 50, None]),
            "overflow": generator.choice(["block", "block", "raise", "caller_runs", "discard"]),
            "max_blocking": generator.choice([None, None, 2]),
            "expiry": generator.choice([10.0, 0.001, None]),
            "prealloc": generator.random() < 0.2,
            "rate": generator.choice([None, None, None, 20_000.0]),
            "exception_handler": self.book.handle,
        }
        capacity = generator.choice([1, 2, 4, 9])
        shape = generator.choice(["pool", "pool", "func", "multi"])
        self.pool: Any
        self.views: list[Any]
        if shape == "func":
            self.pool = PoolWithFunc(self.task, capacity, **settings)
        elif shape == "multi":
            strategies: list[Literal["round_robin", "least_tasks"]] = ["round_robin", "least_tasks"]
            self.pool = MultiPool(2, capacity, strategy=generator.choice(strategies), **settings)
        else:
            self.pool = Pool(capacity, **settings)
        self.is_pool = shape == "pool"
        self.is_multi = shape == "multi"
        self.holds_function = shape == "func"
        self.sub = self.pool.subpool(2) if self.is_pool else None
        owners = [self.pool, self.sub] if self.sub else [self.pool]
        self.views = owners * 2
        for owner in owners:
            self.views += [owner.options(priority="high"), owner.options(deadline=LIMIT, name="named")]
            self.views += [owner.options(timeout=0.001, priority="low"), owner.options(timeout=0.01)]
        self.late = [owner.options(deadline=0.0005) for owner in owners]
        self.drops = settings["overflow"] == "discard"

    def task(self, number: int, kind: str) -> Any:
        # In a MultiPool nested tasks might wait for each other: each sub-pool helps its own tasks only.
        return body(self.book, number, kind, None if self.is_multi else self.nested)

    def nested(self) -> None:
        """What a task does that hands in others, and waits for one."""
        if (future := self.submit(self.pool, "plain")) is not None:
            wait_for(future)
        self.go(self.pool, "raise")

    def submit(self, view: Any, kind: str, callback: bool = False) -> Future[int] | None:
        number = self.book.number()
        arguments = (number, kind) if self.holds_function else (self.task, number, kind)
        try:
            future = view.submit(*arguments)
        except REFUSALS:
            self.book.refused.append(number)
            return None
        return self.book.watch(number, future, callback)

    def go(self, view: Any, kind: str) -> None:
        number = self.book.number()
        try:
            if self.holds_function:
                view.invoke(number, kind)
            else:
                view.go(self.task, number, kind)
        except REFUSALS:
            self.book.refused.append(number)
        else:
            self.book.sent.append(number)

    def settle(self, account: Account) -> None:
        """The end: all is waited for, closed and counted."""
        self.pool.resume()
        if not self.pool.wait(LIMIT):
            account.problems.append(f"{self.pool!r} has not come to rest: {self.pool.stats()}")
        self.pool.release(LIMIT)
        self.book.settle(self.pool.stats(), account, drops=self.drops)


class Caller:
    """One of the threads: what it calls is drawn from its seed."""

    def __init__(self, arenas: list[Arena], seed: int, loose: Book) -> None:
        self._random = random.Random(seed)
        self._arenas = arenas
        self._loose = loose
        self._recent: list[Future[int]] = []
        self._calls: list[tuple[Callable[[Arena], object], int]] = [
            (self.submit, 30),
            (self.go, 30),
            (self.submit_late, 3),
            (self.cancel, 8),
            (self.interrupt, 8),
            (self.result, 8),
            (self.map, 3),
            (self.group, 3),
            (self.wait_group, 2),
            (self.coroutines, 1),
            (self.pause, 1),
            (self.tune, 2),
            (self.wait, 1),
            (self.look, 3),
            (self.close_and_reboot, 1),
            (self.drop, 1),
        ]

    def run(self) -> None:
        calls, weights = zip(*self._calls, strict=True)
        for call in self._random.choices(calls, weights, k=CALLS):
            call(self._random.choice(self._arenas))

    def submit(self, arena: Arena) -> None:
        view, kind = self._random.choice(arena.views), self._random.choice(KINDS)
        for _ in range(self._random.choice([1, 5, 20])):
            future = arena.submit(view, kind, callback=self._random.random() < 0.3)
            if future is not None:
                self._recent.append(future)
        del self._recent[:-50]

    def go(self, arena: Arena) -> None:
        view, kind = self._random.choice(arena.views), self._random.choice(KINDS)
        for _ in range(self._random.choice([1, 5, 20])):
            arena.go(view, kind)

    def submit_late(self, arena: Arena) -> None:
        arena.submit(self._random.choice(arena.late), "plain")

    def cancel(self, arena: Arena) -> None:
        for future in self._recent[-5:]:
            future.cancel()

    def interrupt(self, arena: Arena) -> None:
        """Only a task that has nothing to enter: it might be interrupted before it has."""
        future = arena.submit(self._random.choice(arena.views), "spin")
        if future is not None:
            while not (future.done() or future.running()):
                time.sleep(0)
            future.interrupt()

    def result(self, arena: Arena) -> None:
        if self._recent:
            wait_for(self._random.choice(self._recent))
        wait(self._recent[-3:], timeout=0.001)

    def map(self, arena: Arena) -> None:
        if arena.holds_function:
            return
        book = arena.book
        numbers = [book.number() for _ in range(12)]
        kinds = [self._random.choice(["plain", "plain", "spin", "raise"]) for _ in numbers]
        items = self._random.choice(arena.views)
        told = 0
        try:
            for number in items.map(arena.task, numbers, kinds, buffersize=self._random.choice([None, 2])):
                book.returned.append(number)
                told += 1
                if self._random.random() < 0.03:
                    break
        except (*REFUSALS, CancelledError):
            pass
        except ERRORS as error:
            book.raised.append(error.args[0])
            told += 1
        book.open.extend(numbers[told:])

    def group(self, arena: Arena) -> None:
        if arena.holds_function:
            return
        book, numbers = arena.book, []
        try:
            with self._random.choice(arena.views).group() as group:
                for _ in range(6):
                    numbers.append(book.number())
                    group.submit(arena.task, numbers[-1], self._random.choice(KINDS))
        except BaseExceptionGroup as errors:
            for error in errors.exceptions:
                if not isinstance(error, (*REFUSALS, *ERRORS)):
                    raise
        except REFUSALS:
            pass
        book.open.extend(numbers)  # the group keeps their futures to itself

    def wait_group(self, arena: Arena) -> None:
        if not arena.is_pool:
            return
        group = WaitGroup(arena.pool)
        for _ in range(4):
            number = arena.book.number()
            try:
                group.go(arena.task, number, self._random.choice(KINDS))
            except REFUSALS:
                arena.book.refused.append(number)
            else:
                arena.book.sent.append(number)
        assert group.wait(LIMIT), "a wait group does not end"

    def coroutines(self, arena: Arena) -> None:
        asyncio.run(asyncio.wait_for(self._in_loop(arena), LIMIT))

    async def _in_loop(self, arena: Arena) -> None:
        tasks = [asyncio.create_task(self._await(arena)) for _ in range(20)]
        for task in self._random.sample(tasks, 8):
            if self._random.random() < 0.5:
                await asyncio.sleep(0)
            task.cancel()
        ends: list[BaseException | None] = await asyncio.gather(*tasks, return_exceptions=True)
        for ended in ends:
            if ended is not None and not isinstance(ended, asyncio.CancelledError):
                raise ended

    async def _await(self, arena: Arena) -> None:
        book, number = arena.book, arena.book.number()
        view, kind = self._random.choice(arena.views), self._random.choice(["plain", "spin", "fail"])
        arguments: tuple[Any, ...] = (number, kind)
        if not arena.holds_function:
            arguments = (arena.task, *arguments)
        way = self._random.choice(
            ["asubmit", "arun"] if arena.holds_function else ["asubmit", "arun", "amap"]
        )
        try:
            if way == "asubmit":
                result = await (await view.asubmit(*arguments))
            elif way == "arun":
                result = await view.arun(*arguments)
            else:
                (result,) = [it async for it in view.amap(lambda it: arena.task(it, kind), one(number))]
        except (*REFUSALS, asyncio.CancelledError) as error:
            book.open.append(number)
            if isinstance(error, asyncio.CancelledError):
                raise
        except Failure:
            book.raised.append(number)
        else:
            book.returned.append(result)

    def pause(self, arena: Arena) -> None:
        """With a submit that waits for a moment only: while it does, nobody else can resume the pool."""
        arena.pool.pause()
        arena.go(arena.views[-1], "plain")
        arena.pool.resume()

    def tune(self, arena: Arena) -> None:
        if arena.sub is not None and self._random.random() < 0.5:
            arena.sub.tune(self._random.randrange(1, 5))
        else:
            arena.pool.tune(self._random.randrange(2, 12))

    def wait(self, arena: Arena) -> None:
        (arena.sub or arena.pool).wait(timeout=0.001)

    def look(self, arena: Arena) -> None:
        """One look at the numbers, which are of one moment (in a MultiPool: of one each)."""
        stats, pool = arena.pool.stats(), arena.pool
        assert stats.started >= stats.completed + stats.failed, stats
        assert stats.submitted >= stats.started, stats
        assert stats.submitted >= stats.completed + stats.failed + stats.cancelled + stats.queued, stats
        for name in ("running", "free", "waiting", "busy", "idle", "queued"):
            assert (getattr(pool, name) or 0) >= 0, name
        repr(pool)

    def close_and_reboot(self, arena: Arena) -> None:
        cancels = self._random.random() < 0.5
        if cancels:
            arena.drops = True
        if self._random.random() < 0.5:
            arena.pool.shutdown(wait=False, cancel_futures=cancels)
        else:
            arena.pool.release()
        arena.pool.reboot()

    def drop(self, arena: Arena) -> None:
        """A pool that nobody has any more, with work: it runs."""
        book = self._loose
        pool = Pool(2, queue_size=None, exception_handler=book.handle)
        for _ in range(10):
            number = book.number()
            book.watch(number, pool.submit(body, book, number, "plain", None), callback=False)
        if self._random.random() < 0.5:
            pool.shutdown(wait=False, cancel_futures=True)


def wait_for(future: Future[int]) -> None:
    """Wait for the end of a task, whatever it is."""
    with suppress(CancelledError, TaskInterrupted, *ERRORS):
        future.result(LIMIT)


async def one(number: int) -> AsyncIterator[int]:
    """An iterable of one item."""
    yield number


def play(seed: int, account: Account) -> None:
    """One round: pools that the threads share, and the account at its end."""
    arenas = [Arena(seed * 10 + number) for number in range(3)]
    loose = Book()
    errors: list[BaseException] = []

    def call(seed: int) -> None:
        try:
            Caller(arenas, seed, loose).run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call, args=[seed * 100 + number]) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    account.problems += [f"seed {seed}: {error!r}" for error in errors]
    problems = len(account.problems)
    for arena in arenas:
        arena.settle(account)
    loose.settle(None, account, drops=True)
    account.problems[problems:] = [f"seed {seed}: {it}" for it in account.problems[problems:]]
    account.rounds += 1


def run(amount: int) -> Account:
    """Go on until `amount` tasks have been accepted."""
    account = Account()
    first = seed = int(os.environ.get("ANTSPY_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"hammer: ANTSPY_SEED={first}", flush=True)
    while account.tasks < amount and account.is_clean:
        play(seed, account)
        seed += 1
    account.figures["seeds"] = f"{first} to {seed - 1}"
    return account


HAMMER = Part(
    "hammer",
    f"{THREADS} threads, everything that can be called, at once; a round has pools of its own",
    Amount(short=40_000, long=1_500_000),
    run,
)

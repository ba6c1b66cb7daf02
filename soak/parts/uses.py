"""Uses of a pool, each to be repeated: what `leaks` measures. None keeps anything of a round."""

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures.thread import BrokenThreadPool
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from antspy import Future, Pool, PoolOverloadError, TaskInterrupted, WaitGroup
from part import Account

Repeat = Callable[[int], None]

LIMIT = 20.0
"""Seconds after which something that must happen has not."""

FEW = 10
"""Tasks of a round that has several."""


class Fault(Exception):
    """Raised on purpose."""


def task(*_: object) -> None:
    return None


def fail(*_: object) -> None:
    raise Fault("on purpose")


def enter(pool: Pool, account: Account) -> None:
    """Take what a pool counts into the account, once all is over."""
    assert pool.wait(LIMIT)
    stats = pool.stats()
    account.tasks += stats.submitted
    account.faults += stats.failed + stats.rejected
    account.lost += stats.submitted - stats.completed - stats.failed - stats.cancelled


@contextmanager
def occupied(**settings: Any) -> Iterator[Pool]:
    """A pool whose only worker is busy."""
    opened = threading.Event()
    with Pool(1, **settings) as pool:
        pool.go(opened.wait)
        try:
            yield pool
        finally:
            opened.set()


@contextmanager
def go(account: Account) -> Iterator[Repeat]:
    with Pool(2, queue_size=1000) as pool:

        def repeat(rounds: int) -> None:
            for _ in range(rounds):
                pool.go(task)
            assert pool.wait(LIMIT)

        yield repeat
        enter(pool, account)


@contextmanager
def futures_that_raised(account: Account) -> Iterator[Repeat]:
    """Each with its exception and traceback, and a callback."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds // FEW):
            futures = [pool.submit(fail) for _ in range(FEW)]
            for future in futures:
                future.add_done_callback(task)
                with suppress(Fault):
                    future.result(LIMIT)
                error = future.exception()
                assert error is not None
                assert error.__traceback__ is not None

    with Pool(2, queue_size=1000) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def cancelled_futures(account: Account) -> Iterator[Repeat]:
    """Half of them in the order in which they came, half in the reverse."""

    def repeat(rounds: int) -> None:
        for count in range(rounds // FEW):
            futures = [pool.submit(task) for _ in range(FEW)]
            for future in futures if count % 2 else reversed(futures):
                assert future.cancel()
                account.faults += 1

    with occupied(queue_size=None) as pool:
        yield repeat
    enter(pool, account)


@contextmanager
def refused(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            with suppress(PoolOverloadError):
                pool.submit(task, object())

    with occupied(overflow="raise") as pool:
        yield repeat
    enter(pool, account)


@contextmanager
def discarded(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            assert pool.submit(task, object()).cancelled()

    with occupied(overflow="discard") as pool:
        yield repeat
    enter(pool, account)


@contextmanager
def caller_runs(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            assert pool.submit(object).result() is not None

    with occupied(overflow="caller_runs") as pool:
        yield repeat
    enter(pool, account)


@contextmanager
def deadlines(account: Account) -> Iterator[Repeat]:
    """All pass, before a worker is free."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds // FEW):
            futures: list[Future[Any]] = [timed.submit(task) for _ in range(FEW)]
            pool._advance_clock(2)
            eventually(partial(all_cancelled, futures))
            account.faults += FEW

    with occupied(queue_size=None) as pool:
        timed = pool.options(deadline=1)
        yield repeat
    enter(pool, account)


@contextmanager
def interrupts(account: Account) -> Iterator[Repeat]:
    entered = threading.Semaphore(0)

    def until_interrupted() -> None:
        entered.release()
        while True:
            time.sleep(0)

    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            future = pool.submit(until_interrupted)
            assert entered.acquire(timeout=LIMIT)
            assert future.interrupt()
            with suppress(TaskInterrupted):
                future.result(LIMIT)

    with Pool(1) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def maps(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            assert len(list(pool.map(task, range(FEW)))) == FEW

    with Pool(2, queue_size=FEW) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def abandoned_maps(account: Account) -> Iterator[Repeat]:
    """One is left in the midst of its results, the next fails there."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds // 2):
            next(pool.map(task, range(FEW)))
            with suppress(Fault):
                next(pool.map(fail, range(FEW)))
            assert pool.wait(LIMIT)

    with Pool(2, queue_size=FEW, exception_handler=task) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def groups(account: Account) -> Iterator[Repeat]:
    """Every second one fails."""

    def repeat(rounds: int) -> None:
        for count in range(rounds):
            with suppress(BaseExceptionGroup), pool.group() as group:
                for _ in range(FEW):
                    group.submit(task if count % 2 else fail)

    with Pool(2, queue_size=FEW) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def wait_groups(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            group = WaitGroup(pool)
            for _ in range(FEW):
                group.go(task)
            assert group.wait(LIMIT)

    with Pool(2, queue_size=FEW) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def subpools(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            sub = pool.subpool(2)
            view = sub.options(name="task")
            for _ in range(2):
                view.go(task)
            assert sub.wait(LIMIT)

    with Pool(2, queue_size=FEW) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def coroutines(account: Account) -> Iterator[Repeat]:
    """Some end, some fail, some leave the line."""

    async def rounds_of(rounds: int) -> None:
        for _ in range(rounds // FEW):
            ends = [pool.arun(task if number % 2 else fail) for number in range(FEW - 2)]
            ends += [asyncio.ensure_future(pool.arun(task)) for _ in range(2)]
            ends[-1].cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            await (await pool.asubmit(task))

    def repeat(rounds: int) -> None:
        asyncio.run(rounds_of(rounds))
        assert pool.wait(LIMIT)

    with Pool(2) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def event_loops(account: Account) -> Iterator[Repeat]:
    async def once() -> None:
        await asyncio.gather(*(pool.arun(task) for _ in range(FEW)))

    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            asyncio.run(once())

    with Pool(2) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def pools(account: Account) -> Iterator[Repeat]:
    """No worker is ever started."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            Pool(4)

    yield repeat


@contextmanager
def pools_closed(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            with Pool(4, initializer=object) as pool:
                pool.go(task)
            account.tasks += 1

    yield repeat


@contextmanager
def pools_dropped(account: Account) -> Iterator[Repeat]:
    """Each in the midst of its work: the worker ends it, and leaves."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds // FEW):
            for _ in range(FEW):
                Pool(4).go(task)
            account.tasks += FEW
            eventually(lambda: alone(before))

    before = threads()
    yield repeat


@contextmanager
def broken_pools(account: Account) -> Iterator[Repeat]:
    """The initializer fails."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            with Pool(1, initializer=fail) as pool:
                future: Future[None] = pool.submit(task)
                assert isinstance(future.exception(LIMIT), BrokenThreadPool)
            account.faults += 1

    logger = logging.getLogger("concurrent.futures")
    logger.disabled = True
    yield repeat
    logger.disabled = False


@contextmanager
def expire_and_restart(account: Account) -> Iterator[Repeat]:
    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            pool.submit(task).result(LIMIT)
            pool._advance_clock(11)
            eventually(lambda: not pool.running)

    with Pool(1, expiry=10, initializer=object) as pool:
        yield repeat
        enter(pool, account)


@contextmanager
def forks(account: Account) -> Iterator[Repeat]:
    """The child uses the pool afresh; what the parent holds is measured."""

    def repeat(rounds: int) -> None:
        for _ in range(rounds):
            child = os.fork()
            if not child:
                os._exit(int(pool.submit(abs, -7).result(LIMIT)))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            pool.submit(task).result(LIMIT)

    with Pool(2) as pool:
        yield repeat
        enter(pool, account)


def all_cancelled(futures: list[Future[Any]]) -> bool:
    return all(future.cancelled() for future in futures)


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def alone(before: int) -> bool:
    return threads() <= before


def eventually(condition: Callable[[], object]) -> None:
    """Wait for what nobody announces."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            gc.collect()
            raise AssertionError(f"not within {LIMIT:.0f} s")
        time.sleep(0)

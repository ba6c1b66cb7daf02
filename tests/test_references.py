"""However a task ends, what it was made of is let go of: at once, without the garbage collector."""

import asyncio
import gc
import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, PoolWithFunc, WaitGroup
from support import LIMIT, Gate, eventually

ROUNDS = 20
"""Of each end: a reference that is kept is kept as often."""


class Thing:
    """An argument, a result."""


class Fault(Exception):
    """What a task raises."""


class Things:
    """What the tasks of a test are made of."""

    def __init__(self) -> None:
        self.argument, self.keyword, self.result = Thing(), Thing(), Thing()
        result = self.result
        self.entered = entered = threading.Semaphore(0)
        self.errors: list[weakref.ref[Fault]] = []
        errors = self.errors

        def give(argument: Thing, *, keyword: Thing) -> Thing:
            return result

        def fault(argument: Thing) -> Fault:
            error = Fault(argument)
            errors.append(weakref.ref(error))
            return error

        def fail(argument: Thing, *, keyword: Thing) -> None:
            raise fault(argument)  # whose frame does not keep it: that would be a cycle

        def spin(argument: Thing, *, keyword: Thing) -> None:
            entered.release()
            while True:
                time.sleep(0)

        def misbehave(*_: object) -> None:
            raise Fault

        self.give, self.fail, self.spin, self.misbehave = give, fail, spin, misbehave

    def hand_in(self, way: Callable[..., Any], fn: Callable[..., Any]) -> Any:
        return way(fn, self.argument, keyword=self.keyword)

    def counts(self) -> dict[str, int]:
        watched = ("argument", "keyword", "result", "give", "fail", "spin", "misbehave")
        return {name: sys.getrefcount(getattr(self, name)) for name in watched}


@contextmanager
def busy(**settings: Any) -> Iterator[Pool]:
    """A pool whose only worker has something else to do."""
    gate = Gate()
    with Pool(1, **settings) as pool:
        pool.go(gate)
        gate.wait_entered()
        try:
            yield pool
        finally:
            gate.open()


def returned(things: Things) -> None:
    with Pool(1) as pool:
        assert things.hand_in(pool.submit, things.give).result(LIMIT) is things.result


def returned_to_nobody(things: Things) -> None:
    with Pool(1) as pool:
        things.hand_in(pool.go, things.give)


def raised(things: Things) -> None:
    with Pool(1) as pool:
        assert isinstance(things.hand_in(pool.submit, things.fail).exception(LIMIT), Fault)


def raised_and_unseen(things: Things) -> None:
    with Pool(1) as pool:
        things.hand_in(pool.submit, things.fail)
        things.hand_in(pool.go, things.fail)


def handler_raised(things: Things) -> None:
    with Pool(1, exception_handler=things.misbehave) as pool:
        things.hand_in(pool.go, things.fail)


def callback_raised(things: Things) -> None:
    with Pool(1) as pool:
        future = things.hand_in(pool.submit, things.give)
        future.add_done_callback(things.misbehave)
        assert future.result(LIMIT) is things.result


def initializer_failed(things: Things) -> None:
    with Pool(1, initializer=things.fail, initargs=(things.argument,)) as pool:
        assert things.hand_in(pool.submit, things.give).exception(LIMIT) is not None


def finalizer_failed(things: Things) -> None:
    with Pool(1, initializer=Thing, finalizer=things.misbehave) as pool:
        things.hand_in(pool.go, things.give)


def interrupted(things: Things) -> None:
    with Pool(1) as pool:
        future = things.hand_in(pool.submit, things.spin)
        assert things.entered.acquire(timeout=LIMIT)
        assert future.interrupt()
        assert future.exception(LIMIT) is not None


def cancelled(things: Things) -> None:
    with busy(queue_size=1) as pool:
        assert things.hand_in(pool.submit, things.give).cancel()


def cancelled_by_shutdown(things: Things) -> None:
    with busy(queue_size=2) as pool:
        future = things.hand_in(pool.submit, things.give)
        things.hand_in(pool.go, things.give)
        pool.shutdown(wait=False, cancel_futures=True)
        assert future.cancelled()


def too_late_to_start(things: Things) -> None:
    with busy(queue_size=1) as pool:
        future = things.hand_in(pool.options(deadline=1).submit, things.give)
        pool._advance_clock(2)
        eventually(future.cancelled)


def too_late_for_a_place(things: Things) -> None:
    with busy() as pool, suppress(TimeoutError):
        things.hand_in(pool.options(timeout=0.001).submit, things.give)


def discarded(things: Things) -> None:
    with busy(overflow="discard") as pool:
        assert things.hand_in(pool.submit, things.give).cancelled()
        things.hand_in(pool.go, things.give)


def refused_by_a_full_pool(things: Things) -> None:
    with busy(overflow="raise") as pool:
        for way in (pool.submit, pool.go, pool.subpool(1).submit):
            with suppress(PoolOverloadError):
                things.hand_in(way, things.give)


def refused_by_a_closed_pool(things: Things) -> None:
    with Pool(1) as pool:
        pool.release()
        for way in (pool.submit, pool.go, pool.subpool(1).submit):
            with suppress(PoolClosedError):
                things.hand_in(way, things.give)


def run_by_the_caller(things: Things) -> None:
    with busy(overflow="caller_runs") as pool:
        assert things.hand_in(pool.submit, things.give).result() is things.result
        things.hand_in(pool.submit, things.fail)


def run_out_of_turn(things: Things) -> None:
    def outer() -> bool:
        return things.hand_in(pool.submit, things.give).result(LIMIT) is things.result

    with Pool(1) as pool:
        assert pool.submit(outer).result(LIMIT)


def sent_away(things: Things) -> None:
    """It stands in line, and the pool is closed."""

    def stand() -> None:
        with suppress(PoolClosedError):
            things.hand_in(pool.submit, things.give)

    with busy() as pool:
        thread = threading.Thread(target=stand)
        thread.start()
        eventually(lambda: pool.waiting == 1)
        pool.release()
        thread.join(LIMIT)


def pool_dropped(things: Things) -> None:
    gate = Gate()
    pool = Pool(1, queue_size=2)
    pool.go(gate)
    gate.wait_entered()
    things.hand_in(pool.go, things.give)
    things.hand_in(pool.submit, things.fail)
    del pool
    gate.open()


def on_terms(things: Things) -> None:
    with Pool(2) as pool:
        view = pool.subpool(1).options(name="task", deadline=60, priority="high")
        assert things.hand_in(view.submit, things.give).result(LIMIT) is things.result
        assert isinstance(things.hand_in(view.submit, things.fail).exception(LIMIT), Fault)


def by_a_pool_with_a_function(things: Things) -> None:
    def function(argument: Thing) -> Thing:
        return things.give(argument, keyword=things.keyword)

    with PoolWithFunc(function, 1) as pool:
        assert pool.submit(things.argument).result(LIMIT) is things.result
        pool.invoke(things.argument)


def map_abandoned(things: Things) -> None:
    def function(argument: Thing) -> Thing:
        return things.give(argument, keyword=things.keyword)

    with Pool(2, queue_size=2) as pool:
        assert next(pool.map(function, [things.argument] * 9)) is things.result


def map_failed(things: Things) -> None:
    def function(argument: Thing) -> Thing:
        return things.fail(argument, keyword=things.keyword)  # type: ignore[return-value]

    with Pool(2, queue_size=2) as pool, suppress(Fault):
        list(pool.map(function, [things.argument] * 9))


def group_failed(things: Things) -> None:
    with Pool(1, queue_size=4) as pool, suppress(BaseExceptionGroup), pool.group() as group:
        for fn in (things.give, things.fail, things.give):
            things.hand_in(group.submit, fn)


def counted_by_a_wait_group(things: Things) -> None:
    with Pool(1) as pool, WaitGroup(pool) as group:
        for fn in (things.give, things.fail):
            things.hand_in(group.go, fn)


def awaited(things: Things) -> None:
    async def main() -> None:
        for fn in (things.give, things.fail):
            with suppress(Fault):
                await things.hand_in(pool.arun, fn)

    with Pool(1) as pool:
        asyncio.run(main())


def left_the_line(things: Things) -> None:
    async def main() -> None:
        for where in (pool, pool.subpool(1)):
            waiting = things.hand_in(where.arun, things.give)
            await asyncio.sleep(0)
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting

    with busy() as pool:
        asyncio.run(main())


ENDS = (
    *(returned, returned_to_nobody, raised, raised_and_unseen, handler_raised, callback_raised),
    *(initializer_failed, finalizer_failed, interrupted, cancelled, cancelled_by_shutdown),
    *(too_late_to_start, too_late_for_a_place, discarded, refused_by_a_full_pool, refused_by_a_closed_pool),
    *(run_by_the_caller, run_out_of_turn, sent_away, pool_dropped, on_terms, by_a_pool_with_a_function),
    *(map_abandoned, map_failed, group_failed, counted_by_a_wait_group, awaited, left_the_line),
)

ends = pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)


@pytest.fixture(autouse=True)
def quiet(no_thread_is_left: None) -> Iterator[None]:
    """What is logged is kept by pytest; and the collector comes only when it is called."""
    loggers = [logging.getLogger(name) for name in ("antspy", "concurrent.futures")]
    for logger in loggers:
        logger.disabled = True
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    for logger in loggers:
        logger.disabled = False


@ends
def test_no_reference_is_kept(end: Callable[[Things], None]) -> None:
    things = Things()
    before = things.counts()
    for _ in range(ROUNDS):
        end(things)
    eventually(lambda: things.counts() == before, limit=5)
    assert [error() for error in things.errors if error() is not None] == []


@ends
@pytest.mark.skipif(not hasattr(sys, "gettotalrefcount"), reason="not a debug build of CPython")
def test_no_reference_of_any_object_is_kept(end: Callable[[Things], None]) -> None:
    def total() -> int:
        gc.collect()
        del things.errors[:]
        count: int = getattr(sys, "gettotalrefcount")()  # noqa: B009  # typeshed has it nowhere
        return count

    def grown() -> int:
        """By how many references the rounds leave more than there were."""
        before = total()
        for _ in range(ROUNDS):
            end(things)
        return total() - before

    things = Things()
    for _ in range(2):
        grown()
    # Some of a round are still on their way, or a cache grows now and then: a leak is there each time.
    least = min(grown() for _ in range(5))
    assert least < ROUNDS, least

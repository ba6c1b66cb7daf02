"""Each wish of ants' users: one row of the README's second table, one test.

A docstring begins with the name of its row.
"""

import threading
from concurrent.futures import CancelledError
from typing import Any

import pytest
from antspy import Pool, TaskInterrupted
from support import Gate, Thread, eventually, overloaded


def test_wait_for_all(gate: Gate) -> None:
    """wait for all tasks, keep the pool open (#73, #138): `wait`."""
    ran: list[int] = []
    with Pool(2, queue_size=None) as pool:
        pool.go(gate)
        for number in range(50):
            pool.go(ran.append, number)
        assert pool.wait(timeout=0.01) is False
        gate.open()
        assert pool.wait() is True
        assert len(ran) == 50
        assert not pool.closed
        pool.submit(ran.append, 50).result()


def test_results() -> None:
    """results (#69, #256, #280): futures, and `map`."""
    with Pool(2) as pool:
        assert pool.submit(divmod, 7, 2).result() == (3, 1)
        assert isinstance(pool.submit(divmod, 7, 0).exception(), ZeroDivisionError)
        assert list(pool.map(abs, range(-5, 0))) == [5, 4, 3, 2, 1]


def test_queue(gate: Gate) -> None:
    """a queue, never-blocking submit (#76, #183, #338): `queue_size`."""
    with Pool(1, queue_size=None) as endless, Pool(1, queue_size=2, overflow="raise") as bounded:
        for pool in (endless, bounded):
            pool.go(gate)
            gate.wait_entered()
        for _ in range(10_000):
            endless.go(int)
        assert (endless.queued, endless.running) == (10_000, 1)
        assert [overloaded(bounded) for _ in range(3)] == [False, False, True]
        assert bounded.queued == 2
        gate.open()


def test_cancel_the_wait_for_a_place(gate: Gate) -> None:
    """cancel the wait for a place (#237): a timeout; the task is not accepted and leaves nothing behind."""
    ran: list[int] = []
    with Pool(1) as pool:
        pool.go(gate)
        impatient = pool.options(timeout=0.02)
        for call in (impatient.submit, impatient.go):
            with pytest.raises(TimeoutError):
                call(ran.append, 1)
        assert (pool.waiting, pool._in_flight) == (0, 1)
        gate.open()
        assert pool.wait(timeout=20)
        pool.submit(ran.append, 2).result()
    assert ran == [2]


def test_deadline(gate: Gate) -> None:
    """per-task timeout (#82, #85, #179): a queued task that is late is cancelled, its place free at once."""
    with Pool(1, queue_size=1, overflow="raise") as pool:
        pool.go(gate)
        gate.wait_entered()
        late = pool.options(deadline=1000).submit(abs, -1)
        pool._advance_clock(999)
        assert not late.done()
        assert overloaded(pool)
        pool._advance_clock(2)
        with pytest.raises(CancelledError):
            late.result(timeout=20)
        eventually(lambda: pool._in_flight == 1)
        in_time = pool.options(deadline=1000).submit(abs, -2)
        gate.open()
        assert in_time.result() == 2


def test_interrupt(gate: Gate) -> None:
    """per-task timeout (#82, #85, #179): a task in Python code can be interrupted; its worker lives."""

    def spin() -> None:
        gate()
        while True:
            pass

    with Pool(1) as pool:
        endless = pool.submit(spin)
        gate.open()
        gate.wait_entered()
        assert endless.interrupt()
        assert isinstance(endless.exception(timeout=20), TaskInterrupted)
        assert not endless.interrupt()
        assert pool.submit(abs, -1).result() == 1
        assert pool.stats().workers_started == 1


def test_cancel_on_first_error(gate: Gate) -> None:
    """cancel everything on the first error (#169): a group; what runs is waited for."""
    ran: list[int] = []

    def block() -> None:
        with pool.group() as group:
            busy.append(group.submit(gate, "ran to its end"))
            group.submit(divmod, 1, 0)
            queued.extend(group.submit(ran.append, number) for number in range(5))
            pool.resume()

    busy: list[Any] = []
    queued: list[Any] = []
    with Pool(2, queue_size=None) as pool:
        pool.pause()
        ended = Thread(block)
        eventually(lambda: len(queued) == 5 and all(future.cancelled() for future in queued))
        assert ended.is_alive()
        gate.open()
        with pytest.raises(ExceptionGroup) as caught:
            ended.result()
        assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
        assert busy[0].result() == "ran to its end"
    assert ran == []


def test_priority() -> None:
    """priority (#59, #312): higher lanes first, each in order, and none starves."""
    order: list[str] = []
    with Pool(1, queue_size=None) as pool:
        pool.pause()
        for number in range(20):
            for lane in ("low", "normal", "high"):
                pool.options(priority=lane).go(order.append, f"{lane} {number}")
        pool.resume()
        assert pool.wait(timeout=20)
    for lane in ("low", "normal", "high"):
        mine = [name for name in order if name.startswith(lane)]
        assert mine == [f"{lane} {number}" for number in range(20)]
    assert order[:16] == [f"high {number}" for number in range(16)]
    assert {"low 0", "normal 0"} <= set(order[:18]), "passed over 16 times in a row"


def test_statistics(gate: Gate) -> None:
    """busy and idle counts, statistics (#229, #254, #293): `stats`, all of one moment."""
    with Pool(2, queue_size=2, overflow="raise") as pool:
        pool.submit(abs, -1).result()
        assert isinstance(pool.submit(divmod, 1, 0).exception(), ZeroDivisionError)
        for _ in range(2):
            pool.go(gate)
        gate.wait_entered(2)
        assert pool.submit(int).cancel()
        pool.go(int)
        pool.go(int)
        assert overloaded(pool)
        stats = pool.stats()
        assert (stats.busy, stats.idle, stats.queued, stats.waiting) == (2, 0, 2, 0)
        counts = (stats.submitted, stats.started, stats.completed, stats.failed, stats.cancelled)
        assert counts == (7, 4, 1, 1, 1)
        assert (stats.rejected, stats.discarded, stats.workers_started) == (1, 0, 2)
        gate.open()
        assert pool.wait(timeout=20)
        eventually(lambda: pool.stats().idle == 2)
        assert pool.stats().completed == 5


@pytest.mark.parametrize("capacity", [1, 2, 3])
def test_nested_submit(capacity: int) -> None:
    """nested submit deadlocks (#197): not here; the worker runs the new task, or the one it waits for."""

    def fibonacci(number: int) -> int:
        if number < 2:
            return number
        futures = [pool.submit(fibonacci, number - step) for step in (1, 2)]
        return sum(future.result() for future in futures)

    def nested(depth: int) -> None:
        if depth:
            pool.go(nested, depth - 1)

    with Pool(capacity) as pool:
        assert pool.submit(fibonacci, 10).result(timeout=20) == 55
        pool.go(nested, 20)
        assert pool.wait(timeout=20)
        assert pool.running <= capacity
    with Pool(capacity, queue_size=None) as pool:
        assert pool.submit(fibonacci, 10).result(timeout=20) == 55


def test_reject_policies(gate: Gate) -> None:
    """reject policies, caller runs (#243): `overflow`."""
    with (
        Pool(1) as block,
        Pool(1, overflow="raise") as refuse,
        Pool(1, overflow="caller_runs") as delegate,
        Pool(1, overflow="discard") as discard,
    ):
        for pool in (block, refuse, delegate, discard):
            pool.go(gate)
        assert overloaded(refuse)
        assert delegate.submit(threading.get_ident).result() == threading.get_ident()
        assert discard.submit(abs, -1).cancelled()
        assert discard.stats().discarded == 1
        blocked = Thread(lambda: block.submit(abs, -1).result())
        eventually(lambda: block.waiting == 1)
        gate.open()
        assert blocked.result() == 1


def test_keep_some_workers() -> None:
    """keep some workers (#368): `min_workers` do not expire."""
    with Pool(4, prealloc=True, min_workers=2) as pool:
        eventually(lambda: pool.idle == 4)
        for _ in range(3):
            pool._advance_clock(100)
            eventually(lambda: pool.running == 2)
        assert pool.submit(abs, -1).result() == 1
        assert pool.stats().workers_expired == 2


def test_tune_with_pre_alloc() -> None:
    """tune with PreAlloc (#98): up and down."""
    with Pool(2, prealloc=True, expiry=None) as pool:
        pool.tune(4)
        together = threading.Barrier(4)
        for _ in range(4):
            pool.go(together.wait, 20)
        assert pool.wait(timeout=20)
        eventually(lambda: pool.idle == 4)
        pool.tune(1)
        assert (pool.running, pool.free) == (1, 0)


def test_rate_limit() -> None:
    """rate limit (#182): so many tasks are started a second, whoever is free."""
    started: list[int] = []
    with Pool(4, queue_size=None, rate=0.01) as pool:
        for number in range(4):
            pool.go(started.append, number)
        for count in range(1, 5):
            eventually(lambda count=count: len(started) == count)  # type: ignore[misc]
            pool._advance_clock(50)
            assert len(started) == count
            pool._advance_clock(51)
    assert started == [0, 1, 2, 3]


def test_retry_a_release(gate: Gate) -> None:
    """retry after a timed-out release: works, from any thread, also for several at once."""
    pool = Pool(2)
    pool.go(gate)
    with pytest.raises(TimeoutError):
        pool.release(timeout=0.01)
    again = [Thread(pool.release, timeout=20) for _ in range(3)]
    gate.open()
    for thread in again:
        thread.result()
    assert pool.running == 0

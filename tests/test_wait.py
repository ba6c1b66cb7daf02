"""`Pool.wait`: all accepted tasks are done, and the pool stays open."""

import time
from typing import Any

from antspy import Pool
from support import Gate, many


def test_wait_waits_for_all_tasks_and_leaves_the_pool_open() -> None:
    ran: list[int] = []
    size = many(100)
    with Pool(4, queue_size=None) as pool:
        for batch in range(many(50)):
            for number in range(size):
                pool.go(ran.append, number)
            assert pool.wait() is True
            assert len(ran) == size * (batch + 1)
        assert not pool.closed


def test_wait_on_an_idle_pool_returns_at_once() -> None:
    with Pool(1) as pool:
        assert pool.wait() is True
        assert pool.wait(timeout=0) is True


def test_wait_returns_false_when_it_takes_too_long(gate: Gate) -> None:
    with Pool(1) as pool:
        pool.go(gate)
        assert pool.wait(timeout=0) is False
        assert pool.wait(timeout=0.02) is False
        gate.open()
        assert pool.wait(timeout=10) is True


def test_wait_includes_the_callbacks_of_the_tasks(gate: Gate) -> None:
    called: list[Any] = []

    def slow(future: Any) -> None:
        time.sleep(0.05)
        called.append(future)

    with Pool(1) as pool:
        future = pool.submit(gate)
        future.add_done_callback(slow)
        gate.open()
        assert pool.wait(timeout=10)
        assert called == [future]


def test_cancelled_and_failed_tasks_are_not_waited_for(gate: Gate) -> None:
    with Pool(1, queue_size=5, exception_handler=lambda error: None) as pool:
        future = pool.submit(gate)
        gate.wait_entered()
        queued = pool.submit(abs, 1)
        pool.go(divmod, 1, 0)
        pool.submit(divmod, 1, 0)
        assert queued.cancel()
        gate.open()
        assert pool.wait(timeout=10)
        assert future.done()

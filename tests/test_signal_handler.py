"""A handler of a signal may use the pool that the main thread is in the midst of using, and close it."""

import threading
import time
from collections.abc import Callable

import pytest
from antspy import Future, Pool, PoolClosedError
from support import LIMIT, Gate, alarm

signal = pytest.importorskip("signal")
pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs an alarm that is a signal"),
    pytest.mark.timeout(60),
]


CLOSES: dict[str, Callable[[Pool], object]] = {
    "release": lambda pool: pool.release(),
    "shutdown": lambda pool: pool.shutdown(wait=False),
    "shutdown that cancels": lambda pool: pool.shutdown(wait=False, cancel_futures=True),
}


@pytest.mark.parametrize("name", CLOSES)
def test_it_closes_the_pool_in_whose_submit_the_main_thread_is_blocked(name: str, gate: Gate) -> None:
    pool = Pool(1)
    running = pool.submit(gate, "unharmed")
    gate.wait_entered()
    with alarm(lambda: CLOSES[name](pool), 0.05), pytest.raises(PoolClosedError):
        pool.submit(int)
    gate.open()
    assert running.result(LIMIT) == "unharmed"
    pool.shutdown()


@pytest.mark.parametrize("name", CLOSES)
def test_it_closes_the_pool_for_which_the_main_thread_waits(name: str, gate: Gate) -> None:
    pool = Pool(1)
    running = pool.submit(gate)
    closed = threading.Event()

    def close() -> None:
        CLOSES[name](pool)
        closed.set()
        gate.open()

    with alarm(close, 0.05):
        assert pool.wait(LIMIT)
    assert closed.is_set()
    assert running.done()
    pool.shutdown()


def test_it_waits_for_the_pool_itself(gate: Gate) -> None:
    pool = Pool(1)
    running = pool.submit(gate)
    gate.wait_entered()

    def close() -> None:
        gate.open()
        pool.shutdown()

    with alarm(close, 0.05), pytest.raises(PoolClosedError):
        pool.submit(int)
    assert running.done()
    assert pool.running == 0


def test_a_release_that_is_not_over_in_time_raises_in_the_main_thread(gate: Gate) -> None:
    pool = Pool(1)
    running = pool.submit(gate)
    with alarm(lambda: pool.release(timeout=0.01), 0.05), pytest.raises(TimeoutError, match="release"):
        running.result(LIMIT)
    gate.open()
    pool.shutdown()


def test_handlers_use_the_pool_at_any_moment() -> None:
    ran: list[int] = []
    handled = 0
    often = 0.0005
    with Pool(2, queue_size=1000) as pool:

        def use() -> None:
            nonlocal handled
            handled += 1
            pool.go(ran.append, -1)
            pool.tune(1 + handled % 3)
            pool.wait(0)
            pool.stats()
            signal.setitimer(signal.ITIMER_REAL, often)  # the next comes when this one is over

        accepted = 0
        end = time.monotonic() + 1.5
        with alarm(use, often):
            while time.monotonic() < end:
                pool.submit(ran.append, accepted).result(LIMIT)
                accepted += 1
                pool.go(int)
            often = 0.0
        assert pool.wait(LIMIT)
    assert sorted(ran) == [-1] * handled + list(range(accepted))
    assert handled > 50


@pytest.mark.parametrize("name", CLOSES)
def test_it_closes_a_pool_at_any_moment_of_a_submit(name: str) -> None:
    for step in range(100):
        pool = Pool(2, queue_size=8)
        ran: list[int] = []
        futures: list[Future[None]] = []
        with alarm(lambda used=pool: CLOSES[name](used), 1e-4 + step * 2e-5):  # type: ignore[misc]
            try:
                while True:
                    futures.append(pool.submit(ran.append, len(futures)))
            except PoolClosedError:
                pass
        pool.shutdown()
        assert all(future.done() for future in futures)
        expected = [number for number, future in enumerate(futures) if not future.cancelled()]
        assert sorted(ran) == expected

"""What the machine has found, as short as it gets."""

import time

from antspy import Pool
from support import LIMIT, Gate, Thread, eventually


def test_a_closed_pool_does_not_wait_for_the_deadline_of_a_task_that_has_run(gate: Gate) -> None:
    pool = Pool(1, queue_size=1)
    pool.go(gate)
    gate.wait_entered()
    in_time = pool.options(deadline=1000).submit(abs, -1)
    released = Thread(pool.release, timeout=LIMIT / 2)
    # Whoever watches the deadline is woken, finds the task still queued, and sleeps for 1000 s.
    time.sleep(0.05)
    gate.open()
    released.result()
    assert in_time.result() == 1


def test_a_paused_pool_that_is_shut_down_does_not_wait_for_the_deadline_of_a_cancelled_task() -> None:
    for cancel_futures in (True, False):
        pool = Pool(1, queue_size=1)
        pool.submit(abs, -1).result()
        pool.pause()
        cancelled = pool.options(deadline=1000).submit(abs, -2)
        assert cancel_futures or cancelled.cancel()
        pool.shutdown(wait=False, cancel_futures=cancel_futures)
        pool.release(timeout=LIMIT / 2)
        assert cancelled.cancelled()


def test_nobody_is_started_for_tasks_that_are_cancelled() -> None:
    with Pool(4, queue_size=None) as pool:
        pool.pause()
        futures = [pool.submit(abs, -1) for _ in range(5)]
        eventually(lambda: pool.idle == 1)  # the first task of a pool without workers starts one
        assert all(future.cancel() for future in futures)
        pool.resume()
        assert pool.submit(abs, -1).result() == 1
        assert pool.stats().workers_started == 1


def test_shutdown_of_a_paused_pool_starts_nobody_for_what_it_cancels() -> None:
    pool = Pool(4, queue_size=None)
    pool.submit(abs, -1).result()
    pool.pause()
    futures = [pool.submit(abs, -1) for _ in range(5)]
    pool.shutdown(cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert pool.stats().workers_started == 1


def test_a_task_that_never_starts_has_no_time_in_the_queue(gate: Gate) -> None:
    with Pool(1, queue_size=None) as pool:
        pool.go(gate)
        gate.wait_entered()
        assert all(pool.submit(abs, -1).cancel() for _ in range(5))
        gate.open()
        assert pool.submit(abs, -1).result() == 1
        stats = pool.stats()
        assert (stats.started, stats.queue_time.count) == (2, 2)

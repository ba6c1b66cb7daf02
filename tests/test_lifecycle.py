"""Open, released, closed, open again; waiting for all tasks; and the end of a pool nobody refers to."""

import gc
import threading
import time
import weakref
from concurrent.futures import CancelledError
from typing import Any

import pytest
from antspy import Pool, PoolClosedError
from support import Gate, Thread, eventually, threads


def test_release_refuses_new_work_and_runs_what_was_accepted(gate: Gate) -> None:
    pool = Pool(1, queue_size=10)
    futures = [pool.submit(gate, number) for number in range(5)]
    assert not pool.closed
    pool.release()
    assert pool.closed
    with pytest.raises(PoolClosedError):
        pool.submit(gate)
    with pytest.raises(PoolClosedError):
        pool.go(gate)
    with pytest.raises(PoolClosedError):
        pool.map(gate, [1])
    gate.open()
    assert [future.result() for future in futures] == list(range(5))
    pool.release(timeout=10)
    assert pool.running == 0


def test_a_closed_pool_raises_what_every_executor_raises() -> None:
    pool = Pool(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        pool.submit(int)


def test_release_sends_blocked_submitters_away(gate: Gate) -> None:
    pool = Pool(1)
    busy = pool.submit(gate, 1)
    blocked = [Thread(lambda: pool.go(gate)) for _ in range(5)]
    eventually(lambda: pool.waiting == 5)
    pool.release()
    for thread in blocked:
        with pytest.raises(PoolClosedError):
            thread.result()
    assert pool.waiting == 0
    gate.open()
    assert busy.result() == 1


def test_release_without_a_timeout_never_raises_and_does_not_wait(gate: Gate) -> None:
    pool = Pool(1)
    pool.go(gate)
    gate.wait_entered()
    for _ in range(3):
        pool.release()
        pool.release(timeout=0)
        assert pool.running == 1
    gate.open()


def test_a_release_that_is_late_may_be_called_again(gate: Gate) -> None:
    pool = Pool(2)
    pool.go(gate)
    for _ in range(2):
        with pytest.raises(TimeoutError, match="again"):
            pool.release(timeout=0.02)
        assert pool.closed
    gate.open()
    pool.release(timeout=10)
    assert pool.running == 0
    pool.release(timeout=10)


def test_release_with_timeout_none_waits_until_all_workers_are_gone(gate: Gate) -> None:
    before = threads()
    pool = Pool(2)
    pool.go(gate)
    released = Thread(lambda: pool.release(timeout=None))
    eventually(lambda: pool.closed)
    assert released.is_alive()
    gate.open()
    released.result()
    assert pool.running == 0
    del released
    eventually(lambda: threads() == before, limit=2)


def test_release_sends_idle_workers_home() -> None:
    pool = Pool(4, expiry=None, prealloc=True)
    eventually(lambda: pool.idle == 4)
    pool.release()
    eventually(lambda: pool.running == 0)
    pool.release(timeout=10)


@pytest.mark.parametrize("call", ["wait", "release", "shutdown", "reboot"])
def test_a_task_that_would_wait_for_itself_is_told_so(call: str) -> None:
    pool = Pool(2)

    def task() -> None:
        if call == "release":
            pool.release(timeout=None)
        elif call == "reboot":
            pool.release()
            pool.reboot()
        else:
            getattr(pool, call)()

    with pytest.raises(RuntimeError, match="itself"):
        pool.submit(task).result(timeout=10)
    pool.shutdown()


def test_a_task_may_release_its_own_pool() -> None:
    pool = Pool(2)
    pool.submit(pool.release).result()
    assert pool.closed
    pool.release(timeout=10)


def test_reboot_opens_a_released_pool_with_the_same_settings(gate: Gate) -> None:
    pool = Pool(3, overflow="raise", thread_name_prefix="ant")
    pool.submit(int).result()
    pool.tune(2)
    pool.release()
    pool.reboot()
    assert not pool.closed
    assert pool.capacity == 2
    futures = [pool.submit(gate, number) for number in range(2)]
    with pytest.raises(Exception, match="full"):
        pool.submit(gate)
    gate.open()
    assert [future.result() for future in futures] == [0, 1]
    assert pool.submit(lambda: threading.current_thread().name).result().startswith("ant_")
    pool.shutdown()


def test_reboot_waits_for_the_old_workers(gate: Gate) -> None:
    pool = Pool(2)
    pool.go(gate)
    pool.release()
    rebooted = Thread(pool.reboot)
    time.sleep(0.02)
    assert rebooted.is_alive()
    assert pool.closed
    gate.open()
    rebooted.result()
    assert (pool.closed, pool.running) == (False, 0)
    assert pool.submit(abs, -1).result() == 1
    pool.shutdown()


def test_reboot_does_nothing_to_an_open_pool(gate: Gate) -> None:
    with Pool(2) as pool:
        pool.go(gate)
        gate.wait_entered()
        pool.reboot()
        assert pool.running == 1
        gate.open()


def test_reboot_starts_a_prealloc_pools_workers_again() -> None:
    pool = Pool(3, prealloc=True)
    for _ in range(3):
        pool.release(timeout=10)
        assert pool.running == 0
        pool.reboot()
        assert pool.running == 3
    pool.shutdown()


def test_shutdown_waits_for_what_was_accepted() -> None:
    before = threads()
    pool = Pool(4, queue_size=None)
    futures = [pool.submit(time.sleep, 0.005) for _ in range(40)]
    pool.shutdown()
    assert all(future.done() for future in futures)
    assert pool.running == 0
    eventually(lambda: threads() == before, limit=2)
    pool.shutdown()


def test_shutdown_without_wait_returns_at_once(gate: Gate) -> None:
    pool = Pool(1, queue_size=5)
    futures = [pool.submit(gate, number) for number in range(3)]
    pool.shutdown(wait=False)
    assert pool.closed
    assert not futures[0].done()
    gate.open()
    assert [future.result() for future in futures] == [0, 1, 2]


def test_shutdown_with_cancel_futures_cancels_what_has_not_started(gate: Gate) -> None:
    ran: list[int] = []
    pool = Pool(1, queue_size=20)
    busy = pool.submit(gate, "ran")
    gate.wait_entered()
    futures = [pool.submit(ran.append, number) for number in range(10)]
    for number in range(10):
        pool.go(ran.append, number)
    pool.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in futures)
    assert pool.queued == 0
    with pytest.raises(CancelledError):
        futures[0].result()
    gate.open()
    pool.shutdown()
    assert busy.result() == "ran"
    assert ran == []


def test_with_waits_for_what_was_accepted_and_closes_the_pool() -> None:
    with Pool(2, queue_size=None) as pool:
        futures = [pool.submit(time.sleep, 0.01) for _ in range(6)]
    assert all(future.done() for future in futures)
    assert pool.closed
    with pytest.raises(PoolClosedError):
        pool.submit(int)


def test_dropping_the_last_reference_lets_the_pool_shut_down() -> None:
    before = threads()
    pool = Pool(4, expiry=None, prealloc=True)
    gone = weakref.ref(pool)
    assert threads() == before + 4
    del pool
    assert gone() is None
    eventually(lambda: threads() == before)


def test_what_a_dropped_pool_had_accepted_still_runs(gate: Gate) -> None:
    before = threads()
    pool = Pool(2, queue_size=None)
    futures = [pool.submit(gate, number) for number in range(20)]
    del pool
    gate.open()
    assert [future.result() for future in futures] == list(range(20))
    del futures
    eventually(lambda: threads() == before)


def test_a_blocked_submitter_keeps_the_pool_it_waits_for(gate: Gate) -> None:
    pools = [Pool(1)]
    pools[0].go(gate)
    gone = weakref.ref(pools[0])
    blocked = Thread(lambda: pools[0].submit(abs, -1).result())
    eventually(lambda: pools[0].waiting == 1)
    pools.clear()
    gate.open()
    assert blocked.result() == 1
    del blocked
    eventually(lambda: gone() is None)


def test_a_task_that_refers_to_its_pool_does_not_keep_it() -> None:
    before = threads()
    pool = Pool(2, expiry=None)
    gone = weakref.ref(pool)

    def task(pool: Pool) -> int:
        return pool.running

    assert pool.submit(task, pool).result() == 1
    del pool
    eventually(lambda: gone() is None)
    eventually(lambda: threads() == before)


def test_the_last_reference_may_be_dropped_by_a_worker_of_the_pool(gate: Gate) -> None:
    before = threads()
    pool = Pool(2)
    gone = weakref.ref(pool)
    future = pool.submit(gate, pool)
    del pool
    gate.open()
    future.result()
    del future
    eventually(lambda: gone() is None)
    eventually(lambda: threads() == before)


def test_a_pool_in_a_cycle_with_its_exception_handler_is_collected() -> None:
    class Owner:
        def __init__(self) -> None:
            self.pool = Pool(2, expiry=None, exception_handler=self.handle)

        def handle(self, error: BaseException) -> None:
            pass

    before = threads()
    owner = Owner()
    gone = weakref.ref(owner)
    owner.pool.go(divmod, 1, 0)
    assert owner.pool.wait(timeout=10)
    assert owner.pool.submit(abs, -1).result() == 1
    del owner
    gc.collect()
    assert gone() is None
    eventually(lambda: threads() == before)


@pytest.mark.parametrize("round_", range(10))
def test_a_release_in_the_midst_of_submits_loses_no_accepted_task(round_: int) -> None:
    pool = Pool(3, queue_size=round_)
    accepted: list[Any] = []
    refused: list[BaseException] = []

    def submit_until_closed() -> None:
        try:
            while True:
                accepted.append(pool.submit(abs, -1))
        except PoolClosedError as error:
            refused.append(error)

    submitters = [Thread(submit_until_closed) for _ in range(4)]
    eventually(lambda: len(accepted) > 50)
    pool.release(timeout=20)
    for submitter in submitters:
        submitter.result()
    assert len(refused) == 4
    assert all(future.result(timeout=10) == 1 for future in accepted)

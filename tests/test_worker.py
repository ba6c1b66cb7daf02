"""A worker's thread object: what `threading` shows of it, and how it is joined."""

import threading
import weakref

import pytest
from antspy import Pool
from antspy.worker import WorkerThread
from support import LIMIT, Gate, Thread, eventually


def workers_thread(pool: Pool) -> WorkerThread:
    thread = pool.submit(threading.current_thread).result(LIMIT)
    assert isinstance(thread, WorkerThread)
    return thread


def test_it_tells_what_every_thread_tells() -> None:
    with Pool(1, thread_name_prefix="ant") as pool:
        thread = workers_thread(pool)
        assert (thread.name, thread.daemon, thread.is_alive()) == ("ant_0", False, True)
        assert pool.submit(threading.get_ident).result() == thread.ident
        assert pool.submit(threading.get_native_id).result() == thread.native_id
        assert thread in threading.enumerate()
        assert repr(thread) == f"<WorkerThread(ant_0, alive {thread.ident})>"
        thread.name = "renamed"
        assert pool.submit(lambda: threading.current_thread().name).result() == "renamed"
    assert (thread.is_alive(), repr(thread)) == (False, f"<WorkerThread(renamed, ended {thread.ident})>")
    assert thread not in threading.enumerate()


def test_it_can_be_joined(gate: Gate) -> None:
    pool = Pool(1)
    thread = workers_thread(pool)
    pool.go(gate)
    pool.release()
    for timeout in (0, 0.01, -1):
        thread.join(timeout)
        assert thread.is_alive()
    joiner = Thread(thread.join)
    gate.open()
    joiner.result()
    assert not thread.is_alive()
    thread.join()
    pool.release(LIMIT)


def test_a_worker_that_expires_or_is_sent_home_can_be_joined() -> None:
    with Pool(2, expiry=60) as pool:
        thread = workers_thread(pool)
        eventually(lambda: pool.idle == 1)
        pool._advance_clock(61)
        thread.join(LIMIT)
        assert not thread.is_alive()
        assert workers_thread(pool) is not thread


def test_it_does_not_wait_for_itself() -> None:
    with Pool(1) as pool:
        future = pool.submit(lambda: threading.current_thread().join())
        with pytest.raises(RuntimeError, match="cannot join current thread"):
            future.result(LIMIT)


def test_nothing_holds_it_once_it_has_ended() -> None:
    with Pool(1) as pool:
        gone = weakref.ref(workers_thread(pool))
        assert gone() is not None
        pool.release(LIMIT)
        eventually(lambda: gone() is None)


def test_a_pool_knows_its_own_threads(gate: Gate) -> None:
    with Pool(3, queue_size=None) as one, Pool(1) as other:
        for _ in range(2):
            one.go(gate)
        gate.wait_entered(2)
        assert {thread.name for thread in one._crew} < {thread.name for thread in threading.enumerate()}
        assert (len(one._crew), len(other._crew)) == (2, 0)
        gate.open()
    eventually(lambda: not one._crew)

"""The package's functions, and the pool behind them."""

import threading

import antspy
import pytest
from antspy import PoolClosedError
from support import Gate, run_program


def test_the_default_pools_capacity_is_that_of_ants() -> None:
    assert antspy.capacity() == antspy.default_pool().capacity == 2147483647
    assert antspy.free() == 2147483647 - antspy.running()


def test_functions_of_the_package_use_the_default_pool(gate: Gate) -> None:
    ran = threading.Event()
    antspy.go(ran.set)
    assert ran.wait(10)
    assert antspy.submit(pow, 2, 10).result() == 1024
    assert antspy.submit(int, "ff", base=16).result() == 255
    assert list(antspy.map(abs, [-1, -2])) == [1, 2]
    antspy.go(gate)
    gate.wait_entered()
    assert antspy.wait(timeout=0) is False
    assert antspy.running() == antspy.default_pool().running >= 1
    assert antspy.idle() == antspy.default_pool().idle
    assert antspy.busy() == antspy.default_pool().busy
    assert (antspy.waiting(), antspy.queued(), antspy.closed()) == (0, 0, False)
    gate.open()
    assert antspy.wait(timeout=10) is True


def test_many_tasks_at_once_find_a_worker_each() -> None:
    barrier = threading.Barrier(100)
    futures = [antspy.submit(barrier.wait, 20) for _ in range(100)]
    assert sorted(future.result() for future in futures) == list(range(100))


def test_the_default_pool_can_be_released_and_rebooted() -> None:
    antspy.submit(int).result()
    antspy.release(timeout=10)
    assert antspy.closed()
    assert antspy.running() == 0
    with pytest.raises(PoolClosedError):
        antspy.go(int)
    antspy.reboot()
    assert not antspy.closed()
    assert antspy.submit(abs, -1).result() == 1


def test_the_default_pool_can_be_tuned() -> None:
    antspy.tune(2)
    try:
        assert (antspy.capacity(), antspy.free()) == (2, 2)
    finally:
        antspy.tune(2147483647)


def test_importing_the_package_starts_no_thread_and_says_nothing() -> None:
    out = run_program("import threading, antspy; print(threading.active_count())", "-W", "error")
    assert out == "1\n"

"""The capacity can be changed at any time, on any pool."""

import threading
import time

import pytest
from antspy import Pool, PoolOverloadError
from support import Gate, Thread, eventually, many


def test_up_lets_as_many_blocked_submitters_go_on_as_there_are_new_places(gate: Gate) -> None:
    with Pool(1) as pool:
        pool.go(gate)
        blocked = [Thread(lambda: pool.go(gate)) for _ in range(8)]
        eventually(lambda: pool.waiting == 8)
        pool.tune(4)
        gate.wait_entered(4)
        assert (pool.capacity, pool.waiting, pool.running, pool.free) == (4, 5, 4, 0)
        pool.tune(None)
        gate.wait_entered(5)
        assert pool.waiting == 0
        gate.open()
        for thread in blocked:
            thread.result()


def test_up_starts_workers_for_what_is_queued() -> None:
    barrier = threading.Barrier(3)
    with Pool(1, queue_size=None) as pool:
        futures = [pool.submit(barrier.wait, 20) for _ in range(3)]
        pool.tune(3)
        assert sorted(future.result() for future in futures) == [0, 1, 2]


def test_down_interrupts_nobody_and_surplus_workers_leave_after_their_task() -> None:
    gates = [Gate() for _ in range(4)]
    with Pool(4) as pool:
        futures = [pool.submit(gate, number) for number, gate in enumerate(gates)]
        for gate in gates:
            gate.wait_entered()
        pool.tune(1)
        assert (pool.capacity, pool.running, pool.free) == (1, 4, 0)
        expected = [3, 2, 1, 1]
        for gate in gates:
            gate.open()
            eventually(lambda: pool.running == expected[0])
            del expected[0]
        assert [future.result() for future in futures] == list(range(4))


def test_down_accepts_nothing_until_there_is_a_place_again() -> None:
    gates = [Gate() for _ in range(3)]
    with Pool(3, overflow="raise") as pool:
        futures = [pool.submit(gate, number) for number, gate in enumerate(gates)]
        pool.tune(2)
        for gate, future in zip(gates[:2], futures[:2], strict=True):
            with pytest.raises(PoolOverloadError):
                pool.submit(int)
            gate.open()
            future.result()
        assert pool.submit(abs, -1).result() == 1
        gates[2].open()


def test_down_sends_surplus_idle_workers_home_at_once() -> None:
    with Pool(8, prealloc=True, expiry=None) as pool:
        eventually(lambda: pool.idle == 8)
        pool.tune(3)
        assert (pool.running, pool.idle) == (3, 3)


def test_down_limits_how_many_tasks_run_at_once() -> None:
    lock = threading.Lock()
    running = most = 0

    def task() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1

    with Pool(16) as pool:
        for _ in range(50):
            pool.go(task)
        pool.tune(2)
        assert pool.wait(timeout=10)
        most = 0
        for _ in range(50):
            pool.go(task)
        assert pool.wait(timeout=10)
        assert 1 <= most <= 2


def test_a_prealloc_pool_can_be_tuned() -> None:
    with Pool(4, prealloc=True, expiry=None) as pool:
        pool.tune(6)
        barrier = threading.Barrier(6)
        futures = [pool.submit(barrier.wait, 20) for _ in range(6)]
        assert sorted(future.result() for future in futures) == list(range(6))
        pool.tune(2)
        eventually(lambda: pool.running == 2)


def test_an_unlimited_pool_can_be_tuned(gate: Gate) -> None:
    with Pool(None, overflow="raise") as pool:
        pool.tune(2)
        assert (pool.capacity, pool.free) == (2, 2)
        pool.go(gate)
        pool.go(gate)
        with pytest.raises(PoolOverloadError):
            pool.go(gate)
        pool.tune(None)
        assert (pool.capacity, pool.free) == (None, None)
        pool.go(gate)
        gate.wait_entered(3)
        gate.open()


def test_a_closed_pool_can_be_tuned() -> None:
    pool = Pool(2)
    pool.shutdown()
    pool.tune(5)
    assert pool.capacity == 5
    pool.reboot()
    assert pool.capacity == 5
    pool.shutdown()


def test_a_task_may_tune_its_own_pool() -> None:
    with Pool(3) as pool:
        pool.submit(pool.tune, 1).result()
        assert pool.submit(abs, -1).result() == 1
        assert pool.capacity == 1


@pytest.mark.parametrize("value", [0, -1])
def test_a_capacity_below_1_is_refused_and_changes_nothing(value: int) -> None:
    with Pool(3) as pool:
        with pytest.raises(ValueError, match=f"capacity.*{value}"):
            pool.tune(value)
        assert pool.capacity == 3


@pytest.mark.timeout(30)
def test_tunes_in_the_midst_of_submits_lose_no_task() -> None:
    stop = threading.Event()

    def tune() -> None:
        while not stop.is_set():
            for capacity in (1, 7, 2, 30, 3, None):
                pool.tune(capacity)
                assert pool.free is None or pool.free >= 0
                time.sleep(0)

    def submit_many() -> int:
        futures = [pool.submit(abs, -number) for number in range(many(3000))]
        return sum(future.result(timeout=20) for future in futures)

    with Pool(4, expiry=0.001) as pool:
        tuner = Thread(tune)
        submitters = [Thread(submit_many) for _ in range(3)]
        assert [submitter.result() for submitter in submitters] == [sum(range(many(3000)))] * 3
        stop.set()
        tuner.result()
        assert pool.wait(timeout=10)

"""When workers start and leave, and which one gets the next task."""

import threading
import time
from concurrent.futures import wait

import pytest
from antspy import Pool
from support import TASKS, Gate, eventually, run_program, threads


def stay(gate: Gate) -> int:
    gate()
    return threading.get_ident()


def occupy(pool: Pool, count: int) -> list[int]:
    """Have `count` workers run at once; return who they are, the first to be idle again in front."""
    gates = [Gate() for _ in range(count)]
    futures = []
    for gate in gates:
        futures.append(pool.submit(stay, gate))
        gate.wait_entered()
    idents = []
    for gate, future in zip(gates, futures, strict=True):
        gate.open()
        idents.append(future.result(timeout=20))
    assert len(set(idents)) == count
    return idents


def test_a_pool_without_work_has_no_worker() -> None:
    before = threads()
    with Pool(8) as pool:
        assert (pool.running, pool.idle, pool.free) == (0, 0, 8)
        assert threads() == before


def test_one_task_after_the_other_needs_one_worker() -> None:
    with Pool(8) as pool:
        idents = {pool.submit(threading.get_ident).result() for _ in range(2000)}
        assert len(idents) == pool.running == 1
        assert pool.free == 7


def test_a_worker_is_idle_before_its_result_is_delivered() -> None:
    with Pool(2) as pool:
        for _ in range(500):
            pool.submit(int).result()
            assert (pool.running, pool.idle) == (1, 1)


def test_running_counts_busy_and_idle_workers(gate: Gate) -> None:
    with Pool(4) as pool:
        occupy(pool, 3)
        assert (pool.running, pool.idle, pool.free) == (3, 3, 1)
        pool.go(gate)
        gate.wait_entered()
        assert (pool.running, pool.busy, pool.idle, pool.free) == (3, 1, 2, 1)
        gate.open()


def test_the_newest_idle_worker_wakes_first() -> None:
    with Pool(4) as pool:
        for _ in range(20):
            newest = occupy(pool, 4)[-1]
            assert pool.submit(threading.get_ident).result() == newest


def test_the_oldest_idle_workers_expire_and_the_newest_stays() -> None:
    with Pool(4, expiry=0.2) as pool:
        newest = occupy(pool, 4)[-1]

        def one_is_left() -> bool:
            assert pool.submit(threading.get_ident).result() == newest
            return pool.running == 1

        eventually(one_is_left)


@pytest.mark.skipif(not TASKS.exists(), reason="counts threads as Linux shows them")
@pytest.mark.parametrize("min_workers", [0, 3])
def test_an_idle_pool_returns_to_min_workers_within_twice_its_expiry(min_workers: int) -> None:
    expiry = 0.5
    before = threads()
    with Pool(50, expiry=expiry, min_workers=min_workers) as pool:
        barrier = threading.Barrier(50)
        futures = [pool.submit(barrier.wait, 20) for _ in range(50)]
        done = time.monotonic()
        wait(futures)
        assert threads() == before + 50
        running = pool.running
        # The first cannot have been idle for `expiry` by now, if this thread has not slept too long.
        assert running == 50 or time.monotonic() > done + expiry
        idle = time.monotonic()
        eventually(lambda: threads() == before + min_workers, limit=2 * expiry)
        assert time.monotonic() - done >= expiry, "too early"
        assert pool.running == pool.idle == min_workers
        eventually(lambda: time.monotonic() > idle + 3 * expiry)
        assert pool.running == min_workers, "min_workers do not expire"
        assert threads() == before + min_workers


def test_workers_without_expiry_stay() -> None:
    with Pool(4, expiry=None) as stays, Pool(4, expiry=0.1) as leaves:
        occupy(stays, 4)
        occupy(leaves, 4)
        eventually(lambda: leaves.running == 0)
        assert stays.running == stays.idle == 4


def test_a_busy_worker_does_not_expire(gate: Gate) -> None:
    with Pool(2, expiry=0.05) as pool:
        future = pool.submit(gate, "still there")
        gate.wait_entered()
        occupy(pool, 1)
        eventually(lambda: pool.running == 1)
        gate.open()
        assert future.result() == "still there"
        eventually(lambda: pool.running == 0)


def test_a_pool_whose_workers_have_expired_starts_new_ones() -> None:
    with Pool(2, expiry=0.01) as pool:
        for number in range(5):
            assert pool.submit(abs, -number).result() == number
            eventually(lambda: pool.running == 0)


@pytest.mark.timeout(20)
def test_no_task_is_lost_between_a_workers_expiry_and_the_next_submit() -> None:
    # Each pause ends about when the only worker's expiry does.
    with Pool(2, expiry=0.001) as pool:
        for number in range(1500):
            assert pool.submit(abs, -number).result(timeout=10) == number
            time.sleep(0.0009)


def test_prealloc_starts_all_workers_at_construction() -> None:
    before = threads()
    with Pool(8, prealloc=True) as pool:
        assert (pool.running, pool.free) == (8, 0)
        assert threads() == before + 8
        eventually(lambda: pool.idle == 8)
        occupy(pool, 8)
        assert pool.running == 8


def test_prealloc_workers_expire_like_others() -> None:
    with Pool(6, prealloc=True, expiry=0.1, min_workers=2) as pool:
        assert pool.running == 6
        eventually(lambda: pool.running == 2)
        occupy(pool, 6)
        eventually(lambda: pool.running == 2)


def test_prealloc_workers_without_expiry_stay() -> None:
    with Pool(4, prealloc=True, expiry=None) as stays, Pool(4, prealloc=True, expiry=0.1) as leaves:
        eventually(lambda: leaves.running == 0)
        assert stays.running == 4


def test_min_workers_are_not_started_without_work() -> None:
    with Pool(8, min_workers=4) as pool:
        assert pool.running == 0


def test_tasks_written_in_c_let_other_threads_run() -> None:
    with Pool(1, queue_size=None) as pool:
        for _ in range(3000):
            pool.go(sum, range(20_000))
        seen = set()
        while queued := pool.queued:
            seen.add(queued)
            time.sleep(0.001)
        assert len(seen) >= 5, "the worker kept the interpreter until its queue was empty"


def test_with_no_worker_and_no_thread_to_be_had_a_task_is_not_accepted() -> None:
    with Pool(2, stack_size=2**46) as pool:
        for _ in range(3):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                pool.submit(int)
        assert (pool.running, pool.queued) == (0, 0)
        assert pool.wait(timeout=0)


@pytest.mark.skipif(not TASKS.exists(), reason="limits address space as Linux does")
def test_a_thread_that_cannot_be_started_loses_no_task() -> None:
    # One worker there is; then there is address space for no other's stack.
    out = run_program("""
        import resource, time
        from antspy import Pool
        pool = Pool(4, queue_size=None, stack_size=2**30)
        pool.submit(int).result()
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limits = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, limits[1]))
        futures = [pool.submit(time.sleep, 0.001) for _ in range(50)]
        print([future.result(timeout=10) for future in futures] == [None] * 50, pool.running)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        for future in [pool.submit(time.sleep, 0.05) for _ in range(4)]:
            future.result(timeout=10)
        print(pool.running)
    """)
    assert out == "True 1\n4\n"

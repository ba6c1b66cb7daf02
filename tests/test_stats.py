"""`Pool.stats`: what a pool has done so far."""

import dataclasses
import itertools
import threading
import time

import pytest
from antspy import Histogram, MultiPool, Pool, PoolOverloadError, PoolWithFunc, Stats
from support import LIMIT, Gate, Thread, assert_settled, eventually, many


def test_a_pool_without_work_has_done_nothing() -> None:
    with Pool(3) as pool:
        stats = pool.stats()
    values = dataclasses.asdict(stats)
    histograms = [values.pop(name) for name in ("queue_time", "run_time")]
    assert values.pop("capacity") == 3
    assert set(values.values()) == {0}
    assert [(set(it["counts"]), it["total"]) for it in histograms] == [({0}, 0.0)] * 2


def test_each_number_of_a_pool_at_work(gate: Gate) -> None:
    with Pool(3, queue_size=4, expiry=None) as pool:
        for number in range(3):
            pool.submit(gate, number)
        gate.wait_entered(3)
        queued = [pool.submit(abs, -number) for number in range(4)]
        blocked = [Thread(pool.go, abs, -1) for _ in range(2)]
        eventually(lambda: pool.waiting == 2)
        stats = pool.stats()
        assert (stats.capacity, stats.busy, stats.idle, stats.queued, stats.waiting) == (3, 3, 0, 4, 2)
        assert (stats.submitted, stats.started, stats.completed) == (7, 3, 0)
        assert queued[0].cancel()
        eventually(lambda: pool.waiting == 1)
        gate.open()
        for thread in blocked:
            thread.result()
        assert_settled(pool)
        eventually(lambda: pool.idle == 3)
        stats = pool.stats()
        assert (stats.busy, stats.idle, stats.queued, stats.waiting) == (0, 3, 0, 0)
        assert (stats.submitted, stats.started, stats.completed, stats.cancelled) == (9, 8, 8, 1)
        assert (stats.workers_started, stats.workers_expired) == (3, 0)


def test_each_way_of_ending_is_counted_once(gate: Gate) -> None:
    with Pool(1, queue_size=3, exception_handler=lambda error: None) as pool:
        for call in (pool.submit, pool.go):
            call(abs, -1)
            pool.wait()
            call(int, "no number")
            pool.wait()
            call(exit)
            pool.wait()
        with pytest.raises(TypeError):
            pool.submit(3)  # type: ignore[arg-type]
        pool.go(gate)
        gate.wait_entered()
        pool.submit(abs, -1).cancel()
        late = pool.options(deadline=1000)
        late.go(abs, -1)
        late.submit(abs, -1)
        pool._advance_clock(1000)
        eventually(lambda: pool.stats().cancelled == 3)
        for _ in range(3):
            pool.submit(abs, -1)
        with pytest.raises(TimeoutError):
            pool.options(timeout=0).submit(abs, -1)
        gate.open()
        assert_settled(pool)
        stats = pool.stats()
    assert (stats.completed, stats.failed, stats.cancelled) == (6, 4, 3)
    assert (stats.submitted, stats.rejected, stats.discarded) == (13, 1, 0)


def test_what_a_full_pool_does_is_counted(gate: Gate) -> None:
    with (
        Pool(1, overflow="raise") as raising,
        Pool(1, overflow="discard") as discarding,
        Pool(1, overflow="caller_runs") as running,
    ):
        for pool in (raising, discarding, running):
            pool.go(gate)
        gate.wait_entered(3)
        for _ in range(5):
            with pytest.raises(PoolOverloadError):
                raising.submit(abs, -1)
            discarding.go(abs, -1)
            assert running.submit(abs, -1).result() == 1
        gate.open()
        for pool in (raising, discarding, running):
            assert_settled(pool)
        of_raising, of_discarding, of_running = (it.stats() for it in (raising, discarding, running))
    assert (of_raising.rejected, of_raising.submitted) == (5, 1)
    assert (of_discarding.discarded, of_discarding.submitted, of_discarding.cancelled) == (5, 1, 0)
    assert (of_running.submitted, of_running.started, of_running.completed) == (6, 6, 6)


def test_the_numbers_of_one_moment_fit_each_other() -> None:
    over = threading.Event()
    moments: list[Stats] = []

    def look() -> None:
        while not over.is_set():
            moments.append(pool.stats())

    def fail(number: int) -> None:
        if number % 5 == 0:
            raise LookupError(number)

    with Pool(3, queue_size=4, exception_handler=lambda error: None) as pool:
        looking = Thread(look)

        def submit_many() -> None:
            for number in range(many(600)):
                future = pool.submit(fail, number)
                if number % 7 == 0:
                    future.cancel()

        for thread in [Thread(submit_many) for _ in range(3)]:
            thread.result()
        over.set()
        looking.result()
        assert_settled(pool)
        moments.append(pool.stats())
    for stats in moments:
        running = stats.submitted - stats.completed - stats.failed - stats.cancelled - stats.queued
        assert 0 <= running <= 3, stats
        # A worker that takes what is left of a cancelled task finds that out only then.
        assert 0 <= stats.started - stats.completed - stats.failed <= 3, stats
        assert 0 <= stats.idle + stats.busy <= 3
        assert stats.queued <= 7
    for before, after in itertools.pairwise(moments):
        assert before.submitted <= after.submitted
        assert before.completed <= after.completed
        assert before.queue_time.count <= after.queue_time.count
    assert moments[-1].submitted == 3 * many(600)


def test_workers_that_come_and_go_are_counted() -> None:
    with Pool(4, expiry=1000) as pool:
        for round_ in range(1, 4):
            barrier = threading.Barrier(4)
            futures = [pool.submit(barrier.wait, LIMIT) for _ in range(4)]
            for future in futures:
                future.result(LIMIT)
            eventually(lambda: pool.idle == 4)
            pool._advance_clock(2001)
            eventually(lambda: pool.running == 0)
            stats = pool.stats()
            assert (stats.workers_started, stats.workers_expired) == (4 * round_, 4 * round_)
        pool.submit(int).result()
        pool.release(timeout=LIMIT)
        assert (pool.stats().workers_started, pool.stats().workers_expired) == (13, 12)


def test_times_are_measured(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.submit(gate)
        gate.wait_entered()
        future = pool.submit(time.sleep, 0.02)
        time.sleep(0.03)
        gate.open()
        future.result(LIMIT)
        assert_settled(pool)
        stats = pool.stats()
    assert stats.queue_time.count == stats.run_time.count == 2
    assert stats.queue_time.total >= 0.03
    assert stats.run_time.total >= 0.05
    assert stats.run_time.quantile(0.01) >= 0.02
    assert stats.run_time.mean == stats.run_time.total / 2
    assert sum(count for _, count in stats.queue_time) == 2


def test_the_pools_clock_counts(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.submit(gate)
        gate.wait_entered()
        pool.submit(int)
        pool._advance_clock(1000)
        gate.open()
        assert_settled(pool)
        stats = pool.stats()
    assert 1000 <= stats.queue_time.total < 1000 + LIMIT
    assert 1000 <= stats.run_time.total < 1000 + LIMIT
    assert stats.run_time.quantile(1) == 2**40 / 1e9  # the power of two above 10**12 nanoseconds


def test_a_burst_is_sampled_and_the_samples_stand_for_all() -> None:
    with Pool(100, queue_size=None) as pool:
        for _ in range(50_000):
            pool.go(int)
        assert_settled(pool)
        stats = pool.stats()
    assert stats.completed == 50_000
    assert 50_000 - 64 <= stats.queue_time.count <= 50_000
    assert stats.queue_time.count == stats.run_time.count


def test_nested_tasks_are_timed_too() -> None:
    with Pool(1) as pool:
        pool.submit(lambda: pool.submit(time.sleep, 0.02).result(LIMIT)).result(LIMIT)
        assert_settled(pool)
        stats = pool.stats()
    assert (stats.submitted, stats.started, stats.completed, stats.run_time.count) == (2, 2, 2, 2)
    assert stats.run_time.total >= 0.04  # the outer one's time has the inner one's in it


def test_a_histogram() -> None:
    histogram = Histogram((0, 2, 0, 6), 1e-7)
    assert list(histogram) == [(4e-9, 2), (16e-9, 6)]
    assert (histogram.count, histogram.mean) == (8, 1e-7 / 8)
    assert [histogram.quantile(q) for q in (0, 0.25, 0.26, 0.5, 1)] == [4e-9, 4e-9, 16e-9, 16e-9, 16e-9]
    empty = Histogram((0, 0), 0.0)
    assert (empty.count, empty.mean, empty.quantile(0.5), list(empty)) == (0, 0.0, 0.0, [])


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_a_quantile_is_from_0_to_1(q: float) -> None:
    with pytest.raises(ValueError, match=f"q must be from 0 to 1, not {q}"):
        Histogram((1,), 1e-9).quantile(q)


def test_other_pools_have_stats() -> None:
    with PoolWithFunc(abs, 2) as with_func, MultiPool(3, 2) as multi:
        with_func.invoke(-1)
        assert with_func.submit(-2).result(LIMIT) == 2
        assert with_func.wait(LIMIT)
        assert with_func.stats().completed == 2
        for number in range(10):
            multi.submit(abs, -number).result(LIMIT)
        multi.wait(LIMIT)
        stats = multi.stats()
        assert (stats.capacity, stats.completed, stats.run_time.count) == (6, 10, 10)
        assert stats.submitted == sum(pool.stats().submitted for pool in multi.pools)


def test_the_numbers_survive_a_reboot() -> None:
    pool = Pool(2)
    pool.submit(abs, -1).result(LIMIT)
    pool.release(timeout=LIMIT)
    assert pool.stats().completed == 1
    pool.reboot()
    pool.submit(abs, -1).result(LIMIT)
    pool.shutdown()
    assert (pool.stats().completed, pool.stats().workers_started) == (2, 2)

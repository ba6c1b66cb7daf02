"""`Pool.pause` and `resume`: no task is started for a while."""

import time

import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, PoolWithFunc, WaitGroup
from support import LIMIT, Gate, Thread, assert_settled, eventually


def test_nothing_starts_during_a_pause() -> None:
    ran: list[int] = []
    with Pool(2, queue_size=None) as pool:
        assert not pool.paused
        pool.pause()
        assert pool.paused
        for number in range(10):
            pool.go(ran.append, number)
        assert pool.wait(timeout=0.02) is False
        assert (ran, pool.queued, pool.stats().started) == ([], 10, 0)
        pool.resume()
        assert not pool.paused
        assert_settled(pool)
    assert sorted(ran) == list(range(10))


def test_running_tasks_go_on_and_nothing_follows_them(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        running = pool.submit(gate, 1)
        gate.wait_entered()
        queued = pool.submit(abs, -2)
        pool.pause()
        gate.open()
        assert running.result(LIMIT) == 1
        with pytest.raises(TimeoutError):
            queued.result(timeout=0.02)
        assert (pool.queued, pool.idle) == (1, 1)
        pool.resume()
        assert queued.result(LIMIT) == 2


def test_a_paused_pool_fills_up_as_any_other() -> None:
    with Pool(1, queue_size=2) as pool:
        pool.pause()
        futures = [pool.submit(abs, -number) for number in range(3)]
        blocked = Thread(pool.submit, abs, -3)
        eventually(lambda: pool.waiting == 1)
        with pytest.raises(TimeoutError):
            pool.options(timeout=0).submit(abs, -4)
        assert futures[0].cancel()  # gives its place to who waits
        futures.append(blocked.result())
        assert pool.queued == 3
        pool.resume()
        assert [future.result(LIMIT) for future in futures[1:]] == [1, 2, 3]
        assert_settled(pool)


def test_a_paused_pool_that_may_not_wait_refuses() -> None:
    with Pool(1, overflow="raise") as pool:
        pool.pause()
        future = pool.submit(abs, -1)
        with pytest.raises(PoolOverloadError):
            pool.submit(abs, -2)
        pool.resume()
        assert future.result(LIMIT) == 1


def test_pauses_do_not_add_up() -> None:
    with Pool(1) as pool:
        pool.resume()
        assert pool.submit(abs, -1).result(LIMIT) == 1
        pool.pause()
        pool.pause()
        future = pool.submit(abs, -2)
        pool.resume()
        assert future.result(LIMIT) == 2
        pool.resume()
        assert not pool.paused


def test_order_and_lanes_outlive_a_pause() -> None:
    order: list[int] = []
    with Pool(1, queue_size=None) as pool:
        pool.pause()
        pool.options(priority="low").go(order.append, 3)
        pool.go(order.append, 1)
        pool.options(priority="high").go(order.append, 0)
        pool.go(order.append, 2)
        pool.resume()
        assert_settled(pool)
    assert order == [0, 1, 2, 3]


def test_after_a_pause_as_many_workers_come_as_before(gate: Gate) -> None:
    with Pool(5, queue_size=None) as pool:
        pool.pause()
        for _ in range(8):
            pool.go(gate)
        pool.resume()
        gate.wait_entered(5)
        assert (pool.running, pool.queued) == (5, 3)
        gate.open()


def test_a_deadline_passes_during_a_pause() -> None:
    with Pool(1, queue_size=1) as pool:
        pool.pause()
        late = pool.options(deadline=1000).submit(abs, -1)
        other = pool.submit(abs, -2)
        pool._advance_clock(1000)
        eventually(late.cancelled)
        assert not other.done()
        pool.resume()
        assert other.result(LIMIT) == 2
        assert_settled(pool)


def test_idle_workers_expire_during_a_pause() -> None:
    with Pool(2, expiry=1000) as pool:
        pool.submit(int).result(LIMIT)
        pool.pause()
        future = pool.submit(abs, -1)
        pool._advance_clock(2001)
        eventually(lambda: pool.running == 0)
        pool.resume()
        assert future.result(LIMIT) == 1


@pytest.mark.parametrize("prealloc", [False, True])
def test_tune_does_not_end_a_pause(prealloc: bool) -> None:
    with Pool(1, queue_size=5, prealloc=prealloc) as pool:
        pool.pause()
        futures = [pool.submit(abs, -number) for number in range(3)]
        pool.tune(4)
        time.sleep(0.01)
        assert (pool.paused, pool.queued) == (True, 3)
        pool.resume()
        assert [future.result(LIMIT) for future in futures] == [0, 1, 2]


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("wait", [False, True])
def test_closing_ends_the_pause_and_what_was_accepted_runs(started: bool, wait: bool) -> None:
    pool = Pool(1, queue_size=2)
    if started:
        pool.submit(int).result(LIMIT)
    pool.pause()
    futures = [pool.submit(abs, -number) for number in range(3)]
    blocked = Thread(pool.submit, abs, -1)
    eventually(lambda: pool.waiting == 1)
    pool.shutdown(wait=wait)
    assert not pool.paused
    with pytest.raises(PoolClosedError):
        blocked.result()
    assert [future.result(LIMIT) for future in futures] == [0, 1, 2]
    pool.pause()  # on a closed pool nothing happens
    assert not pool.paused
    pool.shutdown()
    pool.reboot()
    assert not pool.paused
    assert pool.submit(abs, -1).result(LIMIT) == 1
    pool.shutdown()


def test_leaving_the_block_of_a_paused_pool_runs_what_was_accepted() -> None:
    with Pool(2, queue_size=5) as pool:
        pool.pause()
        futures = [pool.submit(abs, -number) for number in range(3)]
    assert [future.result() for future in futures] == [0, 1, 2]


def test_a_task_that_waits_for_one_of_its_own_pool_runs_it_during_a_pause(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, queue_size=5) as pool:

        def outer() -> int:
            gate()
            group = WaitGroup(pool)
            group.go(ran.append, 1)
            assert group.wait(LIMIT)
            pool.go(ran.append, 2)
            return pool.submit(abs, -3).result(LIMIT)

        future = pool.submit(outer)
        gate.wait_entered()
        pool.pause()
        gate.open()
        assert future.result(LIMIT) == 3
        assert (ran, pool.queued) == ([1], 1)
        pool.resume()
        assert_settled(pool)
    assert ran == [1, 2]


def test_a_rate_goes_on_after_a_pause() -> None:
    ran: list[int] = []
    with Pool(1, queue_size=5, rate=0.001) as pool:
        pool.submit(ran.append, 0).result(LIMIT)
        pool.go(ran.append, 1)
        pool.pause()
        pool._advance_clock(1000)
        time.sleep(0.01)
        assert ran == [0]
        pool.resume()
        eventually(lambda: ran == [0, 1])


def test_pausing_and_resuming_all_the_time_loses_nothing() -> None:
    ran: list[int] = []
    with Pool(3, queue_size=5) as pool:
        submitter = Thread(lambda: [pool.go(ran.append, number) for number in range(5000)])
        while submitter.is_alive():
            pool.pause()
            pool.resume()
        submitter.result()
        assert_settled(pool)
    assert sorted(ran) == list(range(5000))


def test_other_pools_pause_too() -> None:
    seen: list[int] = []
    with PoolWithFunc(seen.append, 1, queue_size=5) as pool:
        pool.pause()
        pool.invoke(1)
        future = pool.submit(2)
        assert pool.wait(timeout=0.01) is False
        assert seen == []
        pool.resume()
        assert future.result(LIMIT) is None
    assert seen == [1, 2]

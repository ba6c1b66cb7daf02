"""How many tasks a pool accepts, and what it does with one more."""

import random
import threading
import time
import weakref
from concurrent.futures import Future

import pytest
from antspy import Pool, PoolOverloadError
from support import Gate, Thread, eventually, many


class Thing:
    pass


def test_a_submit_to_a_full_pool_waits_for_a_place(gate: Gate) -> None:
    with Pool(2) as pool:
        first = [pool.submit(gate, number) for number in range(2)]
        blocked = Thread(lambda: pool.submit(gate, 2).result())
        eventually(lambda: pool.waiting == 1)
        assert blocked.is_alive()
        gate.open()
        assert blocked.result() == 2
        assert [future.result() for future in first] == [0, 1]
        assert pool.waiting == 0


def test_queue_size_is_how_many_more_are_accepted_than_run(gate: Gate) -> None:
    with Pool(2, queue_size=3, overflow="raise") as pool:
        futures = [pool.submit(gate, number) for number in range(5)]
        gate.wait_entered(2)
        assert pool.queued == 3
        with pytest.raises(PoolOverloadError):
            pool.submit(gate)
        gate.open()
        assert [future.result() for future in futures] == list(range(5))


@pytest.mark.parametrize(("capacity", "queue_size"), [(1, 0), (3, 0), (2, 5)])
def test_in_flight_never_exceeds_capacity_and_queue_size(capacity: int, queue_size: int) -> None:
    lock = threading.Lock()
    accepted = ended = running = 0
    most_in_flight = most_running = 0

    def task() -> None:
        nonlocal running, ended, most_running
        with lock:
            running += 1
            most_running = max(most_running, running)
        if random.random() < 0.1:
            time.sleep(0.0002)
        with lock:
            running -= 1
            ended += 1

    def submit_many() -> None:
        nonlocal accepted, most_in_flight
        for _ in range(many(500)):
            pool.go(task)
            with lock:
                accepted += 1
                most_in_flight = max(most_in_flight, accepted - ended)

    with Pool(capacity, queue_size=queue_size) as pool:
        for submitter in [Thread(submit_many) for _ in range(4)]:
            submitter.result()
    assert ended == accepted == 4 * many(500)
    assert most_running <= capacity
    assert most_in_flight <= capacity + queue_size


def test_raise_refuses_a_task_that_has_no_place_and_leaves_nothing_of_it(gate: Gate) -> None:
    with Pool(1, overflow="raise") as pool:
        busy = pool.submit(gate)
        thing = Thing()
        gone = weakref.ref(thing)
        with pytest.raises(PoolOverloadError, match="capacity 1"):
            pool.go(print, thing)
        del thing
        assert gone() is None
        gate.open()
        busy.result()
        assert pool.submit(abs, -1).result() == 1


def test_caller_runs_gives_the_task_to_its_submitter(gate: Gate) -> None:
    with Pool(1, overflow="caller_runs") as pool:
        pool.go(gate)
        ident = pool.submit(threading.get_ident)
        assert ident.done()
        assert ident.result() == threading.get_ident()
        error = pool.submit(divmod, 1, 0).exception()
        assert isinstance(error, ZeroDivisionError)
        gate.open()


def test_caller_runs_tells_the_exception_handler_of_a_go_task(gate: Gate) -> None:
    seen: list[BaseException] = []
    with Pool(1, overflow="caller_runs", exception_handler=seen.append) as pool:
        pool.go(gate)
        pool.go(divmod, 1, 0)
        assert [type(error) for error in seen] == [ZeroDivisionError]
        gate.open()


def test_a_discarded_tasks_future_is_cancelled(gate: Gate) -> None:
    ran: list[int] = []
    with Pool(1, overflow="discard") as pool:
        pool.go(gate)
        future = pool.submit(ran.append, 1)
        assert future.cancelled()
        called: list[Future[None]] = []
        future.add_done_callback(called.append)
        assert called == [future]
        pool.go(ran.append, 2)
        gate.open()
        assert pool.wait(timeout=10)
        pool.submit(ran.append, 3).result()
    assert ran == [3]


def test_max_blocking_is_how_many_may_wait(gate: Gate) -> None:
    with Pool(1, max_blocking=2) as pool:
        pool.go(gate)
        blocked = [Thread(lambda: pool.submit(gate).result()) for _ in range(2)]
        eventually(lambda: pool.waiting == 2)
        with pytest.raises(PoolOverloadError):
            pool.submit(gate)
        gate.open()
        for thread in blocked:
            thread.result()


def test_with_max_blocking_0_nobody_may_wait(gate: Gate) -> None:
    with Pool(1, max_blocking=0) as pool:
        pool.go(gate)
        with pytest.raises(PoolOverloadError):
            pool.go(gate)
        assert pool.waiting == 0
        gate.open()


def test_with_no_max_blocking_any_number_may_wait(gate: Gate) -> None:
    with Pool(1) as pool:
        pool.go(gate)
        blocked = [Thread(lambda: pool.go(gate)) for _ in range(50)]
        eventually(lambda: pool.waiting == 50)
        gate.open()
        for thread in blocked:
            thread.result()


def test_a_queue_without_a_limit_never_blocks(gate: Gate) -> None:
    with Pool(1, queue_size=None, max_blocking=0) as pool:
        pool.go(gate)
        gate.wait_entered()
        futures = [pool.submit(abs, -number) for number in range(20_000)]
        assert pool.queued == 20_000
        gate.open()
        assert [future.result() for future in futures] == list(range(20_000))


def test_a_pool_without_a_limit_runs_all_at_once() -> None:
    barrier = threading.Barrier(200)
    with Pool(None) as pool:
        assert (pool.capacity, pool.free) == (None, None)
        futures = [pool.submit(barrier.wait, 20) for _ in range(200)]
        assert sorted(future.result() for future in futures) == list(range(200))
        assert (pool.capacity, pool.free) == (None, None)


def test_who_waits_first_goes_first(gate: Gate) -> None:
    order: list[int] = []
    with Pool(1) as pool:
        pool.go(gate)
        blocked: list[Thread] = []
        for number in range(8):
            blocked.append(Thread(pool.go, order.append, number))
            eventually(lambda: pool.waiting == len(blocked))
        gate.open()
        for thread in blocked:
            thread.result()
    assert order == list(range(8))


def test_a_cancelled_task_gives_its_place_back_at_once(gate: Gate) -> None:
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        queued = pool.submit(abs, -1)
        blocked = Thread(lambda: pool.submit(abs, -2))
        eventually(lambda: pool.waiting == 1)
        assert queued.cancel()
        accepted = blocked.result()
        assert isinstance(accepted, Future)
        assert pool.queued == 1
        gate.open()
        assert accepted.result() == 2


def test_cancelled_tasks_do_not_fill_the_queue(gate: Gate) -> None:
    with Pool(1, queue_size=1, overflow="raise") as pool:
        pool.go(gate)
        gate.wait_entered()
        things = [Thing() for _ in range(1000)]
        gone = [weakref.ref(thing) for thing in things]
        while things:
            assert pool.submit(print, things.pop()).cancel()
        assert pool.queued == 0
        assert not [ref for ref in gone if ref() is not None]
        gate.open()


def test_a_tasks_place_is_free_before_its_callbacks_run(gate: Gate) -> None:
    with Pool(1, overflow="raise") as pool:
        future = pool.submit(gate, 1)
        again: list[Future[int]] = []
        future.add_done_callback(lambda _: again.append(pool.submit(abs, -2)))
        called = threading.Event()
        future.add_done_callback(lambda _: called.set())
        gate.open()
        assert called.wait(10)
        assert [future.result() for future in again] == [2]


def test_a_tasks_place_is_free_before_its_result_is_there() -> None:
    with Pool(1, overflow="raise") as pool:
        for number in range(many(2000)):
            assert pool.submit(abs, -number).result() == number


def test_thousand_tasks_at_one_barrier_all_run_at_once() -> None:
    barrier = threading.Barrier(1000)
    with Pool(1000) as pool:
        futures = [pool.submit(barrier.wait, 30) for _ in range(1000)]
        assert sorted(future.result() for future in futures) == list(range(1000))
        assert (pool.running, pool.free) == (1000, 0)


@pytest.mark.parametrize("round_", range(20))
def test_tasks_that_wait_for_each_other_find_workers_up_to_capacity(round_: int) -> None:
    # The workers of the rounds before are idle, busy and leaving in all proportions.
    with Pool(16, expiry=0.001) as pool:
        for size in random.sample(range(1, 17), 16):
            barrier = threading.Barrier(size)
            futures = [pool.submit(barrier.wait, 20) for _ in range(size)]
            assert sorted(future.result() for future in futures) == list(range(size))


def test_million_no_ops_start_fewer_than_20_workers() -> None:
    # None of them expires: who is there in the end is who was ever started.
    with Pool(1000, expiry=None) as pool:
        for _ in range(1_000_000):
            pool.go(int)
        assert pool.wait(timeout=50)
        assert 1 <= pool.running < 20


def test_a_burst_of_futures_starts_few_workers() -> None:
    with Pool(1000, expiry=None) as pool:
        futures = [pool.submit(int) for _ in range(100_000)]
        assert not any(future.result() for future in futures)
        assert 1 <= pool.running < 20

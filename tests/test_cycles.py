"""What refers to a pool or a future that refers to it is garbage once nobody else does."""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import antspy
import pytest
from antspy import Pool, PoolWithFunc, WaitGroup
from support import LIMIT, eventually

BRIEFLY = 0.01
"""Seconds: a worker's state is alive, with all that it leads to, as long as the worker."""

Dropped = list["weakref.ref[Any]"]
"""What must be gone, once the function has returned that made it."""


class Holder:
    """Holds whatever makes the cycle."""

    pool: Any = None


def holder_of(pool: Any) -> Holder:
    holder = Holder()
    holder.pool = pool
    return holder


def of_a_task() -> Dropped:
    """The pool is in the closure of its own task, and in its result."""
    pool = Pool(1)
    future = pool.submit(lambda: holder_of(pool))
    holder = future.result(LIMIT)
    holder.pool.future = future
    return [weakref.ref(pool), weakref.ref(holder), weakref.ref(future)]


def of_a_worker_state() -> Dropped:
    pool: Pool = Pool(1, initializer=Holder, expiry=BRIEFLY)

    def task() -> Holder:
        state: Holder = antspy.worker_state()
        state.pool = pool
        return state

    return [weakref.ref(pool), weakref.ref(pool.submit(task).result(LIMIT))]


def of_an_initializer() -> Dropped:
    holder = Holder()
    settings: Any = {"initializer": lambda held: held, "finalizer": lambda state: holder.pool}
    pool = Pool(1, initargs=(holder,), expiry=BRIEFLY, **settings)
    holder.pool = pool
    pool.submit(int).result(LIMIT)
    return [weakref.ref(pool), weakref.ref(holder)]


def of_an_exception_handler() -> Dropped:
    holder = Holder()
    handled = threading.Event()

    def handle(_: BaseException) -> None:
        assert holder.pool is not None
        handled.set()

    holder.pool = pool = Pool(1, exception_handler=handle)
    pool.go(lambda: 1 / 0)
    assert handled.wait(LIMIT)
    return [weakref.ref(pool), weakref.ref(holder)]


def of_a_function() -> Dropped:
    holder = Holder()
    holder.pool = pool = PoolWithFunc(lambda number: (holder, number), 1)
    pool.submit(1).result(LIMIT)
    return [weakref.ref(pool), weakref.ref(holder)]


def of_a_view() -> Dropped:
    pool: Any = Pool(1)
    sub = pool.subpool(1)
    view = sub.options(name="task")
    pool.views = [sub, view]
    view.submit(int).result(LIMIT)
    return [weakref.ref(pool), weakref.ref(sub), weakref.ref(view)]


def of_a_wait_group() -> Dropped:
    pool: Any = Pool(1)
    group = WaitGroup(pool)
    pool.waited = group
    group.go(int)
    assert group.wait(LIMIT)
    return [weakref.ref(pool), weakref.ref(group)]


def of_a_group() -> Dropped:
    pool: Any = Pool(1)
    with pool.group() as group:
        group.submit(int)
    pool.group = group
    return [weakref.ref(pool), weakref.ref(group)]


def of_a_map() -> Dropped:
    """It is left in the midst of its results, which hold it."""
    pool = Pool(1, queue_size=1)
    holder = Holder()
    results = pool.map(lambda number: (holder, number), range(9))
    next(results)
    holder.pool = [pool, results]
    return [weakref.ref(pool), weakref.ref(holder)]


def of_a_traceback() -> Dropped:
    """A task's exception holds the frame that holds the future and the pool."""
    pool = Pool(1)
    holder = Holder()
    ready = threading.Event()

    def task() -> None:
        assert ready.wait(LIMIT)
        own = holder.pool
        raise LookupError(own)

    future: Any = pool.submit(task)
    holder.pool = [pool, future]
    ready.set()
    try:
        future.result(LIMIT)
    except LookupError as error:
        future.error = error  # and that of the one who waited
    return [weakref.ref(pool), weakref.ref(holder), weakref.ref(future)]


def of_a_callback() -> Dropped:
    pool = Pool(1)
    called = threading.Event()
    future: Any = pool.submit(int)
    holder = holder_of([pool, future])

    def callback(_: object) -> None:
        assert holder.pool is not None
        called.set()

    future.add_done_callback(callback)
    assert called.wait(LIMIT)
    future.holder = holder
    return [weakref.ref(pool), weakref.ref(holder), weakref.ref(future)]


CYCLES = (
    *(of_a_task, of_a_worker_state, of_an_initializer, of_an_exception_handler, of_a_function, of_a_view),
    *(of_a_wait_group, of_a_group, of_a_map, of_a_traceback, of_a_callback),
)


@pytest.mark.parametrize("make", CYCLES, ids=lambda make: make.__name__)
def test_a_cycle_with_a_pool_is_collected(make: Callable[[], Dropped]) -> None:
    dropped = make()

    def gone() -> bool:
        gc.collect()
        return all(alive() is None for alive in dropped)

    eventually(gone, limit=5)  # a worker may hold the last task a moment longer

"""Futures and the garbage collector."""

import gc
import weakref
from typing import Any

import pytest
from antspy import Future, Pool
from support import eventually


class Thing:
    future: Any = None


def keep(thing: Thing) -> Thing:
    return thing


def test_a_future_dies_with_its_last_reference() -> None:
    with Pool(1) as pool:
        future = pool.submit(Thing)
        future.result()
        gone = weakref.ref(future)
        gc.disable()
        try:
            del future
            eventually(lambda: gone() is None, limit=5)
        finally:
            gc.enable()


@pytest.mark.parametrize("through", ["result", "attribute", "callback", "exception", "argument"])
def test_a_cycle_through_a_future_is_collected(through: str) -> None:
    thing = Thing()
    gone = weakref.ref(thing)

    def raise_with(thing: Thing) -> None:
        error = LookupError()
        error.thing = thing  # type: ignore[attr-defined]
        raise error

    with Pool(1) as pool:
        future: Any
        if through == "exception":
            future = pool.submit(raise_with, thing)
        elif through == "attribute":
            future = pool.submit(int)
            future.thing = thing
        elif through == "callback":
            future = Future()
            future.add_done_callback(lambda _, thing=thing: None)
        else:
            future = pool.submit(keep, thing)
        if through != "callback":
            future.exception()
        thing.future = future
        del future, thing
        assert pool.wait(timeout=10)
        gc.collect()
        eventually(lambda: gone() is None, limit=5)


def test_the_collector_may_run_at_any_moment() -> None:
    threshold = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        with Pool(4, queue_size=None) as pool:
            things = [Thing() for _ in range(300)]
            for thing in things:
                thing.future = pool.submit(keep, thing)
            assert all(thing.future.result(timeout=20) is thing for thing in things)
    finally:
        gc.set_threshold(*threshold)

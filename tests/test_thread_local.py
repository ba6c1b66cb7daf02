"""`threading.local` lasts as long as a worker, and what ends with it finds the worker in `threading`."""

import re
import signal
import threading
import time
import weakref
from collections.abc import Callable

import pytest
from antspy import Future, Pool
from support import LIMIT, Gate, Program, eventually

local = threading.local()


class Thing:
    pass


class Ending:
    """Calls back when it ends."""

    def __init__(self, callback: Callable[[], object]) -> None:
        self._callback = callback

    def __del__(self) -> None:
        self._callback()


def keep(thing: object) -> None:
    local.thing = thing


def known() -> list[int | None]:
    """Return the idents under which `threading` lists threads."""
    return [thread.ident for thread in threading.enumerate()]


def active() -> int:
    """Return how many threads `threading` keeps, also those that it does not list."""
    return len(threading._active)  # type: ignore[attr-defined]


def test_a_local_is_kept_from_task_to_task() -> None:
    def count() -> int:
        local.count = getattr(local, "count", 0) + 1
        return int(local.count)

    with Pool(1) as pool:
        assert [pool.submit(count).result(LIMIT) for _ in range(100)] == list(range(1, 101))


def test_each_worker_has_its_own() -> None:
    with Pool(3, prealloc=True) as pool:
        barrier = threading.Barrier(3)

        def name_it(number: int) -> bool:
            keep(number)
            barrier.wait(LIMIT)
            return bool(local.thing == number)

        assert all(pool.map(name_it, range(3)))
    assert not hasattr(local, "thing")


def test_it_ends_with_the_worker() -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    with Pool(1) as pool:
        pool.submit(keep, thing).result(LIMIT)
        del thing
        assert pool.submit(gone).result(LIMIT) is not None
    assert gone() is None


def test_it_ends_with_a_worker_that_expires_and_the_next_one_has_a_new_one() -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    with Pool(1, expiry=10) as pool:
        pool.submit(keep, thing).result(LIMIT)
        del thing
        pool._advance_clock(9)
        assert pool.submit(hasattr, local, "thing").result(LIMIT)
        pool._advance_clock(11)
        eventually(lambda: pool.running == 0 and gone() is None)
        assert not pool.submit(hasattr, local, "thing").result(LIMIT)


def test_it_ends_with_a_worker_that_a_smaller_capacity_sends_away(gate: Gate) -> None:
    ended = threading.Semaphore(0)
    with Pool(3) as pool:

        def task() -> None:
            keep(Ending(ended.release))
            gate()

        futures = [pool.submit(task) for _ in range(3)]
        gate.wait_entered(3)
        pool.tune(1)
        gate.open()
        for future in futures:
            future.result(LIMIT)
        assert ended.acquire(timeout=LIMIT)
        assert ended.acquire(timeout=LIMIT)
        assert pool.running == 1
        assert not ended.acquire(blocking=False)
    assert ended.acquire(timeout=LIMIT)


def test_what_ends_with_it_finds_its_thread_in_threading() -> None:
    seen: list[object] = []

    def look() -> None:
        this = threading.current_thread()
        seen.append((this.name, this.ident == threading.get_ident(), this.ident in known()))

    before = active()
    for number in range(20):
        with Pool(1, thread_name_prefix=f"ant{number}") as pool:
            pool.submit(keep, Ending(look)).result(LIMIT)
        assert seen.pop() == (f"ant{number}_0", True, True)
    # Looking left no other thread in the place of the one that has ended.
    assert active() == before


def test_what_ends_with_it_may_use_a_pool() -> None:
    results: list[Future[int]] = []
    with Pool(1) as other:
        with Pool(1) as pool:
            pool.submit(keep, Ending(lambda: results.append(other.submit(abs, -1)))).result(LIMIT)
        (future,) = results
        assert future.result(LIMIT) == 1


def test_the_finalizer_still_finds_it() -> None:
    seen: list[object] = []
    with Pool(1, initializer=keep, initargs=(7,), finalizer=lambda _: seen.append(local.thing)) as pool:
        pool.submit(int).result(LIMIT)
    assert seen == [7]


def test_callbacks_of_late_tasks_leave_no_thread_in_threading(gate: Gate) -> None:
    # They run on a thread that is no worker, and may ask for it, also with what they keep in it.
    def ask(future: object = None) -> None:
        threading.current_thread()
        if future is not None:
            keep(Ending(ask))

    before = active()
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        late = pool.options(deadline=10).submit(int)
        late.add_done_callback(ask)
        pool._advance_clock(11)
        eventually(late.done)
        gate.open()
    assert active() == before


@pytest.mark.parametrize("ending", ["spin", "switch"])
def test_a_program_may_end_while_it_ends(ending: str) -> None:
    # Up to 3.13 the end of Python takes a thread from the midst of what it runs.
    program = Program(f"""
        import os, threading, time
        from antspy import Pool
        local = threading.local()
        end = time.monotonic() + 30
        def spin():
            while time.monotonic() < end:
                pass
        def switch():
            while time.monotonic() < end:
                time.sleep(0.0001)
        class Ending:
            def __del__(self):
                time.sleep(0.1)  # until the program waits for this
                os.write(1, b"ending\\n")
                {ending}()
        def keep():
            local.it = Ending()
        pool = Pool(1)
        pool.go(keep)
    """)
    program.wait_line("ending")
    program.interrupt()
    start = time.monotonic()
    code, out, err = program.end()
    assert time.monotonic() - start < 5
    assert code in (0, 1, -signal.SIGINT), err
    assert out == ""
    assert not re.search("abort|panic|fatal|rust", err, re.IGNORECASE), err

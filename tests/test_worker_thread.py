"""A worker is a thread like any that Python started: named, listed, traced, with room for recursion."""

import ctypes
import signal
import sys
import threading
import weakref
from concurrent.futures.thread import BrokenThreadPool
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from antspy import Pool
from support import TASKS, Gate, eventually, run_program

MIB = 2**20
linux = pytest.mark.skipif(not TASKS.exists(), reason="reads what Linux shows of threads")


class Thing:
    pass


def my_name() -> str:
    return threading.current_thread().name


def stack_size() -> int:
    """Return the bytes of stack that the current thread has."""
    libc = ctypes.CDLL(None)
    attributes = ctypes.create_string_buffer(256)
    address, size = ctypes.c_void_p(), ctypes.c_size_t()
    this = ctypes.c_ulong(threading.get_ident())
    assert libc.pthread_getattr_np(this, attributes) == 0
    assert libc.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(size)) == 0
    libc.pthread_attr_destroy(attributes)
    return size.value


def test_workers_are_called_by_the_prefix_and_a_number() -> None:
    with Pool(3, prealloc=True, thread_name_prefix="ant") as pool:
        barrier = threading.Barrier(3)
        futures = [pool.submit(lambda: (barrier.wait(20), my_name())[1]) for _ in range(3)]
        assert {future.result() for future in futures} == {"ant_0", "ant_1", "ant_2"}


def test_workers_of_pools_without_a_prefix_have_names_of_their_own() -> None:
    with Pool(1) as one, Pool(1) as other:
        names = [pool.submit(my_name).result() for pool in (one, other)]
    assert all(name.startswith("Pool-") for name in names)
    assert len(set(names)) == 2


@linux
def test_the_system_knows_a_worker_by_its_name() -> None:
    def system_name() -> str:
        return Path(f"/proc/self/task/{threading.get_native_id()}/comm").read_text().strip()

    with Pool(1, thread_name_prefix="ant") as pool:
        assert pool.submit(system_name).result() == "ant_0"
    with Pool(1, thread_name_prefix="a-name-of-more-than-15-characters") as pool:
        assert pool.submit(system_name).result() == "a-name-of-more-"
    with Pool(1, thread_name_prefix="ameise-größer") as pool:
        assert pool.submit(my_name).result() == "ameise-größer_0"


def test_a_worker_is_listed_while_it_lives_and_no_longer() -> None:
    with Pool(2, thread_name_prefix="listed") as pool:
        pool.submit(int).result()
        assert "listed_0" in {thread.name for thread in threading.enumerate()}
    assert "listed_0" not in {thread.name for thread in threading.enumerate()}


def test_ended_workers_leave_nothing_in_threading() -> None:
    before = len(threading._active)  # type: ignore[attr-defined]
    for _ in range(20):
        with Pool(4, prealloc=True):
            pass
    assert len(threading._active) == before  # type: ignore[attr-defined]
    # A thread that gets the ident of an ended worker does not get its name.
    named = threading.Thread(name="my own", target=lambda: seen.append(my_name()))
    seen: list[str] = []
    named.start()
    named.join()
    assert seen == ["my own"]


def test_threading_local_is_kept_from_task_to_task() -> None:
    local = threading.local()

    def count() -> int:
        local.count = getattr(local, "count", 0) + 1
        return int(local.count)

    with Pool(1) as pool:
        assert [pool.submit(count).result() for _ in range(100)] == list(range(1, 101))


def test_threading_local_ends_with_the_worker() -> None:
    local = threading.local()

    def keep() -> weakref.ref[Thing]:
        local.thing = Thing()
        return weakref.ref(local.thing)

    with Pool(1) as pool:
        gone = pool.submit(keep).result()
        assert gone() is not None
    assert gone() is None


@pytest.mark.parametrize("kind", ["trace", "profile"])
def test_hooks_for_all_threads_are_installed_in_workers(kind: str) -> None:
    called: set[tuple[str, str]] = set()

    def hook(frame: FrameType, event: str, arg: Any) -> None:
        called.add((threading.current_thread().name, frame.f_code.co_name))

    def traced_task() -> None:
        pass

    before = getattr(threading, f"get{kind}")()
    getattr(threading, f"set{kind}")(hook)
    try:
        with Pool(1, thread_name_prefix="traced") as pool:
            pool.submit(traced_task).result()
    finally:
        getattr(threading, f"set{kind}")(before)
    assert ("traced_0", "traced_task") in called


@linux
def test_a_worker_has_at_least_8_mib_of_stack() -> None:
    with Pool(1) as pool:
        assert pool.submit(stack_size).result() >= 8 * MIB


@linux
@pytest.mark.parametrize("mib", [16, 64])
def test_a_worker_has_the_stack_that_was_asked_for(mib: int) -> None:
    # Not a lower size: libc hands out a larger stack that it has left from another thread.
    with Pool(1, stack_size=mib * MIB) as pool:
        assert pool.submit(stack_size).result() >= mib * MIB


@linux
def test_threading_stack_size_is_honoured() -> None:
    before = threading.stack_size(32 * MIB)
    try:
        with Pool(1) as pool:
            assert pool.submit(stack_size).result() >= 32 * MIB
    finally:
        threading.stack_size(before)


def test_a_task_may_recurse_as_deep_as_in_a_thread_of_pythons_own() -> None:
    # Through C at each level, which takes about 600 bytes of stack: far more than 2 MiB in all. 3.12 and
    # later have a limit of their own for that.
    out = run_program("""
        import sys, threading
        from antspy import Pool
        sys.setrecursionlimit(100_000)
        def deep(level):
            try:
                return level if level == 8_000 else max(map(deep, [level + 1]))
            except RecursionError:  # newer versions have a limit of their own for calls through C
                return level
        depths = []
        thread = threading.Thread(target=lambda: depths.append(deep(0)))
        thread.start()
        thread.join()
        with Pool(1) as pool:
            depths.append(pool.submit(deep, 0).result())
        print(*depths)
    """)
    in_thread, in_task = map(int, out.split())
    assert in_thread == 8_000 or sys.version_info >= (3, 12)
    assert in_task > in_thread - 10  # a task begins in the midst of a few calls


def test_endless_recursion_is_an_exception_and_the_worker_lives() -> None:
    def endless() -> None:
        endless()

    with Pool(1) as pool:
        ident = pool.submit(threading.get_ident).result()
        assert isinstance(pool.submit(endless).exception(), RecursionError)
        assert pool.submit(threading.get_ident).result() == ident


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signal masks")
def test_workers_take_no_signals() -> None:
    def blocked() -> set[int]:
        return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])}

    with Pool(1) as pool:
        mask = pool.submit(blocked).result()
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1} <= mask


def test_no_exception_ends_a_worker() -> None:
    def fail(kind: type[BaseException]) -> None:
        raise kind

    with Pool(1, exception_handler=lambda error: None) as pool:
        ident = pool.submit(threading.get_ident).result()
        for kind in (ValueError, KeyboardInterrupt, SystemExit, GeneratorExit):
            pool.go(fail, kind)
            assert pool.submit(threading.get_ident).result() == ident


def test_an_initializer_runs_in_each_worker_before_its_first_task() -> None:
    local = threading.local()

    def initialize(value: int) -> None:
        local.values = [*getattr(local, "values", []), value]

    with Pool(4, initializer=initialize, initargs=(7,)) as pool:
        barrier = threading.Barrier(4)
        for _ in range(3):
            futures = [pool.submit(lambda: (barrier.wait(20), local.values)[1]) for _ in range(4)]
            assert [future.result() for future in futures] == [[7]] * 4


def test_an_initializer_that_raises_breaks_the_pool(caplog: pytest.LogCaptureFixture) -> None:
    entered = threading.Event()

    def initialize() -> None:
        assert entered.wait(20)
        raise LookupError("no database")

    pool = Pool(2, queue_size=10, initializer=initialize)
    futures = [pool.submit(int) for _ in range(5)]
    entered.set()
    for future in futures:
        with pytest.raises(BrokenThreadPool):
            future.result(timeout=10)
    with pytest.raises(BrokenThreadPool, match="no database"):
        pool.submit(int)
    with pytest.raises(BrokenThreadPool):
        pool.go(int)
    assert pool.wait(timeout=10)
    pool.shutdown()
    assert {record.name for record in caplog.records} == {"concurrent.futures"}


@pytest.mark.parametrize("how", ["go", "submit", "raises"])
def test_all_that_a_task_held_is_dropped_before_the_next_one_runs(how: str, gate: Gate) -> None:
    def task(thing: Thing) -> list[Thing]:
        if how == "raises":
            raise LookupError(thing)
        return [thing]

    thing = Thing()
    gone = weakref.ref(thing)
    with Pool(1, queue_size=10, exception_handler=lambda error: None) as pool:
        pool.go(gate)
        gate.wait_entered()
        if how == "go":
            pool.go(task, thing)
        else:
            pool.submit(task, thing)  # and nobody keeps the future
        del thing
        assert gone() is not None
        after = pool.submit(gone)
        gate.open()
        assert after.result() is None


def test_an_idle_worker_holds_nothing_of_its_last_task() -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    with Pool(1) as pool:
        assert pool.submit(id, thing).result() == id(thing)
        del thing
        eventually(lambda: gone() is None, limit=5)


def test_a_task_sees_no_exception_of_the_task_before() -> None:
    with Pool(1, exception_handler=lambda error: None) as pool:
        pool.go(divmod, 1, 0)
        assert pool.submit(sys.exc_info).result() == (None, None, None)

"""A worker is a thread like any that Python started, as `threading` sees it, with room for recursion."""

import _thread
import ctypes
import sys
import threading
import weakref
from collections.abc import Callable
from concurrent.futures.thread import BrokenThreadPool

import pytest
from antspy import Pool
from support import LIMIT, TASKS, Gate, eventually, run_program

MIB = 2**20
linux = pytest.mark.skipif(not TASKS.exists(), reason="reads what Linux shows of threads")


class Thing:
    pass


def my_name() -> str:
    return threading.current_thread().name


def fail(kind: type[BaseException]) -> None:
    raise kind


def start_and_join(function: Callable[..., object], *args: object) -> None:
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


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


def test_threading_keeps_nothing_of_thousands_of_workers_that_have_expired() -> None:
    before = set(threading._active)  # type: ignore[attr-defined]
    names: set[str] = set()
    barrier = threading.Barrier(50)

    def this(_: int) -> tuple[str, int]:
        barrier.wait(LIMIT)
        return my_name(), threading.get_ident()

    idents: set[int] = set()
    with Pool(50, expiry=10, thread_name_prefix="ant") as pool:
        for _ in range(50):
            for name, ident in pool.map(this, range(50)):
                names.add(name)
                idents.add(ident)
            pool._advance_clock(11)
            eventually(lambda: pool.running == 0)
    # Idents are used again, names are not.
    assert len(idents) < len(names) == 2500
    assert set(threading._active) == before  # type: ignore[attr-defined]


def test_a_thread_with_the_ident_of_a_worker_that_has_ended_has_its_own_name() -> None:
    seen: list[tuple[str, int]] = []

    def look() -> None:
        seen.append((my_name(), threading.get_ident()))

    idents: set[int] = set()
    for _ in range(100):
        with Pool(1) as pool:
            idents.add(pool.submit(threading.get_ident).result(LIMIT))
        thread = threading.Thread(name="my own", target=look)
        thread.start()
        thread.join()
        native = _thread.start_new_thread(look, ())
        eventually(lambda: len(seen) == 2)
        (first, ident), (second, _) = seen
        seen.clear()
        assert first == "my own"
        assert not second.startswith("Pool")
        if {ident, native} & idents:
            return
    raise AssertionError("no ident was used again")


def test_what_a_task_raises_is_nothing_for_threadings_excepthook(monkeypatch: pytest.MonkeyPatch) -> None:
    hooked: list[object] = []
    handled: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", hooked.append)
    with Pool(1, exception_handler=handled.append) as pool:
        for kind in (ValueError, SystemExit, KeyboardInterrupt):
            pool.go(fail, kind)
            assert isinstance(pool.submit(fail, kind).exception(LIMIT), kind)
        assert pool.wait(LIMIT)
        assert [type(error) for error in handled] == [ValueError, SystemExit, KeyboardInterrupt]
        assert hooked == []
        # A thread of the task's own is a thread like any other.
        pool.submit(start_and_join, fail, ValueError).result(LIMIT)
    assert [getattr(it, "exc_type", None) for it in hooked] == [ValueError]


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
    # Through C at each level, which takes about 600 bytes of stack in 3.11: far more than 2 MiB in all. Later
    # versions stop sooner, or by the size of the stack.
    out = run_program("""
        import sys, threading
        from antspy import Pool
        sys.setrecursionlimit(100_000)
        def deep(level):
            try:
                return level if level == 8_000 else max(map(deep, [level + 1]))
            except RecursionError:
                return level
        depths = []
        thread = threading.Thread(target=lambda: depths.append(deep(0)))
        thread.start()
        thread.join()
        with Pool(1) as pool:
            depths.append(pool.submit(deep, 0).result())
        print(*depths)
    """)
    thread, worker = map(int, out.split())
    assert thread >= 400
    assert worker >= thread * 0.9
    if sys.version_info < (3, 12):
        assert worker == 8_000


def test_endless_recursion_is_an_exception_and_the_worker_lives() -> None:
    def endless() -> None:
        endless()

    with Pool(1) as pool:
        ident = pool.submit(threading.get_ident).result()
        assert isinstance(pool.submit(endless).exception(), RecursionError)
        assert pool.submit(threading.get_ident).result() == ident


def test_no_exception_ends_a_worker() -> None:
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

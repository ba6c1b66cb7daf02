"""Whatever is installed for all threads sees tasks: tracing and profiling functions, coverage, debuggers."""

import cProfile
import pstats
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from antspy import Pool
from support import LIMIT, Gate, eventually

KINDS = pytest.mark.parametrize("kind", ["trace", "profile"])
NEW_IN_3_12 = pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12")


class Hook:
    """Which functions have been called, and in which thread."""

    def __init__(self) -> None:
        self.called: set[tuple[str, str]] = set()

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            self.called.add((threading.current_thread().name, frame.f_code.co_name))


@pytest.fixture
def install() -> Iterator[Callable[[str, Hook], None]]:
    """Installs hooks for all threads that start from now on."""
    before = {kind: getattr(threading, f"get{kind}")() for kind in ("trace", "profile")}

    def install(kind: str, hook: Hook) -> None:
        getattr(threading, f"set{kind}")(hook)

    yield install
    for kind, hook in before.items():
        getattr(threading, f"set{kind}")(hook)


def task() -> None:
    inner()


def inner() -> None:
    pass


@KINDS
def test_a_hook_for_all_threads_sees_tasks(kind: str, install: Callable[[str, Hook], None]) -> None:
    hook = Hook()
    install(kind, hook)
    with Pool(1, thread_name_prefix="seen") as pool:
        pool.submit(task).result(LIMIT)
        pool.options(name="fetch users").submit(task).result(LIMIT)
    assert hook.called >= {("seen_0", "task"), ("seen_0", "inner"), ("seen_0", "fetch users")}


@KINDS
def test_a_hook_sees_the_initializer_the_finalizer_and_callbacks(
    kind: str, install: Callable[[str, Hook], None], gate: Gate
) -> None:
    def start() -> None: ...

    def stop(state: None) -> None: ...

    def told(future: object) -> None: ...

    hook = Hook()
    install(kind, hook)
    with Pool(1, thread_name_prefix="seen", initializer=start, finalizer=stop) as pool:
        future = pool.submit(gate)
        gate.wait_entered()
        future.add_done_callback(told)
        gate.open()
    assert hook.called >= {("seen_0", "start"), ("seen_0", "stop"), ("seen_0", "told")}


@KINDS
def test_a_hook_sees_the_callbacks_of_late_tasks(
    kind: str, install: Callable[[str, Hook], None], gate: Gate
) -> None:
    def told(future: object) -> None: ...

    hook = Hook()
    install(kind, hook)
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        late = pool.options(deadline=10).submit(int)
        late.add_done_callback(told)
        pool._advance_clock(11)
        eventually(late.done)
        gate.open()
    assert "told" in {name for _, name in hook.called}


@KINDS
def test_a_hook_is_installed_by_no_code_in_python(
    kind: str, install: Callable[[str, Hook], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # pydevd puts a function of its own in the place of `sys.settrace`, which warns of calls from Python code.
    callers: list[FrameType | None] = []
    real = getattr(sys, f"set{kind}")

    def record(hook: Hook) -> None:
        callers.append(sys._getframe().f_back)
        real(hook)

    hook = Hook()
    install(kind, hook)
    monkeypatch.setattr(sys, f"set{kind}", record)
    with Pool(1, thread_name_prefix="seen") as pool:
        pool.submit(task).result(LIMIT)
    assert callers == [None]
    assert ("seen_0", "task") in hook.called


@KINDS
def test_a_hook_is_for_workers_that_start_after_it(
    kind: str, install: Callable[[str, Hook], None], gate: Gate
) -> None:
    # As for every thread. A pool that was made before has new workers, too.
    hook = Hook()
    with Pool(2, thread_name_prefix="seen") as pool:
        pool.go(gate)
        gate.wait_entered()
        install(kind, hook)
        pool.submit(task).result(LIMIT)
        gate.open()
    assert {thread for thread, _ in hook.called} == {"seen_1"}


@KINDS
@NEW_IN_3_12
def test_a_hook_for_all_running_threads_sees_tasks_of_workers_that_run(
    kind: str, install: Callable[[str, Hook], None]
) -> None:
    hook = Hook()
    here = getattr(sys, f"get{kind}")()
    with Pool(1, thread_name_prefix="seen") as pool:
        pool.submit(int).result(LIMIT)
        getattr(threading, f"set{kind}_all_threads")(hook)
        try:
            pool.submit(task).result(LIMIT)
        finally:
            getattr(threading, f"set{kind}_all_threads")(None)
            getattr(sys, f"set{kind}")(here)
        assert pool.stats().workers_started == 1
    assert ("seen_0", "task") in hook.called


def test_a_tracing_function_that_raises_is_the_tasks_affair(install: Callable[[str, Hook], None]) -> None:
    class Failing(Hook):
        def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
            if frame.f_code.co_name == "task":
                raise LookupError("of the hook")

    install("trace", Failing())
    with Pool(1) as pool:
        assert isinstance(pool.submit(task).exception(LIMIT), LookupError)
        assert pool.submit(abs, -1).result(LIMIT) == 1


def test_c_profile_times_tasks() -> None:
    profiler = cProfile.Profile()

    def begin(*event: object) -> None:
        sys.setprofile(None)
        profiler.enable()

    before = threading.getprofile()
    threading.setprofile(begin)
    try:
        with Pool(1, finalizer=lambda _: profiler.disable()) as pool:
            pool.submit(task).result(LIMIT)
            pool.options(name="a nap").submit(time.sleep, 0.01).result(LIMIT)
    finally:
        threading.setprofile(before)
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    times = {name: cumulative for (_, _, name), (_, _, _, cumulative, _) in stats.items()}
    assert times.keys() >= {"task", "inner", "a nap", "<built-in method time.sleep>"}
    assert times["a nap"] >= times["<built-in method time.sleep>"] >= 0.009

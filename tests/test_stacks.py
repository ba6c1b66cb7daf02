"""The stacks that tools show of a program with workers: who they are, what they run, and for which task."""

import faulthandler
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import traceback
from typing import Any

import pytest
from antspy import Pool
from support import COMPLETE, LIMIT, Gate, Program, eventually

BUSY = """
    import threading, time
    from antspy import Pool
    over = threading.Event()
    locked = threading.Lock()
    locked.acquire()
    def fetch():
        over.wait()
    pool = Pool(4, thread_name_prefix="ant", prealloc=True)
    pool.go(fetch)
    pool.options(name="fetch users").go(fetch)
    pool.options(name="take the lock").go(locked.acquire)
    while pool.busy != 3 or not locked.locked():
        time.sleep(0.001)
    time.sleep(0.1)  # until they wait
"""
"""Workers that run a function, one for a task with a name, a function in C for such a task, and nothing."""


def test_current_frames_are_those_of_the_threads_that_threading_lists(gate: Gate) -> None:
    with Pool(2, thread_name_prefix="ant") as pool:
        pool.go(gate)
        pool.options(name="fetch users").go(gate)
        gate.wait_entered(2)
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        stacks = {
            names[ident]: [it.name for it in traceback.extract_stack(frame)]
            for ident, frame in sys._current_frames().items()
            if ident in names
        }
        gate.open()
    ants = {name: stack[:2] for name, stack in stacks.items() if name.startswith("ant")}
    assert ants.keys() == {"ant_0", "ant_1"}
    assert sorted(ants.values()) == [["__call__", "wait"], ["fetch users", "__call__"]]


def test_faulthandler_shows_tasks(gate: Gate) -> None:
    lock = threading.Lock()
    with Pool(3, thread_name_prefix="ant") as pool, lock:
        pool.go(gate)
        pool.options(name="fetch users").go(gate)
        gate.wait_entered(2)
        ident = pool.submit(threading.get_ident).result(LIMIT)
        pool.options(name="take the lock").go(lock.acquire)
        eventually(lambda: ident in sys._current_frames())
        with tempfile.TemporaryFile("w+") as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            stacks = file.read().split("\n\n")
        gate.open()
        lock.release()
        assert pool.wait(LIMIT)
    shown = [[line.rsplit(" in ")[-1] for line in stack.splitlines()[1:]] for stack in stacks]
    assert ["take the lock"] in shown
    assert [stack[-2:] for stack in shown if "fetch users" in stack] == [["__call__", "fetch users"]]
    assert ["wait", "wait", "__call__"] in shown
    if sys.version_info >= (3, 14) and sys.platform == "linux":
        assert {"[ant_0]", "[ant_1]", "[ant_2]"} <= {word for stack in stacks for word in stack.split()}


def test_a_hung_pool_explains_itself() -> None:
    program = Program("""
        import faulthandler, threading
        from antspy import Pool
        faulthandler.dump_traceback_later(1, exit=True)
        never = threading.Lock()
        never.acquire()
        def fetch():
            never.acquire()
        pool = Pool(2)
        pool.options(name="take the lock").go(never.acquire)
        pool.options(name="fetch users").submit(fetch).result()
    """)
    code, out, err = program.end()
    assert (code, out) == (1, "")
    assert err.startswith("Timeout (0:00:01)!")
    assert " in take the lock\n" in err
    assert " in fetch\n" in err
    assert " in fetch users\n" in err
    assert err.endswith(" in <module>\n")


@pytest.fixture
def spy() -> str:
    """The path of py-spy."""
    if sys.version_info >= (3, 15):
        pytest.skip("py-spy 0.4 reads no later version than 3.14")
    path = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    if path is None and not COMPLETE:
        pytest.skip("py-spy is not installed")
    assert path is not None
    return path


def dump(spy: str, pid: int) -> dict[str, list[str]]:
    """Return the stacks that py-spy shows of a process, by the names of its threads."""
    command = [spy, "dump", "--json", "--pid", str(pid)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if ended.returncode != 0 and "ermission" in ended.stderr:
        refused = f"py-spy may not look into a process here: {ended.stderr}"
        if os.environ.get("CI") == "true":
            pytest.fail(refused)
        pytest.skip(refused)
    assert ended.returncode == 0, ended.stderr
    threads: list[dict[str, Any]] = json.loads(ended.stdout)
    return {thread["thread_name"]: [frame["name"] for frame in thread["frames"]] for thread in threads}


def test_py_spy_shows_workers_and_tasks(spy: str) -> None:
    program = Program(
        BUSY
        + """
    print("busy", flush=True)
    try:
        while True:
            time.sleep(0.01)
    except KeyboardInterrupt:
        over.set()
        locked.release()
    """
    )
    program.wait_line("busy")
    try:
        stacks = dump(spy, program.pid)
    finally:
        program.interrupt()
        ended = program.end()
    assert ended == (0, "", "")
    ants = {name: stack for name, stack in stacks.items() if name.startswith("ant")}
    assert ants.keys() == {"ant_0", "ant_1", "ant_2", "ant_3"}
    outermost = sorted(stack[-2:] for stack in ants.values())
    assert [] in outermost
    assert ["take the lock"] in outermost
    assert ["fetch", "fetch users"] in outermost
    assert [stack[-1] for stack in outermost if stack].count("fetch") == 1


def test_py_spy_reads_the_stack_of_a_task_with_a_long_name(spy: str) -> None:
    program = Program("""
        import time
        from antspy import Pool
        over = False
        def task():
            while not over:
                time.sleep(0.001)
        with Pool(1, thread_name_prefix="ant") as pool:
            pool.options(name="\\N{ANT}" * 10_000).go(task)
            print("busy", flush=True)
            try:
                while True:
                    time.sleep(0.01)
            except KeyboardInterrupt:
                over = True
    """)
    program.wait_line("busy")
    try:
        stacks = dump(spy, program.pid)
    finally:
        program.interrupt()
        ended = program.end()
    assert ended == (0, "", "")
    assert stacks["ant_0"][-1] == "\N{ANT}" * 197 + "..."

"""A daemon pool: the end of the program does not wait for it."""

import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest
from antspy import MultiPool, MultiPoolWithFunc, Pool, PoolWithFunc, ThreadPoolExecutor
from support import Gate, run_program

pytestmark = pytest.mark.timeout(60)

BUSY = """
    import hashlib, os, threading, time
    from antspy import MultiPool, MultiPoolWithFunc, Pool, PoolClosedError, PoolWithFunc
    end = time.monotonic() + 30
    began = threading.Semaphore(0)
    full = Pool(1, daemon=True)
    full.go(time.sleep, 30)
    def sleep(*args):
        began.release()
        time.sleep(30)
    def compute(*args):
        began.release()
        while time.monotonic() < end:
            pass
    def hash(*args):
        began.release()
        while time.monotonic() < end:
            hashlib.sha256(bytes(100_000))
    def submit(*args):
        began.release()
        try:
            full.go(int)
        except PoolClosedError:
            time.sleep(30)
    def say(word):
        os.write(1, word.encode())
"""


@pytest.mark.parametrize("task", ["sleep", "compute", "hash", "submit"])
def test_the_program_ends_while_its_workers_are_busy(task: str) -> None:
    start = time.monotonic()
    out = run_program(
        BUSY
        + f"""
    pool = Pool(3, queue_size=2, daemon=True)
    for _ in range(3):
        pool.submit({task})
    for _ in range(2):
        pool.submit({task}).add_done_callback(lambda future: say(f"cancelled: {{future.cancelled()}} "))
    for _ in range(3):
        began.acquire()
    """
    )
    assert time.monotonic() - start < 10
    assert out == "cancelled: True " * 2


@pytest.mark.parametrize(
    "make",
    [
        "PoolWithFunc(sleep, 1, queue_size=1, daemon=True)",
        "MultiPoolWithFunc(sleep, 1, 1, queue_size=1, daemon=True)",
    ],
)
def test_a_pool_for_one_function_may_be_one(make: str) -> None:
    out = run_program(
        BUSY
        + f"""
    pool = {make}
    pool.submit(1)
    pool.submit(2).add_done_callback(lambda future: say(f"cancelled: {{future.cancelled()}}"))
    began.acquire()
    """
    )
    assert out == "cancelled: True"


def test_a_multi_pool_may_be_one() -> None:
    out = run_program(
        BUSY
        + """
    multi = MultiPool(2, 1, queue_size=1, daemon=True)
    for _ in range(2):
        multi.submit(sleep)
    for _ in range(2):
        multi.submit(sleep).add_done_callback(lambda future: say(f"cancelled: {future.cancelled()} "))
    """
    )
    assert out == "cancelled: True " * 2


def test_other_pools_are_waited_for() -> None:
    out = run_program(
        BUSY
        + """
    Pool(1, daemon=True).go(sleep)
    began.acquire()
    Pool(1).go(lambda: (time.sleep(0.2), say("ran")))
    """
    )
    assert out == "ran"


def test_a_submitter_that_waits_for_it_is_sent_away() -> None:
    out = run_program(
        BUSY
        + """
    def wait():
        try:
            full.submit(int)
        except PoolClosedError:
            say("refused")
    threading.Thread(target=wait).start()
    while not full.waiting:
        time.sleep(0.001)
    """
    )
    assert out == "refused"


def test_until_then_it_is_a_pool_like_any_other(gate: Gate) -> None:
    with Pool(1, queue_size=1, daemon=True) as pool:
        futures: list[Future[Any]] = [pool.submit(gate, 1), pool.submit(abs, -2)]
        gate.wait_entered()
        gate.open()
    assert [future.result(0) for future in futures] == [1, 2]
    assert pool.running == 0


@pytest.mark.parametrize("daemon", [False, True])
def test_its_workers_are_daemons_to_threading(daemon: bool) -> None:
    with Pool(1, daemon=daemon) as pool:
        assert pool.submit(lambda: threading.current_thread().daemon).result() is daemon


def test_a_child_that_is_forked_has_a_daemon_too() -> None:
    pytest.importorskip("fcntl", reason="needs fork")
    out = run_program(
        BUSY
        + """
    pool = Pool(1, daemon=True)
    child = os.fork()
    if child == 0:
        pool.go(sleep)
        began.acquire()
    else:
        say(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    """,
        "-W",
        "ignore::DeprecationWarning",
    )
    assert out == "0"


@pytest.mark.parametrize(
    "make",
    [
        lambda daemon: Pool(1, daemon=daemon),
        lambda daemon: PoolWithFunc(abs, 1, daemon=daemon),
        lambda daemon: MultiPool(1, 1, daemon=daemon),
        lambda daemon: MultiPoolWithFunc(abs, 1, 1, daemon=daemon),
    ],
)
def test_it_is_true_or_false(make: Any) -> None:
    with pytest.raises(TypeError, match="daemon must be True or False, not 'yes'"):
        make("yes")


def test_the_standard_class_has_no_such_argument() -> None:
    with pytest.raises(TypeError, match="daemon"):
        ThreadPoolExecutor(1, daemon=True)  # type: ignore[call-arg]

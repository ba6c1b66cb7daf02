"""What queued tasks and parked workers hold, and that it is given back: as the system shows it (Linux)."""

import sys

import pytest
from support import run_program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux shows of memory")

SETTING = """
    import resource, threading
    from antspy import Pool

    LIMIT = 20.0

    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def task():
        pass

    with Pool(2) as pool:
        pool.submit(task).result(LIMIT)
"""


def test_a_queued_task_holds_200_bytes_at_most_and_the_drained_queue_gives_them_back() -> None:
    program = """
    TASKS = 1_000_000
    opened = threading.Event()
    pool = Pool(1, queue_size=None)
    pool.go(opened.wait)
    before = resident()
    for _ in range(TASKS):
        pool.go(task)
    held = resident() - before
    assert held <= 200 * TASKS, held / TASKS
    opened.set()
    pool.release(LIMIT)  # the pool itself stays
    left = resident() - before
    assert left <= held / 5, (left, held)
    """
    run_program(SETTING + program)


def test_parked_workers_that_have_left_give_their_memory_back() -> None:
    program = """
    WORKERS = 500
    opened = threading.Event()
    entered = threading.Semaphore(0)
    pool = Pool(WORKERS, expiry=None)

    def stay():
        entered.release()
        opened.wait()

    before = resident()
    for _ in range(WORKERS):
        pool.go(stay)
    for _ in range(WORKERS):
        assert entered.acquire(timeout=LIMIT)
    opened.set()
    assert pool.wait(LIMIT)
    assert pool.idle == WORKERS
    held = resident() - before
    pool.release(LIMIT)
    left = resident() - before
    assert left <= held / 2, (left, held)
    """
    run_program(SETTING + program)

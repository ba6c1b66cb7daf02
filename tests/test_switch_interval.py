"""The switch interval grows with the workers that may want the interpreter, or is the program's own."""

import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from antspy import Pool
from support import LIMIT, Gate, eventually, run_program

pytestmark = pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="there is no interpreter to wait for"
)

DEFAULT = 0.005
"""Python's own interval, in seconds."""
FEW, MANY, MORE = 500, 1_100, 2_100
"""Workers: less than half of the first step (1,024), above it, and above the next (2,048)."""
FOR_MANY, FOR_MORE = 0.1024, 0.2048
"""The intervals of these steps."""


def interval() -> float:
    return round(sys.getswitchinterval(), 6)


@pytest.fixture(autouse=True)
def as_python_has_it(no_thread_is_left: None) -> Iterator[None]:
    assert interval() == DEFAULT
    yield
    sys.setswitchinterval(DEFAULT)


def occupy(pool: Pool, workers: int) -> Gate:
    """Keep so many more workers busy until the gate is opened."""
    gate = Gate()
    for _ in range(workers):
        pool.go(gate)
    gate.wait_entered(workers)
    return gate


@contextmanager
def busy(workers: int) -> Iterator[Pool]:
    """A pool with so many busy workers."""
    with Pool(2 * MORE) as pool:
        gate = occupy(pool, workers)
        try:
            yield pool
        finally:
            gate.open()


def test_few_workers_change_nothing() -> None:
    with busy(FEW):
        assert interval() == DEFAULT


def test_it_grows_in_steps_and_is_restored_when_the_workers_leave() -> None:
    with busy(FEW) as pool:
        gate = occupy(pool, MANY - FEW)
        assert interval() == FOR_MANY
        more = occupy(pool, MORE - MANY)
        assert interval() == FOR_MORE
        gate.open()
        more.open()
    assert pool.running == 0
    assert interval() == DEFAULT


def test_idle_workers_do_not_count() -> None:
    with Pool(MANY, expiry=None) as pool:
        for _ in range(3):
            gate = occupy(pool, MANY)
            assert interval() == FOR_MANY
            gate.open()
            eventually(lambda: interval() == DEFAULT)
            assert pool.running == MANY


def test_it_stays_until_half_of_a_steps_workers_are_idle() -> None:
    with Pool(MANY, expiry=None) as pool:
        last, some, most = occupy(pool, 20), occupy(pool, 580), occupy(pool, 500)
        assert interval() == FOR_MANY
        most.open()
        eventually(lambda: pool.idle >= 500)
        assert interval() == FOR_MANY
        some.open()
        eventually(lambda: interval() == DEFAULT)
        last.open()


def test_the_workers_of_all_pools_count() -> None:
    with busy(FEW):
        assert interval() == DEFAULT
        with busy(MANY - FEW):
            assert interval() == FOR_MANY
        eventually(lambda: interval() == DEFAULT)
    assert interval() == DEFAULT


def test_the_workers_of_a_dropped_pool_leave() -> None:
    pool = Pool(MANY)
    gate = occupy(pool, MANY)
    del pool
    assert interval() == FOR_MANY
    gate.open()
    eventually(lambda: interval() == DEFAULT)


def test_workers_that_expire_leave_it_restored() -> None:
    with Pool(MANY, expiry=10.0) as pool:
        occupy(pool, MANY).open()
        assert pool.wait(LIMIT)
        pool._advance_clock(11.0)
        eventually(lambda: pool.running == 0)
        eventually(lambda: interval() == DEFAULT)
        occupy(pool, MANY).open()


def test_workers_that_are_all_started_at_once_count() -> None:
    with Pool(MANY, prealloc=True, expiry=None) as pool:
        eventually(lambda: pool.idle == MANY)
        eventually(lambda: interval() == DEFAULT)
        gate = occupy(pool, MANY)
        assert interval() == FOR_MANY
        gate.open()


@pytest.mark.parametrize("own", [0.001, 0.01, 0.5])
def test_what_the_program_set_before_stays(own: float) -> None:
    sys.setswitchinterval(own)
    with busy(MORE):
        assert interval() == own
    assert interval() == own


@pytest.mark.parametrize("own", [DEFAULT, 0.01])
def test_what_the_program_sets_meanwhile_stays(own: float) -> None:
    with busy(MANY) as pool:
        assert interval() == FOR_MANY
        sys.setswitchinterval(own)
        gate = occupy(pool, MORE - MANY)
        assert interval() == own
        gate.open()
    assert interval() == own


def test_our_own_value_put_back_by_the_program_is_not_the_programs() -> None:
    with busy(MANY) as pool:
        before = sys.getswitchinterval()
        sys.setswitchinterval(0.01)
        gate = occupy(pool, MORE - MANY)
        sys.setswitchinterval(before)
        gate.open()
    assert interval() == DEFAULT


BUSY = """
import os, sys, threading
from antspy import Pool

def interval(pool):
    entered, opened = threading.Semaphore(0), threading.Event()
    for _ in range(1100):
        pool.go(lambda: (entered.release(), opened.wait()))
    for _ in range(1100):
        entered.acquire()
    found = round(sys.getswitchinterval(), 6)
    opened.set()
    return found
"""


@pytest.mark.parametrize(("value", "found"), [("keep", DEFAULT), ("", FOR_MANY)])
def test_the_environment_can_have_it_kept(value: str, found: float) -> None:
    program = f"import os\nos.environ['ANTSPY_SWITCH_INTERVAL'] = {value!r}\n{BUSY}"
    assert run_program(program + "\nwith Pool(1100) as pool: print(interval(pool))") == f"{found}\n"


def test_another_value_in_the_environment_is_an_error() -> None:
    out = run_program("""
    import os
    os.environ["ANTSPY_SWITCH_INTERVAL"] = "long"
    try:
        import antspy
    except ValueError as error:
        print(error)
    """)
    assert out == 'ANTSPY_SWITCH_INTERVAL must be "keep" or not set, not "long"\n'


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_begins_with_no_workers() -> None:
    program = f"""{BUSY}
pool = Pool(1100)
entered, opened = threading.Semaphore(0), threading.Event()
for _ in range(1100):
    pool.go(lambda: (entered.release(), opened.wait()))
for _ in range(1100):
    entered.acquire()
child = os.fork()
if not child:
    print(sys.getswitchinterval(), interval(pool))
    pool.release(10)
    print(sys.getswitchinterval(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(round(sys.getswitchinterval(), 6))
opened.set()
"""
    out = run_program(program, "-W", "ignore::DeprecationWarning")
    assert out.split() == ["0.005", "0.1024", "0.005", "0.1024"]


def test_thousands_of_workers_do_not_collapse() -> None:
    start = time.monotonic()
    with Pool(4_000) as pool:
        for _ in range(40_000):
            pool.go(time.sleep, 0.1)
    # 1.4 s if all goes well, 2 to 4 with the end of the threads; with an interval of 5 ms 14 s and more.
    assert time.monotonic() - start < 10

"""Each thing that ants has: one row of the README's first table, one test. The second: test_ants_wishes.py.

A docstring begins with the name of its row.
"""

import asyncio
import logging
import re
import threading
from pathlib import Path
from typing import Any

import antspy
import pytest
import test_ants_wishes as wishes
from antspy import MultiPool, Pool, PoolClosedError, PoolOverloadError, PoolWithFunc
from support import Gate, Thread, eventually, overloaded

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
ROW = re.compile(
    r"^\| (?P<name>[^|]+) \|.*\| \[\w+\]\((?P<example>examples/ants_\w+\.py)\) \|$", re.MULTILINE
)


@pytest.mark.parametrize("capacity", [0, -1, -(2**40)])
def test_new_pool(capacity: int) -> None:
    """`NewPool(size)`: without a limit by `None`; 0 or less is a `ValueError`."""
    with Pool(3) as pool, Pool(None) as unlimited:
        assert (pool.capacity, unlimited.capacity) == (3, None)
        together = threading.Barrier(50)
        for _ in range(50):
            unlimited.go(together.wait, 20)
        assert unlimited.wait(timeout=20)
    with pytest.raises(ValueError, match=f"capacity.*{capacity}"):
        Pool(capacity)


@pytest.mark.parametrize("method", ["submit", "go"])
def test_submit(method: str, gates: list[Gate]) -> None:
    """`Submit`: an idle worker, else a new one, else refused or blocked; a closed pool refuses all."""
    with Pool(2, max_blocking=1) as pool:
        submit = getattr(pool, method)
        submit(int)
        eventually(lambda: pool.idle == 1)
        submit(gates[0])
        gates[0].wait_entered()
        assert pool.running == 1, "the idle worker runs it"
        submit(gates[0])
        gates[0].wait_entered()
        assert pool.running == 2, "a new one does, below the capacity"
        blocked = Thread(submit, gates[1])
        eventually(lambda: pool.waiting == 1)
        with pytest.raises(PoolOverloadError):
            submit(int)
        gates[0].open()
        blocked.result()
        gates[1].open()
    with pytest.raises(PoolClosedError):
        submit(int)


def test_submit_to_a_pool_both_closed_and_full(gate: Gate) -> None:
    """`Submit`: that it is closed is looked at first."""
    pool = Pool(1, overflow="raise")
    pool.go(gate)
    pool.release()
    with pytest.raises(PoolClosedError):
        pool.go(int)
    gate.open()


def test_running(gate: Gate) -> None:
    """`Running`: live workers, busy and idle."""
    with Pool(4) as pool:
        assert pool.running == 0
        pool.go(gate)
        pool.go(gate)
        gate.wait_entered(2)
        assert (pool.running, pool.idle) == (2, 0)
        gate.open()
        eventually(lambda: pool.idle == 2)
        assert pool.running == 2


def test_free(gates: list[Gate]) -> None:
    """`Free`: capacity less running, `None` without a limit, and never negative."""
    with Pool(3) as pool, Pool(None) as unlimited:
        assert (pool.free, unlimited.free) == (3, None)
        for gate in gates[:3]:
            pool.go(gate)
            gate.wait_entered()
        unlimited.go(gates[3])
        assert (pool.free, unlimited.free) == (0, None)
        pool.tune(1)
        assert (pool.running, pool.free) == (3, 0)
        pool.tune(5)
        assert pool.free == 2
        for gate in gates:
            gate.open()


def test_waiting(gate: Gate) -> None:
    """`Waiting`: callers blocked in `submit` or `go` now, and nobody else."""
    with Pool(1, queue_size=1) as pool:
        pool.go(gate)
        gate.wait_entered()
        pool.go(gate)
        assert (pool.waiting, pool.queued) == (0, 1)
        blocked = [Thread(pool.go, gate), Thread(pool.submit, gate)]
        eventually(lambda: pool.waiting == 2)
        gate.open()
        for thread in blocked:
            thread.result()
        assert pool.waiting == 0


@pytest.mark.parametrize("prealloc", [False, True])
def test_tune_up(prealloc: bool, gate: Gate) -> None:
    """`Tune`: up wakes as many blocked callers as there are new places."""
    with Pool(2, prealloc=prealloc) as pool:
        for _ in range(2):
            pool.go(gate)
        blocked = [Thread(pool.go, gate) for _ in range(6)]
        eventually(lambda: pool.waiting == 6)
        pool.tune(2)
        assert pool.waiting == 6
        pool.tune(5)
        gate.wait_entered(5)
        assert (pool.waiting, pool.running) == (3, 5)
        pool.tune(None)
        gate.wait_entered(3)
        assert (pool.waiting, pool.capacity) == (0, None)
        gate.open()
        for thread in blocked:
            thread.result()


@pytest.mark.parametrize("capacity", [4, None])
def test_tune_down(capacity: int | None, gates: list[Gate]) -> None:
    """`Tune`: down, also from no limit, interrupts nobody; surplus workers leave after their task."""
    with Pool(capacity) as pool:
        futures = [pool.submit(gate, number) for number, gate in enumerate(gates)]
        for gate in gates:
            gate.wait_entered()
        pool.tune(2)
        assert (pool.capacity, pool.running, pool.free) == (2, 4, 0)
        for left, gate in zip((3, 2, 2, 2), gates, strict=True):
            gate.open()
            eventually(lambda left=left: pool.running == left)  # type: ignore[misc]
        assert [future.result() for future in futures] == [0, 1, 2, 3]
        assert pool.idle == 2
        for nonsense in (0, -1):
            with pytest.raises(ValueError, match="capacity"):
                pool.tune(nonsense)
        assert pool.capacity == 2


def test_release(gate: Gate) -> None:
    """`Release`: at once, and again; idle workers leave, blocked callers are told, busy tasks finish."""
    pool = Pool(2)
    pool.go(int)
    eventually(lambda: pool.idle == 1)
    busy = [pool.submit(gate, 1), pool.submit(gate, 2)]
    gate.wait_entered(2)
    blocked = [Thread(pool.go, int) for _ in range(3)]
    eventually(lambda: pool.waiting == 3)
    for _ in range(3):
        pool.release()
        assert (pool.closed, pool.waiting) == (True, 0)
    for thread in blocked:
        with pytest.raises(PoolClosedError):
            thread.result()
    gate.open()
    assert [future.result() for future in busy] == [1, 2]
    idle = Pool(2, prealloc=True)
    eventually(lambda: idle.idle == 2)
    idle.release()
    assert idle.running == 0


def test_release_timeout(gate: Gate) -> None:
    """`ReleaseTimeout`: waits; late it is a `TimeoutError`, and it may be called again."""
    pool = Pool(1)
    pool.go(gate)
    for _ in range(3):
        with pytest.raises(TimeoutError, match="1 workers"):
            pool.release(timeout=0.01)
    assert pool.closed
    again = Thread(pool.release, timeout=20)
    gate.open()
    again.result()
    assert pool.running == 0
    pool.release(timeout=1)


def test_release_context(gate: Gate) -> None:
    """`ReleaseContext`: a wait that can be ended from outside, and be taken up again."""
    pool = Pool(1)
    pool.go(gate)

    async def main() -> None:
        waiting = asyncio.create_task(pool.arelease())
        while not pool.closed:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (pool.closed, pool.running) == (True, 1)
        gate.open()
        await pool.arelease()

    asyncio.run(main())
    assert pool.running == 0


def test_reboot(gate: Gate) -> None:
    """`Reboot`: opens a closed pool, keeps its capacity, waits for the old workers; else nothing happens."""
    pool = Pool(3)
    pool.tune(2)
    pool.go(gate)
    gate.wait_entered()
    pool.reboot()
    assert pool.running == 1, "it is open"
    pool.release()
    rebooted = Thread(pool.reboot)
    with pytest.raises(TimeoutError):
        pool.release(timeout=0.05)
    assert rebooted.is_alive()
    assert pool.closed
    gate.open()
    rebooted.result()
    assert (pool.closed, pool.capacity, pool.running) == (False, 2, 0)
    assert pool.submit(abs, -1).result() == 1
    pool.release()


@pytest.mark.parametrize(("given", "expiry"), [({}, 10), ({"expiry": 300}, 300)])
def test_with_expiry_duration(given: dict[str, Any], expiry: float, gate: Gate) -> None:
    """`WithExpiryDuration`: an idle worker lives for 1 to 2 times `expiry`, 10 s by default."""
    with Pool(2, **given) as pool:
        pool.go(gate)
        pool.submit(int).result()
        pool._advance_clock(expiry / 2)
        gate.open()
        eventually(lambda: pool.idle == 2)
        pool._advance_clock(expiry / 2)  # one has been idle for 1 times `expiry`, the other for half of it
        eventually(lambda: pool.running == 1)
        assert pool.submit(abs, -1).result() == 1
        pool._advance_clock(expiry * 0.7)
        assert pool.submit(abs, -1).result() == 1
        pool._advance_clock(expiry * 0.7)
        assert pool.running == 1, "it has been idle for less"
        pool._advance_clock(expiry * 1.3)
        eventually(lambda: pool.running == 0)


@pytest.mark.parametrize("nonsense", [0, -1, -0.5])
def test_with_expiry_duration_that_makes_no_sense(nonsense: float) -> None:
    """`WithExpiryDuration`: 0 or less is a `ValueError`."""
    with pytest.raises(ValueError, match=f"expiry.*{nonsense}"):
        Pool(1, expiry=nonsense)


def test_with_disable_purge() -> None:
    """`WithDisablePurge`: workers never expire."""
    with Pool(2, prealloc=True, expiry=None) as pool, Pool(2, prealloc=True) as other:
        for each in (pool, other):
            eventually(lambda each=each: each.idle == 2)  # type: ignore[misc]
            each._advance_clock(1e6)
        eventually(lambda: other.running == 0)
        assert pool.running == pool.idle == 2


def test_with_pre_alloc() -> None:
    """`WithPreAlloc`: all workers are started; without a limit it is a `ValueError`."""
    with Pool(5, prealloc=True) as pool:
        assert (pool.running, pool.free) == (5, 0)
    with pytest.raises(ValueError, match="prealloc"):
        Pool(None, prealloc=True)


def test_with_max_blocking_tasks(gate: Gate) -> None:
    """`WithMaxBlockingTasks`: so many callers wait, the next is refused; `None`: any number waits."""
    with Pool(1, max_blocking=2) as pool, Pool(1, max_blocking=None) as patient:
        pool.go(gate)
        patient.go(gate)
        blocked = [Thread(pool.go, gate) for _ in range(2)]
        blocked += [Thread(patient.go, gate) for _ in range(20)]
        eventually(lambda: (pool.waiting, patient.waiting) == (2, 20))
        assert overloaded(pool)
        assert pool.waiting == 2
        gate.open()
        for thread in blocked:
            thread.result()


def test_with_nonblocking(gate: Gate) -> None:
    """`WithNonblocking`: `overflow="raise"` never waits."""
    with Pool(1, overflow="raise") as pool:
        assert not overloaded(pool)
        assert pool.wait(timeout=20)
        pool.go(gate)
        assert overloaded(pool)
        assert pool.waiting == 0
        gate.open()


def test_with_panic_handler(caplog: pytest.LogCaptureFixture) -> None:
    """`WithPanicHandler`: called once for each exception, with it; the worker lives, also if it raises."""
    seen: list[BaseException] = []

    def handler(error: BaseException) -> None:
        seen.append(error)
        if len(seen) == 2:
            raise LookupError("the handler's own")

    with Pool(1, exception_handler=handler) as pool:
        worker = pool.submit(threading.get_ident).result()
        for number in range(3):
            pool.go(divmod, number, 0)
        assert pool.wait(timeout=20)
        assert pool.submit(threading.get_ident).result() == worker
    assert [type(error) for error in seen] == [ZeroDivisionError] * 3
    logged = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert sorted(map(str, filter(None, logged))) == [str(seen[1]), "the handler's own"]


def test_with_logger(caplog: pytest.LogCaptureFixture) -> None:
    """`WithLogger`: without a handler an exception goes to the logger `antspy`, with its traceback."""

    def fail() -> None:
        raise LookupError

    with Pool(1) as pool:
        pool.go(fail)
        assert pool.wait(timeout=20)
        assert pool.submit(abs, -1).result() == 1
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("antspy", logging.ERROR)
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError
    assert record.exc_info[2] is not None


def test_pool_with_func() -> None:
    """`PoolWithFunc`: one function, `invoke`; that it is none is told before anything else."""
    seen: list[int] = []
    with PoolWithFunc(seen.append, 2) as pool:
        for number in range(10):
            pool.invoke(number)
        assert pool.submit(10).result() is None
        assert pool.wait(timeout=20)
    assert sorted(seen) == list(range(11))
    nothing: Any = None
    nonsense: dict[str, Any] = {"queue_size": -1, "expiry": -1, "no such": 1}
    with pytest.raises(TypeError, match="fn must be callable, not None"):
        PoolWithFunc(nothing, -1, **nonsense)
    with pytest.raises(ValueError, match="capacity"):
        PoolWithFunc(abs, -1)


def test_multi_pool_errors() -> None:
    """`MultiPool`: the size is looked at first, then the strategy; a bad index is an `IndexError`."""
    no_such: Any = "no such"
    with pytest.raises(ValueError, match=r"size.*0"):
        MultiPool(0, -1, no_such)
    with pytest.raises(ValueError, match=r"strategy.*no such"):
        MultiPool(1, -1, no_such)
    with pytest.raises(ValueError, match=r"capacity.*-1"):
        MultiPool(1, -1)
    with MultiPool(2, 1) as multi, pytest.raises(IndexError):
        multi.pools[2].go(int)


def test_multi_pool_round_robin(gates: list[Gate]) -> None:
    """`MultiPool`: each in its turn; a full one is replaced, once, by the first with the fewest tasks."""
    with MultiPool(3, 2, "round_robin", overflow="raise") as multi:
        running = [0, 0, 0]
        for number in (0, 1, 2, 0, 1):
            multi.go(gates[number])
            gates[number].wait_entered()
            running[number] += 1
            assert [pool._in_flight for pool in multi.pools] == running
        multi.pools[2].tune(1)
        gates[1].open()
        assert multi.pools[1].wait(timeout=20)
        multi.go(gates[3])  # the turn of the third, which is full: the second has the fewest
        assert [pool._in_flight for pool in multi.pools] == [2, 1, 1]
        multi.go(gates[3])  # the first is full, and of the other two the second comes first
        assert [pool._in_flight for pool in multi.pools] == [2, 2, 1]
        multi.pools[1].tune(3)
        multi.go(gates[3])  # the second's own turn
        assert [pool._in_flight for pool in multi.pools] == [2, 3, 1]
        with pytest.raises(PoolOverloadError):
            multi.go(int)  # the third has the fewest, and is full: nobody else is tried
        assert [pool._in_flight for pool in multi.pools] == [2, 3, 1]
        for gate in gates:
            gate.open()


def test_multi_pool_least_tasks(gates: list[Gate]) -> None:
    """`MultiPool`: `"least_tasks"` takes the first of those with the fewest."""
    with MultiPool(3, 4, "least_tasks") as multi:
        for expected in ([1, 0, 0], [1, 1, 0], [1, 1, 1], [2, 1, 1]):
            multi.go(gates[0])
            assert [pool._in_flight for pool in multi.pools] == expected
        multi.pools[1].go(gates[0])
        multi.go(gates[0])
        assert [pool._in_flight for pool in multi.pools] == [2, 2, 2]
        gates[0].open()


def test_multi_pool_sums(gate: Gate) -> None:
    """`MultiPool`: running, free, waiting and capacity are sums; `tune` is of each sub-pool."""
    with MultiPool(2, 1) as multi:
        for _ in range(2):
            multi.go(gate)
        gate.wait_entered(2)
        blocked = [Thread(multi.go, gate) for _ in range(3)]
        eventually(lambda: multi.waiting == 3)
        assert (multi.capacity, multi.running, multi.free) == (2, 2, 0)
        multi.tune(4)
        gate.wait_entered(3)
        assert (multi.capacity, multi.running, multi.free, multi.waiting) == (8, 5, 3, 0)
        assert [pool.capacity for pool in multi.pools] == [4, 4]
        multi.pools[1].tune(1)
        assert multi.capacity == 5
        gate.open()
        for thread in blocked:
            thread.result()


def test_default_pool(gate: Gate) -> None:
    """default pool: the package's functions, capacity 2147483647."""
    assert antspy.capacity() == antspy.default_pool().capacity == 2147483647
    antspy.go(gate)
    gate.wait_entered()
    assert antspy.running() >= 1
    free = antspy.free()
    assert free is not None
    assert free + antspy.running() == 2147483647
    gate.open()
    assert antspy.wait(timeout=20)
    assert antspy.submit(abs, -1).result() == 1
    antspy.release(timeout=20)
    with pytest.raises(PoolClosedError):
        antspy.go(int)
    antspy.reboot()
    assert list(antspy.map(abs, [-1, 2])) == [1, 2]


def test_each_row_of_the_readme_has_an_example_that_exists_and_a_test_of_its_name() -> None:
    text = README.read_text(encoding="utf-8")
    tables = text[text.index("## antspy beside ants") : text.index("Where the standard library's")]
    rows = {match["name"]: match["example"] for match in ROW.finditer(tables)}
    lines = [line for line in tables.splitlines() if line.startswith("| ") and not line.endswith("example |")]
    assert len(lines) == len(rows) == 34
    assert [example for example in rows.values() if not (README.parent / example).is_file()] == []
    shown = {path.name for path in (README.parent / "examples").glob("ants_*.py")}
    assert shown == {Path(example).name for example in rows.values()}
    both = globals() | vars(wishes)
    tests = [test.__doc__ or "" for name, test in both.items() if name.startswith("test_")]
    tested = {doc.partition(": ")[0] for doc in tests if doc}
    assert tested == rows.keys()

"""A worker's own state: the initializer makes it, tasks use it, the finalizer takes it down."""

import itertools
import logging
import threading
from concurrent.futures.thread import BrokenThreadPool
from contextvars import ContextVar

import antspy
import pytest
from antspy import Pool, PoolWithFunc, WaitGroup, worker_state
from support import LIMIT, Gate, assert_settled, eventually, run_program

setting: ContextVar[int] = ContextVar("setting", default=0)


class Connection:
    """What a worker may hold; knows who made it and who closed it."""

    def __init__(self, host: str = "here") -> None:
        self.host = host
        self.made_by = threading.get_ident()
        self.closed_by: int | None = None
        self.used = 0

    def close(self) -> None:
        assert self.closed_by is None
        self.closed_by = threading.get_ident()


class Connections:
    """An initializer and a finalizer that keep books."""

    def __init__(self) -> None:
        self.made: list[Connection] = []
        self.closed: list[Connection] = []

    def make(self, host: str = "here") -> Connection:
        self.made.append(Connection(host))
        return self.made[-1]

    def close(self, connection: Connection) -> None:
        connection.close()
        self.closed.append(connection)


@pytest.fixture
def books() -> Connections:
    return Connections()


def all_at_once(pool: Pool, count: int) -> list[object]:
    """The states of `count` workers."""
    barrier = threading.Barrier(count)

    def state() -> object:
        barrier.wait(LIMIT)
        return worker_state()

    return [future.result(LIMIT) for future in [pool.submit(state) for _ in range(count)]]


def test_a_task_sees_what_the_initializer_returned(books: Connections) -> None:
    with Pool(1, initializer=books.make, initargs=("there",)) as pool:
        connection = pool.submit(worker_state).result(LIMIT)
        assert (connection, connection.host) == (books.made[0], "there")
        assert connection.made_by == pool.submit(threading.get_ident).result(LIMIT)
        assert all(pool.submit(worker_state).result(LIMIT) is connection for _ in range(100))
    assert len(books.made) == 1


def test_each_worker_has_its_own(books: Connections) -> None:
    with Pool(5, initializer=books.make) as pool:
        states = all_at_once(pool, 5)
        assert len(set(map(id, states))) == 5
        for _ in range(200):
            pool.go(lambda: setattr(worker_state(), "used", worker_state().used + 1))
        assert_settled(pool)
    assert sum(connection.used for connection in books.made) == 200


@pytest.mark.parametrize("value", [None, 0, "", (), False])
def test_any_value_is_a_state(value: object) -> None:
    with Pool(1, initializer=lambda: value) as pool:
        assert pool.submit(worker_state).result(LIMIT) is value


def test_without_an_initializer_the_state_is_none() -> None:
    finalized: list[object] = []
    with Pool(1, finalizer=finalized.append) as pool:
        assert pool.submit(worker_state).result(LIMIT) is None
        assert finalized == []
    assert finalized == [None]


def test_outside_of_a_worker_there_is_none(gate: Gate) -> None:
    with pytest.raises(RuntimeError, match="worker_state"):
        worker_state()
    with Pool(1, initializer=int, overflow="caller_runs") as pool:
        pool.go(gate)
        gate.wait_entered()
        future = pool.submit(antspy.worker_state)  # run by this thread
        assert isinstance(future.exception(LIMIT), RuntimeError)
        gate.open()


def test_each_pools_workers_have_that_pools_state() -> None:
    with Pool(1, initializer=lambda: "first") as first, Pool(1, initializer=lambda: "second") as second:
        states = first.submit(lambda: (second.submit(worker_state).result(LIMIT), worker_state()))
        assert states.result(LIMIT) == ("second", "first")


def test_nested_tasks_callbacks_and_jobs_see_the_state_of_their_worker(books: Connections) -> None:
    seen: list[object] = []
    with Pool(1, queue_size=5, initializer=books.make) as pool:

        def outer() -> None:
            future = pool.submit(worker_state)
            future.add_done_callback(lambda _: seen.append(worker_state()))
            seen.append(future.result(LIMIT))
            group = WaitGroup(pool)
            group.go(lambda: seen.append(worker_state()))
            group.wait()
            seen.append(worker_state())

        pool.submit(outer).result(LIMIT)
    assert seen == books.made * 4


def test_a_pool_with_func_has_states(books: Connections) -> None:
    with PoolWithFunc(worker_state, 1, initializer=books.make, finalizer=books.close) as pool:
        assert pool.submit().result(LIMIT) is books.made[0]
    assert books.closed == books.made


def test_the_state_is_made_before_the_first_task_and_may_be_used_by_it_only_then() -> None:
    inside: list[str] = []

    def initializer() -> int:
        with pytest.raises(RuntimeError):
            worker_state()
        inside.append("initializer")
        return 1

    with Pool(1, initializer=initializer) as pool:
        pool.submit(inside.append, "task").result(LIMIT)
    assert inside == ["initializer", "task"]


def test_the_finalizer_is_called_in_the_worker_that_expires(books: Connections) -> None:
    with Pool(3, expiry=1000, initializer=books.make, finalizer=books.close) as pool:
        all_at_once(pool, 3)
        assert books.closed == []
        eventually(lambda: pool.idle == 3)
        pool._advance_clock(2001)
        eventually(lambda: len(books.closed) == 3)
        assert all(it.closed_by == it.made_by for it in books.closed)
        assert pool.submit(worker_state).result(LIMIT) is books.made[3]
    assert sorted(map(id, books.closed)) == sorted(map(id, books.made))


def test_the_finalizer_is_called_when_the_pool_is_tuned_down(gate: Gate, books: Connections) -> None:
    with Pool(4, initializer=books.make, finalizer=books.close, expiry=None) as pool:
        all_at_once(pool, 4)
        eventually(lambda: pool.idle == 4)
        future = pool.submit(lambda: (gate(), worker_state())[1])
        gate.wait_entered()
        pool.tune(1)
        eventually(lambda: len(books.closed) == 3)
        gate.open()
        assert future.result(LIMIT).closed_by is None
        assert pool.submit(worker_state).result(LIMIT) is future.result()
    assert len(books.closed) == 4


@pytest.mark.parametrize("prealloc", [False, True])
def test_the_finalizer_is_called_at_release_before_it_returns(prealloc: bool, books: Connections) -> None:
    pool = Pool(3, initializer=books.make, finalizer=books.close, prealloc=prealloc)
    for round_ in range(1, 4):
        all_at_once(pool, 3)
        pool.release(timeout=LIMIT)
        assert len(books.closed) == len(books.made) == 3 * round_
        pool.reboot()
    pool.shutdown()
    assert sorted(map(id, books.closed)) == sorted(map(id, books.made))


def test_the_finalizer_comes_after_the_last_task() -> None:
    order: list[str] = []
    pool = Pool(1, queue_size=10, initializer=lambda: "state", finalizer=order.append)
    gate = Gate()
    pool.go(gate)
    for _ in range(3):
        pool.go(order.append, "task")
    pool.release()
    gate.open()
    pool.shutdown()
    assert order == ["task"] * 3 + ["state"]


def test_the_finalizer_is_called_when_a_pool_is_dropped(books: Connections) -> None:
    pool = Pool(2, initializer=books.make, finalizer=books.close)
    assert pool.submit(int).result(LIMIT) == 0
    del pool
    eventually(lambda: len(books.closed) == 1)


def test_the_finalizer_is_called_at_the_programs_end() -> None:
    printed = run_program(
        """
        from antspy import Pool, worker_state

        def close(state):
            print("closed", state, flush=True)

        pool = Pool(2, initializer=lambda: "state", finalizer=close)
        print(pool.submit(worker_state).result(), flush=True)
        """
    )
    assert printed == "state\nclosed state\n"


def test_what_a_finalizer_raises_is_logged_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    handled: list[BaseException] = []
    numbers = itertools.count()

    def finalizer(state: int) -> None:
        if state % 2:
            raise SystemExit(f"leaving {state}")
        raise LookupError(f"lost {state}")

    def initializer() -> int:
        return next(numbers)

    pool = Pool(2, initializer=initializer, finalizer=finalizer, exception_handler=handled.append)
    assert sorted(str(state) for state in all_at_once(pool, 2)) == ["0", "1"]
    pool.release(timeout=LIMIT)
    assert pool.running == 0
    pool.reboot()
    assert pool.submit(worker_state).result(LIMIT) == 2
    pool.shutdown()
    assert [(record.name, record.levelno) for record in caplog.records] == [("antspy", logging.ERROR)] * 3
    assert all(text in caplog.text for text in ("lost 0", "leaving 1", "lost 2", "in finalizer"))
    assert handled == []


@pytest.mark.parametrize("error", [LookupError, SystemExit])
def test_the_finalizer_is_not_called_when_the_initializer_failed(
    error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    finalized: list[object] = []

    def initializer() -> None:
        raise error("no connection")

    pool = Pool(2, initializer=initializer, finalizer=finalized.append)
    with pytest.raises(BrokenThreadPool, match="no connection"):
        pool.submit(abs, -1).result(LIMIT)
    pool.shutdown()
    assert finalized == []
    assert "no connection" in caplog.text


def test_the_finalizer_is_called_for_workers_made_before_one_that_failed(gate: Gate) -> None:
    made: list[int] = []
    finalized: list[object] = []

    def initializer() -> int:
        if made:
            raise LookupError("no more connections")
        made.append(1)
        return 1

    pool = Pool(2, initializer=initializer, finalizer=finalized.append)
    first = pool.submit(gate, 1)
    gate.wait_entered()
    with pytest.raises(BrokenThreadPool):
        pool.submit(abs, -1).result(LIMIT)
    assert finalized == []
    gate.open()
    assert first.result(LIMIT) == 1
    pool.shutdown()
    assert finalized == [1]


def test_the_initializers_context_is_its_own() -> None:
    def initializer() -> int:
        setting.set(setting.get() + 1)
        return setting.get()

    setting.set(5)
    with Pool(1, initializer=initializer) as pool:
        assert pool.submit(lambda: (worker_state(), setting.get())).result(LIMIT) == (1, 5)
    setting.set(0)


def test_a_finalizer_is_callable() -> None:
    with pytest.raises(TypeError, match="finalizer must be callable, not 'close'"):
        Pool(1, finalizer="close")  # type: ignore[arg-type]

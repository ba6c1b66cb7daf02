"""`Future.interrupt`: an exception raised in a running task, and nowhere else."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future as AnyFuture
from contextlib import contextmanager

import pytest
from antspy import Future, Pool, TaskInterrupted
from support import LIMIT, Gate, Thread, assert_settled, eventually


class Stop(Exception):
    pass


class Spinner:
    """A task that runs Python code until it is interrupted or told to end."""

    def __init__(self) -> None:
        self.spins = threading.Event()
        self.end = False

    def __call__(self) -> str:
        self.spins.set()
        deadline = time.monotonic() + LIMIT
        while not self.end and time.monotonic() < deadline:
            pass
        return "ended by itself"


@contextmanager
def spinning(pool: Pool) -> Iterator[Future[str]]:
    spinner = Spinner()
    future = pool.submit(spinner)
    assert spinner.spins.wait(LIMIT)
    yield future
    spinner.end = True


def test_interrupt_raises_in_a_task_that_runs_python_code() -> None:
    with Pool(1) as pool:
        with spinning(pool) as future:
            assert future.interrupt() is True
            error = future.exception(LIMIT)
        assert type(error) is TaskInterrupted
        assert not isinstance(error, Exception)
        assert error.__traceback__ is not None
        assert pool.submit(abs, -1).result(LIMIT) == 1
        assert_settled(pool)
        assert (pool.stats().failed, pool.stats().workers_started) == (1, 1)


def test_interrupt_raises_the_class_it_is_given() -> None:
    with Pool(1) as pool, spinning(pool) as future:
        assert future.interrupt(Stop)
        with pytest.raises(Stop):
            future.result(LIMIT)


@pytest.mark.parametrize("exc", [Stop(), "Stop", int, 3, Pool])
def test_what_is_no_exception_class_is_refused(exc: object) -> None:
    with Pool(1) as pool, spinning(pool) as future:
        with pytest.raises(TypeError, match="exc must be an exception class, not "):
            future.interrupt(exc)  # type: ignore[arg-type]
        assert future.running()


def test_what_does_not_run_is_not_interrupted(gate: Gate) -> None:
    with Pool(1, queue_size=3) as pool:
        running = pool.submit(gate, 1)
        gate.wait_entered()
        pending, cancelled = pool.submit(abs, -2), pool.submit(abs, -3)
        cancelled.cancel()
        assert pending.interrupt() is False
        assert cancelled.interrupt() is False
        gate.open()
        assert (running.result(LIMIT), pending.result(LIMIT)) == (1, 2)
        assert running.interrupt() is False
        assert pending.interrupt() is False
        assert pool.submit(int, "no number").exception(LIMIT)
        assert Future[int]().interrupt() is False
        assert_settled(pool)


def test_a_task_that_catches_it_goes_on() -> None:
    caught: list[BaseException] = []
    with Pool(1) as pool:
        spinner = Spinner()

        def task() -> str:
            try:
                return spinner()
            except Stop as error:
                caught.append(error)
            spinner.spins.clear()
            return spinner()

        future = pool.submit(task)
        assert spinner.spins.wait(LIMIT)
        assert future.interrupt(Stop)
        eventually(lambda: caught)
        assert future.running()
        assert spinner.spins.wait(LIMIT)
        spinner.end = True
        assert future.result(LIMIT) == "ended by itself"
    assert len(caught) == 1


def test_a_task_can_be_interrupted_again() -> None:
    caught = 0
    spins = threading.Semaphore(0)
    with Pool(1) as pool:

        def task() -> None:
            nonlocal caught
            while True:
                try:
                    spins.release()
                    while True:
                        pass
                except Stop:
                    caught += 1

        future = pool.submit(task)
        assert spins.acquire(timeout=LIMIT)
        for count in range(1, 50):
            assert future.interrupt(Stop)
            eventually(lambda: caught >= count)
        assert future.interrupt()
        assert isinstance(future.exception(LIMIT), TaskInterrupted)


def test_a_call_into_c_ends_first() -> None:
    entered = threading.Event()
    times: list[float] = []

    def task() -> None:
        entered.set()
        start = time.monotonic()
        try:
            time.sleep(0.1)
        finally:
            times.append(time.monotonic() - start)

    with Pool(1) as pool:
        future = pool.submit(task)
        assert entered.wait(LIMIT)
        assert future.interrupt()
        assert isinstance(future.exception(LIMIT), TaskInterrupted)
    assert times[0] >= 0.1


def test_a_result_that_is_waited_for_comes_first(gate: Gate) -> None:
    waits = threading.Event()
    with Pool(2) as pool:
        other = pool.submit(gate, 7)
        gate.wait_entered()

        def wait_for_other() -> int:
            waits.set()
            return other.result(LIMIT)

        outer = pool.submit(wait_for_other)
        assert waits.wait(LIMIT)
        time.sleep(0.01)  # until it waits: else the interrupt comes before
        assert outer.interrupt()
        assert not outer.done()
        gate.open()
        assert isinstance(outer.exception(LIMIT), TaskInterrupted)
        assert other.result() == 7


def test_an_interrupt_that_comes_too_late_for_a_c_function_is_forgotten() -> None:
    with Pool(1) as pool:
        for _ in range(20):
            future = pool.submit(time.sleep, 0.005)
            eventually(future.interrupt)
            # No bytecode of the task is left: it ends as if nothing had been.
            assert future.exception(LIMIT) is None
            assert pool.submit(sum, range(1000)).result(LIMIT) == 499500
        assert_settled(pool)
        assert pool.stats().failed == 0


def test_interrupts_hit_the_task_they_are_for_or_nobody(caplog: pytest.LogCaptureFixture) -> None:
    seen_by_others: list[BaseException] = []
    lock = threading.Lock()
    current: list[Future[int]] = []
    hit = 0
    over = threading.Event()

    def task(number: int) -> int:
        total = 0
        for _ in range(number % 60):
            total += 1
        return total

    def bystander() -> None:
        try:
            for _ in range(30):
                pass
        except BaseException as error:
            seen_by_others.append(error)

    def callback(future: AnyFuture[int]) -> None:
        bystander()

    def interrupter() -> int:
        fired = 0
        rng = random.Random(1)
        while not over.is_set():
            with lock:
                future = current[-1] if current else None
            if future is not None and future.interrupt(Stop):
                fired += 1
            for _ in range(rng.randrange(200)):
                pass
        return fired

    with Pool(1, queue_size=50, exception_handler=seen_by_others.append, expiry=None) as pool:
        ident = pool.submit(threading.get_ident).result(LIMIT)
        interrupting = Thread(interrupter)
        futures: list[Future[int]] = []
        try:
            for number in range(10_000):
                future = pool.submit(task, number)
                future.add_done_callback(callback)
                with lock:
                    current[:] = [future]
                futures.append(future)
                if number % 3 == 0:
                    pool.go(bystander)
                if number % 7 == 0:
                    future.exception(LIMIT)
        finally:
            over.set()
        fired = interrupting.result()
        for number, future in enumerate(futures):
            error = future.exception(LIMIT)
            if error is None:
                assert future.result() == number % 60
            else:
                assert type(error) is Stop
                hit += 1
        assert pool.submit(threading.get_ident).result(LIMIT) == ident
        assert_settled(pool)
        assert pool.stats().workers_started == 1
    assert hit <= fired
    assert seen_by_others == []
    assert not caplog.records


def test_a_task_that_nobody_interrupts_is_never_hit() -> None:
    # Every second task is interrupted all the time; the others follow it on the same worker.
    victims: list[Future[int]] = []
    over = threading.Event()

    def short() -> int:
        return sum(number for number in range(20))

    def interrupter() -> int:
        fired = 0
        while not over.is_set():
            for future in victims[-2:]:
                fired += future.interrupt()
        return fired

    with Pool(1, queue_size=1) as pool:
        interrupting = Thread(interrupter)
        try:
            others = []
            for _ in range(5000):
                victims.append(pool.submit(short))
                others.append(pool.submit(short))
        finally:
            over.set()
        fired = interrupting.result()
        assert [other.result(LIMIT) for other in others] == [190] * 5000
        errors = [error for victim in victims if (error := victim.exception(LIMIT)) is not None]
        assert all(type(error) is TaskInterrupted for error in errors)
        assert len(errors) <= fired
        assert_settled(pool)

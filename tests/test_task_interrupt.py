"""`Future.interrupt`: an exception raised in a running task, and nowhere else."""

import gc
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from antspy import Future, Pool, TaskInterrupted
from support import LIMIT, Gate, Thread, assert_settled, eventually, run_program


class Stop(Exception):
    pass


@pytest.fixture
def often() -> Iterator[None]:
    """Threads take turns often, so that interrupts come at many different moments.

    Not in the midst of a garbage collection, in which hypothesis has a callback: what is raised there, or in
    a finalizer, goes to `sys.unraisablehook` and not into the task, as every exception does.
    """
    gc.collect()  # what other tests have left is not to end in a task here: that would be a moment, too
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    gc.disable()
    yield
    gc.enable()
    sys.setswitchinterval(before)


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
    caught = threading.Semaphore(0)
    spins = threading.Semaphore(0)
    with Pool(1) as pool:

        def task() -> None:
            spins.release()
            while True:
                try:
                    while True:
                        pass
                except Stop:
                    caught.release()

        future = pool.submit(task)
        assert spins.acquire(timeout=LIMIT)
        for _ in range(50):
            assert future.interrupt(Stop)
            assert caught.acquire(timeout=LIMIT)
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

        def wait_for_other() -> None:
            waits.set()
            other.result(LIMIT)

        outer = pool.submit(wait_for_other)
        assert waits.wait(LIMIT)
        time.sleep(0.01)  # until it waits: else the interrupt comes before
        assert outer.interrupt()
        assert not outer.done()
        gate.open()
        assert isinstance(outer.exception(LIMIT), TaskInterrupted)
        assert other.result() == 7


def test_an_interrupt_that_comes_too_late_for_a_c_function_is_forgotten() -> None:
    lock = threading.Lock()
    with Pool(1) as pool:
        for _ in range(20):
            lock.acquire()
            future = pool.submit(lock.acquire)
            eventually(future.interrupt)
            lock.release()
            # No bytecode of the task is left: it ends as if nothing had been.
            assert future.result(LIMIT) is True
            lock.release()
            assert pool.submit(sum, range(1000)).result(LIMIT) == 499500
        assert_settled(pool)
        assert pool.stats().failed == 0


class Interrupter:
    """Interrupts whichever of the last futures runs, all the time."""

    def __init__(self) -> None:
        self.futures: list[Future[object]] = []
        self._over = threading.Event()
        self._thread = Thread(self._run)

    def end(self) -> int:
        """Return how many interrupts were fired."""
        self._over.set()
        fired: int = self._thread.result()
        return fired

    def _run(self) -> int:
        fired = 0
        rng = random.Random(1)
        while not self._over.is_set():
            for future in self.futures[-12:]:
                fired += future.interrupt(Stop)
            for _ in range(rng.randrange(50)):
                pass
        return fired


def count(number: int) -> int:
    total = 0
    for _ in range(number):
        total += 1
    return total


TASKS: list[tuple[Callable[..., object], float, object]] = [
    (count, 3, 3),
    (count, 300, 300),
    # Its last moment is in C, without the interpreter: what comes then can be raised only after its end.
    (time.sleep, 0.00001, None),
    (count, 2000, 2000),
    (time.sleep, 0, None),
]


@pytest.mark.parametrize("name", [None, "storm"])
def test_interrupts_hit_the_task_they_are_for_or_nobody(
    name: str | None, often: None, caplog: pytest.LogCaptureFixture
) -> None:
    seen_by_others: list[BaseException] = []
    ended = 0

    def bystander(future: object = None) -> None:
        nonlocal ended
        try:
            count(30)
            ended += 1
        except BaseException as error:
            seen_by_others.append(error)

    with Pool(1, queue_size=10, exception_handler=seen_by_others.append, expiry=None) as pool:
        ident = pool.submit(threading.get_ident).result(LIMIT)
        view = pool.options(name=name)
        interrupter = Interrupter()
        try:
            for number in range(4000):
                fn, argument, _ = TASKS[number % len(TASKS)]
                future: Future[object] = view.submit(fn, argument)
                future.add_done_callback(bystander)
                interrupter.futures.append(future)
                if number % 3 == 0:
                    pool.go(bystander)
            assert_settled(pool)
        finally:
            fired = interrupter.end()
        hit = 0
        for number, future in enumerate(interrupter.futures):
            error = future.exception(LIMIT)
            if error is None:
                assert future.result() == TASKS[number % len(TASKS)][2]
            else:
                assert type(error) is Stop
                hit += 1
        assert pool.submit(threading.get_ident).result(LIMIT) == ident
        assert pool.stats().workers_started == 1
    assert 0 < hit <= fired
    assert seen_by_others == []
    assert ended == 4000 + 1334
    assert not caplog.records


@pytest.mark.parametrize("name", [None, "storm"])
def test_a_task_that_nobody_interrupts_is_never_hit(name: str | None, often: None) -> None:
    # Every second task is interrupted all the time; the others follow it on the same worker.
    with Pool(1, queue_size=3) as pool:
        view = pool.options(name=name)
        interrupter = Interrupter()
        others: list[Future[int]] = []
        try:
            for number in range(4000):
                fn, argument, _ = TASKS[number % len(TASKS)]
                interrupter.futures.append(view.submit(fn, argument))
                others.append(view.submit(count, 20))
            assert_settled(pool)
        finally:
            fired = interrupter.end()
        assert [other.result(LIMIT) for other in others] == [20] * 4000
        errors = [error for it in interrupter.futures if (error := it.exception(LIMIT)) is not None]
        assert {type(error) for error in errors} == {Stop}
        assert 0 < len(errors) <= fired
        assert pool.stats().failed == len(errors)


def test_an_interrupt_leaves_nothing_behind_for_a_thread_that_is_traced() -> None:
    # Up to 3.12 an exception that was made pending and taken back has the interpreter look for it for ever;
    # in 3.11 a traced thread never gets on then.
    out = run_program("""
        import sys, threading
        from antspy import Pool, TaskInterrupted
        started = threading.Event()
        def spin():
            started.set()
            while True:
                pass
        with Pool(1) as pool:
            future = pool.submit(spin)
            started.wait(10)
            future.interrupt()
            assert isinstance(future.exception(10), TaskInterrupted)
        def traced():
            sys.settrace(lambda *event: None)
            print(sum(number for number in range(10)))
        thread = threading.Thread(target=traced)
        thread.start()
        thread.join()
    """)
    assert out == "45\n"

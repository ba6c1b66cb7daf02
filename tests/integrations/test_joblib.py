"""joblib on an antspy pool: its own promises, kept by our backend."""

import doctest
import multiprocessing
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures.thread import BrokenThreadPool
from contextvars import ContextVar
from typing import Any

import antspy
import pytest
from support import LIMIT, Gate, eventually, library

joblib = library("joblib")

from antspy.joblib import JoblibPool, register  # noqa: E402  # needs joblib

delayed = joblib.delayed


@pytest.fixture(autouse=True)
def backend() -> Iterator[None]:
    register()
    with joblib.parallel_config(backend="antspy", n_jobs=2):
        yield


def in_worker(_: object = None) -> bool:
    return threading.current_thread().name.startswith("JoblibPool")


def no_worker(prefix: str = "JoblibPool") -> bool:
    return not any(thread.name.startswith(prefix) for thread in threading.enumerate())


def fail(number: int) -> None:
    raise LookupError(f"task {number}")


def test_results_come_in_order_from_the_workers_of_a_pool() -> None:
    assert joblib.Parallel()(delayed(divmod)(number, 7) for number in range(500)) == [
        divmod(number, 7) for number in range(500)
    ]
    assert all(joblib.Parallel()(delayed(in_worker)(number) for number in range(5)))


@pytest.mark.parametrize("n_jobs", [2, 5])
def test_n_jobs_tasks_run_at_once_and_no_more(n_jobs: int) -> None:
    together = threading.Barrier(n_jobs)
    names = set()

    def task() -> None:
        names.add(threading.current_thread().name)
        together.wait(LIMIT)

    joblib.Parallel(n_jobs=n_jobs)(delayed(task)() for _ in range(4 * n_jobs))
    assert len(names) == n_jobs


def test_n_jobs_counts_as_joblib_counts() -> None:
    assert joblib.effective_n_jobs(-1) == joblib.cpu_count()
    assert joblib.effective_n_jobs(3) == 3
    assert joblib.Parallel(n_jobs=1)(delayed(in_worker)(number) for number in range(2)) == [False, False]
    with pytest.raises(ValueError, match="n_jobs"):
        joblib.Parallel(n_jobs=0)(delayed(abs)(number) for number in range(2))


def test_an_error_is_raised_with_the_traceback_of_its_task() -> None:
    with pytest.raises(LookupError, match="task 3") as caught:
        joblib.Parallel()(delayed(fail if number == 3 else abs)(number) for number in range(10))
    assert "in fail" in str(caught.value.__cause__)


def test_after_an_error_nothing_is_started_and_what_runs_is_not_waited_for(gate: Gate) -> None:
    started = []

    def task(number: int) -> None:
        started.append(number)
        if number == 1:
            gate.wait_entered()  # the first task is at work
            fail(number)
        gate()

    with pytest.raises(LookupError, match="task 1"):
        joblib.Parallel(pre_dispatch="all")(delayed(task)(number) for number in range(50))
    gate.open()
    eventually(no_worker)
    # The worker that failed may have gone on to one more before the rest was cancelled.
    assert sorted(started) in ([0, 1], [0, 1, 2])


def test_parallel_calls_in_parallel_calls_run_on_pools_of_their_own() -> None:
    together = threading.Barrier(4)  # two inner tasks in each of two outer ones

    def inner() -> bool:
        together.wait(LIMIT)
        return in_worker()

    def outer() -> Any:
        return joblib.Parallel(n_jobs=2)(delayed(inner)() for _ in range(2))

    assert joblib.Parallel(n_jobs=2)(delayed(outer)() for _ in range(2)) == [[True, True]] * 2


def test_the_third_level_is_sequential_as_joblibs_own_is() -> None:
    def level(depth: int) -> list[Any]:
        backend, _ = joblib.parallel.get_active_backend()
        deeper: list[Any] = joblib.Parallel(n_jobs=2)(delayed(level)(depth - 1) for _ in range(depth))
        return [type(backend).__name__, *deeper[:1]]

    names = joblib.Parallel(n_jobs=2)(delayed(level)(2) for _ in range(2))[0]
    assert names == ["AntspyBackend", ["SequentialBackend", ["SequentialBackend"]]]


@pytest.mark.parametrize("return_as", ["generator", "generator_unordered"])
def test_a_generator_yields_a_result_while_other_tasks_run(return_as: str, gate: Gate) -> None:
    tasks = [delayed(abs)(-1), delayed(gate)(2)]
    results = joblib.Parallel(return_as=return_as)(tasks)
    assert next(results) == 1
    gate.open()
    assert list(results) == [2]


def test_an_unordered_generator_yields_what_is_done_first(gate: Gate) -> None:
    results = joblib.Parallel(return_as="generator_unordered")([delayed(gate)(2), delayed(abs)(-1)])
    assert next(results) == 1
    gate.open()
    assert list(results) == [2]


def test_an_abandoned_generator_cancels_what_has_not_started(gate: Gate) -> None:
    started = []

    def task(number: int) -> None:
        started.append(number)
        gate()

    results = joblib.Parallel(return_as="generator", pre_dispatch="all")(
        delayed(task)(number) for number in range(20)
    )
    gate.wait_entered(2)
    with pytest.warns(UserWarning, match="have been cancelled"):
        results.close()
    gate.open()
    eventually(no_worker)
    assert sorted(started) == [0, 1]


@pytest.mark.parametrize("return_as", ["list", "generator_unordered"])
def test_a_timeout_does_not_wait_for_the_task_that_takes_so_long(return_as: str, gate: Gate) -> None:
    with pytest.raises(multiprocessing.TimeoutError):
        list(joblib.Parallel(timeout=0.05, return_as=return_as)(delayed(gate)(number) for number in range(4)))


def test_workers_are_kept_between_calls_in_a_with_block_and_replaced_after_an_error() -> None:
    with joblib.Parallel(n_jobs=2) as parallel:
        first = parallel(delayed(threading.get_native_id)() for _ in range(8))
        pool = parallel._backend._pool
        assert isinstance(pool, JoblibPool)
        again = parallel(delayed(threading.get_native_id)() for _ in range(8))
        assert parallel._backend._pool is pool
        assert len({*first, *again}) <= 2
        with pytest.raises(LookupError):
            parallel(delayed(fail)(number) for number in range(3))
        assert pool.closed
        assert parallel(delayed(abs)(-number) for number in range(3)) == [0, 1, 2]
    assert parallel._backend._pool is None


def test_a_task_that_is_done_hands_in_the_next_from_its_worker() -> None:
    taken_in_worker = []

    def tasks() -> Iterator[Any]:
        for number in range(40):
            taken_in_worker.append(in_worker())
            yield delayed(abs)(-number)

    assert joblib.Parallel(n_jobs=2, pre_dispatch=4, batch_size=2)(tasks()) == list(range(40))
    assert taken_in_worker[:4] == [False] * 4
    assert any(taken_in_worker)


def test_keywords_of_the_pool_can_be_given() -> None:
    left: list[list[int]] = []

    def state() -> int:
        state: list[int] = antspy.worker_state()
        return state[0]

    def nested() -> Any:
        return joblib.Parallel(n_jobs=2)(delayed(state)() for _ in range(2))

    pool = {"initializer": lambda: [7], "finalizer": left.append, "thread_name_prefix": "mine"}
    with joblib.parallel_config(backend="antspy", n_jobs=2, **pool):
        assert joblib.Parallel()(delayed(state)() for _ in range(3)) == [7, 7, 7]
        assert joblib.Parallel()(delayed(nested)() for _ in range(3)) == [[7, 7]] * 3
    eventually(lambda: no_worker("mine"))
    assert left
    assert all(state == [7] for state in left)


def test_workers_that_cannot_start_end_the_call() -> None:
    def initializer() -> None:
        raise OSError("no database")

    with (
        joblib.parallel_config(backend="antspy", n_jobs=2, initializer=initializer),
        pytest.raises(BrokenThreadPool),
    ):
        joblib.Parallel()(delayed(abs)(number) for number in range(10))


def test_each_task_sees_the_context_of_the_call() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="nobody")
    variable.set("caller")
    assert joblib.Parallel()(delayed(variable.get)() for _ in range(3)) == ["caller"] * 3


def test_the_example_in_the_docstring_is_true() -> None:
    tests = doctest.testmod(antspy.joblib)
    assert (tests.failed, tests.attempted > 0) == (0, True)


OWN_TESTS = """
import os, sys, joblib, pytest
from antspy.joblib import AntspyBackend
from joblib.externals.loky import reusable_executor
joblib.parallel.BACKENDS["threading"] = AntspyBackend
# Those left out want loky's processes as well, or name joblib's class where ours is.
unwanted = "loky or multiprocessing or back_compat or background or context_manager or limit"
wanted = f"threading and not ({unwanted})"
plain = ["-c", os.devnull, "-q", "-p", "no:cacheprovider"]
code = pytest.main([*plain, "-k", wanted, "--pyargs", "joblib.test.test_parallel"])
assert reusable_executor._executor is None, "loky's processes would be left"
sys.stdout.flush()
os._exit(code)  # some of these tests leave tasks that sleep for 30 s, and a plain end waits for them
"""


def test_joblibs_own_tests_of_its_threading_backend_pass() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", OWN_TESTS], capture_output=True, text=True, timeout=2 * LIMIT
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed is not None
    assert int(passed[1]) > 80

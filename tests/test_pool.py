"""`submit` and `go`, as every executor has the first."""

import concurrent.futures
import threading
import time
from typing import Any

import antspy
import pytest
from antspy import Pool
from support import Thread, many


def echo(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def test_a_pool_is_an_executor() -> None:
    with Pool(1) as pool:
        assert isinstance(pool, concurrent.futures.Executor)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((1,), {}),
        ((1, 2, 3), {}),
        ((), {"key": 1}),
        ((1, 2), {"key": 3, "other": 4}),
        ((), {"fn": 1, "self": 2, "args": 3, "kwargs": 4}),
        (tuple(range(100)), {f"k{number}": number for number in range(100)}),
    ],
)
def test_arguments_reach_the_function_as_they_are(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    seen: list[Any] = []
    with Pool(1) as pool:
        assert pool.submit(echo, *args, **kwargs).result() == (args, kwargs)
        pool.go(lambda *args, **kwargs: seen.append((args, kwargs)), *args, **kwargs)
    assert seen == [(args, kwargs)]


def test_keyword_arguments_are_copied_at_the_submit() -> None:
    with Pool(1) as pool:
        options: dict[str, Any] = {"key": 1}
        future = pool.submit(echo, **options)
        options["key"] = 2
        assert future.result() == ((), {"key": 1})


def test_anything_callable_can_be_submitted() -> None:
    class Callable:
        def __call__(self) -> str:
            return "called"

        def method(self) -> str:
            return "method"

    with Pool(1) as pool:
        assert pool.submit(Callable()).result() == "called"
        assert pool.submit(Callable().method).result() == "method"
        assert pool.submit(str.upper, "a").result() == "A"
        assert isinstance(pool.submit(Callable).result(), Callable)


def test_go_returns_nothing_and_its_task_runs() -> None:
    ran = threading.Event()
    with Pool(1) as pool:
        assert pool.go(ran.set) is None
        assert ran.wait(10)


def test_one_worker_runs_tasks_in_the_order_of_their_submits() -> None:
    order: list[int] = []
    with Pool(1, queue_size=None) as pool:
        for number in range(many(1000)):
            pool.go(order.append, number)
    assert order == list(range(many(1000)))


def test_what_several_threads_submit_all_runs_once() -> None:
    ran: list[int] = []
    share = many(2000)

    def submit_many(start: int) -> None:
        for number in range(start, start + share):
            if number % 2:
                pool.go(ran.append, number)
            else:
                pool.submit(ran.append, number)

    with Pool(5, queue_size=7) as pool:
        for submitter in [Thread(submit_many, start) for start in range(0, 4 * share, share)]:
            submitter.result()
    assert sorted(ran) == list(range(4 * share))


def test_a_task_may_submit_to_its_pool() -> None:
    def sum_down(number: int) -> int:
        return number + pool.submit(sum_down, number - 1).result(timeout=10) if number else 0

    with Pool(11) as pool:
        assert pool.submit(sum_down, 10).result(timeout=10) == 55


def test_a_pool_may_be_used_by_tasks_of_another() -> None:
    def task(number: int) -> int:
        return inner.submit(abs, -number).result(timeout=10)

    with Pool(4) as inner, Pool(4) as outer:
        futures = [outer.submit(task, number) for number in range(many(200))]
        assert [future.result(timeout=10) for future in futures] == list(range(many(200)))


@pytest.mark.parametrize("capacity", [1, 2, 8])
def test_ping_pong_of_one_task_at_a_time_never_stalls(capacity: int) -> None:
    with Pool(capacity) as pool:
        for number in range(many(3000)):
            assert pool.submit(abs, -number).result(timeout=5) == number


def test_repr_tells_what_it_is_and_how_it_is() -> None:
    pool = Pool(3)
    assert repr(pool) == "<Pool open capacity=3 running=0>"
    pool.submit(int).result()
    pool.shutdown()
    assert repr(pool) == "<Pool closed capacity=3 running=0>"


def test_a_subclass_may_add_to_a_pool() -> None:
    class Counting(Pool):
        def __init__(self, capacity: int) -> None:
            super().__init__(capacity, thread_name_prefix="counting")
            self.submits = 0

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            self.submits += 1
            return super().submit(fn, *args, **kwargs)

    with Counting(2) as pool:
        assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
        assert pool.submits == 3


def test_a_pool_whose_init_was_not_called_says_so() -> None:
    class Broken(Pool):
        def __init__(self) -> None:
            pass

    with pytest.raises(RuntimeError, match="__init__"):
        Broken().submit(int)


def test_a_pool_cannot_be_initialized_twice() -> None:
    with Pool(3) as pool:
        with pytest.raises(RuntimeError, match="twice"):
            pool.__init__(4)  # type: ignore[misc]
        assert pool.capacity == 3
        assert pool.submit(abs, -1).result() == 1


@pytest.mark.parametrize(
    "name", ["capacity", "running", "free", "waiting", "idle", "busy", "queued", "closed"]
)
def test_what_a_pool_tells_of_itself_cannot_be_set(name: str) -> None:
    with Pool(2) as pool, pytest.raises(AttributeError):
        setattr(pool, name, 1)


def test_numbers_agree_with_each_other_while_tasks_come_and_go() -> None:
    stop = threading.Event()

    def submit_many() -> None:
        while not stop.is_set():
            pool.go(time.sleep, 0)

    with Pool(4, queue_size=3, expiry=0.001) as pool:
        submitters = [Thread(submit_many) for _ in range(3)]
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert 0 <= pool.running <= 4
            assert 0 <= pool.idle <= 4
            assert 0 <= (pool.free or 0) <= 4
            assert 0 <= pool.queued <= 7
            assert 0 <= pool.waiting <= 3
        stop.set()
        for submitter in submitters:
            submitter.result()
        assert pool.wait(timeout=10)
        assert (pool.queued, pool.waiting) == (0, 0)


def test_the_errors_are_what_their_names_say() -> None:
    assert issubclass(antspy.PoolError, Exception)
    assert issubclass(antspy.PoolClosedError, antspy.PoolError)
    assert issubclass(antspy.PoolClosedError, RuntimeError)
    assert issubclass(antspy.PoolOverloadError, antspy.PoolError)
    assert not issubclass(antspy.PoolOverloadError, RuntimeError)


def test_all_public_names_are_there() -> None:
    for name in antspy.__all__:
        assert getattr(antspy, name) is not None

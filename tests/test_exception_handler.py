"""Where exceptions go that nobody waits for."""

import gc
import logging
import threading

import pytest
from antspy import Pool, PoolWithFunc
from support import Gate, eventually


def fail(message: str = "the task's own") -> None:
    raise LookupError(message)


def test_the_handler_gets_what_a_go_task_raises_with_its_traceback() -> None:
    seen: list[BaseException] = []
    with Pool(1, exception_handler=seen.append) as pool:
        pool.go(fail, "one")
        pool.go(fail, "two")
    assert [error.args for error in seen] == [("one",), ("two",)]
    assert all(type(error) is LookupError and error.__traceback__ is not None for error in seen)


def test_the_handler_runs_in_the_worker_and_may_use_the_pool() -> None:
    names: list[str] = []

    def handler(error: BaseException) -> None:
        names.append(threading.current_thread().name)
        pool.go(names.append, "from the handler")

    with Pool(1, queue_size=5, exception_handler=handler, thread_name_prefix="ant") as pool:
        pool.go(fail)
        eventually(lambda: len(names) == 2)
    assert names == ["ant_0", "from the handler"]


def test_an_exception_that_is_looked_at_does_not_go_to_the_handler(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[BaseException] = []
    with Pool(1, exception_handler=seen.append) as pool, Pool(1) as logging_pool:
        for looking in (pool, logging_pool):
            with pytest.raises(LookupError):
                looking.submit(fail).result()
            assert isinstance(looking.submit(fail).exception(), LookupError)
        gc.collect()
    assert seen == []
    assert not caplog.records


def test_the_handler_gets_what_a_future_raised_that_nobody_ever_looked_at() -> None:
    seen: list[BaseException] = []
    with Pool(1, exception_handler=seen.append) as pool:
        future = pool.submit(fail, "dropped once done")
        assert pool.wait(timeout=10)
        del future
        pool.submit(fail, "dropped at once")
        assert pool.wait(timeout=10)
        gc.collect()
        eventually(lambda: len(seen) == 2, limit=2)
    assert [error.args[0] for error in seen] == ["dropped once done", "dropped at once"]


def test_without_a_handler_it_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with Pool(1) as pool:
        pool.go(fail)
        assert pool.wait(timeout=10)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("antspy", logging.ERROR)
    assert "in fail" in caplog.text
    assert "LookupError: the task's own" in caplog.text


def test_an_exception_in_the_handler_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    def handler(error: BaseException) -> None:
        raise SystemExit("the handler's own")

    with Pool(1, exception_handler=handler) as pool:
        ident = pool.submit(threading.get_ident).result()
        pool.go(fail)
        assert pool.wait(timeout=10)
        assert pool.submit(threading.get_ident).result() == ident
    assert "the task's own" in caplog.text
    assert "the handler's own" in caplog.text
    assert {record.name for record in caplog.records} == {"antspy"}


def test_the_function_of_a_pool_with_func_is_handled_alike() -> None:
    seen: list[BaseException] = []
    pool = PoolWithFunc(fail, 2, exception_handler=seen.append)
    pool.invoke("mine")
    assert pool.wait(timeout=10)
    pool.shutdown()
    assert [error.args for error in seen] == [("mine",)]


def test_a_place_is_taken_until_the_handler_has_ended(gate: Gate) -> None:
    with Pool(1, exception_handler=lambda error: gate()) as pool:
        pool.go(fail)
        gate.wait_entered()
        assert pool.wait(timeout=0) is False
        gate.open()
        assert pool.wait(timeout=10) is True


def test_a_burst_of_failures_is_all_handled() -> None:
    seen: list[BaseException] = []
    with Pool(8, exception_handler=seen.append) as pool:
        for number in range(5000):
            pool.go(fail, str(number))
    assert sorted(int(error.args[0]) for error in seen) == list(range(5000))

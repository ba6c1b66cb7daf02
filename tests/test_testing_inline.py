"""The inline pool: each task runs in its submitter, and all else is as in a pool."""

import asyncio
import threading
from concurrent.futures import as_completed

import antspy
import pytest
from antspy import Pool, PoolClosedError, PoolOverloadError, WaitGroup
from antspy.testing import InlinePool, StuckError


def test_it_is_a_pool_and_runs_in_the_caller() -> None:
    with InlinePool(2) as pool:
        assert isinstance(pool, Pool)
        future = pool.submit(threading.get_ident)
        assert future.done()
        assert future.result() == threading.get_ident()
        assert isinstance(future, antspy.Future)
        assert (pool.running, pool.capacity, pool._in_flight) == (0, 2, 0)


def test_every_way_in_runs_at_once() -> None:
    ran: list[str] = []
    with InlinePool(2) as pool:
        pool.go(ran.append, "go")
        pool.options(priority="low", deadline=1, timeout=1, name="n").go(ran.append, "view")
        pool.subpool(1).go(ran.append, "subpool")
        group = WaitGroup(pool)
        group.go(ran.append, "wait group")
        assert group.count == 0
        assert group.wait()
        with pool.group() as tasks:
            tasks.submit(ran.append, "group")
        assert ran == ["go", "view", "subpool", "wait group", "group"]
        assert list(pool.map(abs, range(-5, 0))) == [5, 4, 3, 2, 1]
        assert list(pool.subpool(1).map(abs, [-1, -2])) == [1, 2]
        assert pool.wait()
        stats = pool.stats()
        assert (stats.submitted, stats.completed) == (12, 12)


def test_coroutines() -> None:
    async def main() -> None:
        async with InlinePool(1) as pool:
            future = await pool.asubmit(abs, -1)
            assert future.done()
            assert await future == 1
            assert await pool.arun(abs, -2) == 2
            assert [result async for result in pool.amap(abs, [-1, -2, -3])] == [1, 2, 3]

    asyncio.run(main())


def test_exceptions_go_where_they_go_in_a_pool() -> None:
    seen: list[BaseException] = []
    with InlinePool(exception_handler=seen.append) as pool:
        future = pool.submit(int, "x")
        assert isinstance(future.exception(), ValueError)
        pool.go(int, "y")
        assert [type(error) for error in seen] == [ValueError]
        pool.submit(int, "z")  # and nobody looks
        assert len(seen) == 2
        with pytest.raises(ValueError, match="invalid literal"):
            list(pool.map(int, ["1", "q"]))
        assert pool.stats().failed == 4


def test_refusals() -> None:
    with InlinePool(1, overflow="raise") as pool:

        def nested() -> None:
            with pytest.raises(PoolOverloadError):
                pool.submit(int)

        pool.submit(nested).result()
    with pytest.raises(PoolClosedError):
        pool.submit(int)
    pool.reboot()
    assert pool.submit(int).result() == 0
    pool.release()
    assert pool.closed


def test_nested_tasks_of_a_full_pool_run() -> None:
    with InlinePool(1) as pool:
        assert pool.submit(lambda: pool.submit(lambda: pool.submit(abs, -3).result()).result()).result() == 3


def test_a_task_that_waits_for_all_is_told_so() -> None:
    with InlinePool(1) as pool, pytest.raises(RuntimeError, match="wait for itself"):
        pool.submit(pool.wait).result()


def test_while_paused_tasks_are_queued() -> None:
    ran: list[int] = []
    with InlinePool(2) as pool:
        pool.pause()
        future = pool.submit(ran.append, 1)
        assert not future.done()
        with pytest.raises(StuckError, match="it is paused"):
            future.result()
        with pytest.raises(TimeoutError):
            future.result(timeout=1000)
        pool.resume()
        assert future.done()
        assert ran == [1]


def test_the_standard_librarys_waits() -> None:
    with InlinePool() as pool:
        assert {future.result() for future in as_completed([pool.submit(abs, -1)])} == {1}


def test_deep_recursion_is_an_error_and_no_crash() -> None:
    pool = InlinePool()

    def again() -> None:
        pool.submit(again).result()

    with pytest.raises(RecursionError):
        pool.submit(again).result()
    pool.release()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"initializer": int}, ValueError, "initializer"),
        ({"finalizer": int}, ValueError, "finalizer"),
        ({"speed": 1}, TypeError, "speed"),
        ({"rate": -1}, ValueError, "rate"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        InlinePool(1, **settings)  # type: ignore[arg-type]

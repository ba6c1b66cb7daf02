"""`antspy.dask.ClusterPool` on a real cluster: each way in leads to its processes, outcomes come back."""

import asyncio
import doctest
import os
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import antspy
import pytest
from antspy import Adaptive, Pool, PoolError, TaskInterrupted, WaitGroup
from support import LIMIT, assert_settled, eventually, library

distributed = library("distributed")
dask = library("dask")

import cluster_jobs  # noqa: E402  # these need distributed
from antspy.dask import ClusterError, ClusterPool  # noqa: E402
from cluster_jobs import Awkward, pid, told  # noqa: E402


@pytest.fixture
def pool(dask_client: Any) -> Iterator[ClusterPool]:
    with ClusterPool(dask_client, 8) as pool:
        yield pool
    assert_nothing_is_pinned(dask_client)


def assert_nothing_is_pinned(client: Any) -> None:
    def tasks(dask_scheduler: Any) -> int:
        return len(dask_scheduler.tasks)

    eventually(lambda: not client.futures and client.run_on_scheduler(tasks) == 0)


def in_group(pool: Any) -> int:
    with pool.group() as group:
        future = group.submit(pid)
    return int(future.result())


def awaited(pool: Any) -> int:
    async def main() -> int:
        return int(await pool.arun(pid))

    return asyncio.run(main())


def submitted_by_a_coroutine(pool: Any) -> int:
    async def main() -> int:
        return int(await (await pool.asubmit(pid)))

    return asyncio.run(main())


def mapped_by_a_coroutine(pool: Any) -> int:
    async def main() -> int:
        return int(await anext(pool.amap(pid, [1], chunksize=2)))

    return asyncio.run(main())


WAYS: dict[str, Callable[[Any], int]] = {
    "submit": lambda pool: pool.submit(pid).result(),
    "map": lambda pool: next(pool.map(pid, [1])),
    "map of several": lambda pool: next(pool.map(pid, [1], [2])),
    "map of chunks": lambda pool: next(pool.map(pid, [1, 2, 3], chunksize=2)),
    "map by name": lambda pool: next(pool.options(name="pid").map(pid, [1])),
    "group": in_group,
    "arun": awaited,
    "asubmit": submitted_by_a_coroutine,
    "amap": mapped_by_a_coroutine,
}
VIEWS: dict[str, Callable[[ClusterPool], Any]] = {
    "pool": lambda pool: pool,
    "options": lambda pool: pool.options(name="a task", priority="high", timeout=LIMIT, deadline=LIMIT),
    "subpool": lambda pool: pool.subpool(2),
    "options of a subpool": lambda pool: pool.subpool(2).options(name="a task"),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("way", WAYS)
def test_a_task_runs_in_a_process_of_the_cluster(
    pool: ClusterPool, dask_client: Any, way: str, view: str
) -> None:
    assert WAYS[way](VIEWS[view](pool)) in dask_client.run(os.getpid).values()


@pytest.mark.parametrize("way", ["go", "wait group", "caller runs"])
def test_so_does_a_task_without_a_future(
    pool: ClusterPool, dask_client: Any, way: str, tmp_path: Any
) -> None:
    book = tmp_path / "book"
    book.touch()
    if way == "wait group":
        with WaitGroup(pool) as group:
            group.go(cluster_jobs.write_pid, str(book))
    elif way == "go":
        pool.go(cluster_jobs.write_pid, str(book))
        assert pool.wait(LIMIT)
    else:
        with ClusterPool(dask_client, 1, overflow="caller_runs") as full:
            full.go(cluster_jobs.hold, str(book))
            eventually(book.read_text)
            book.write_text("")
            full.go(cluster_jobs.write_pid, str(book))  # this thread sends it, and waits
            book.with_name("open").touch()
    assert int(book.read_text()) in dask_client.run(os.getpid).values()


def test_the_functions_arguments_are_the_functions(pool: ClusterPool) -> None:
    keywords = {"priority": 1, "key": 2, "workers": 3, "pure": 4, "retries": 5, "fn": 6}
    assert pool.submit(told, "a", [1], **keywords).result() == (("a", [1]), keywords)


def test_two_calls_with_the_same_arguments_are_two(pool: ClusterPool, tmp_path: Any) -> None:
    book = tmp_path / "book"
    book.touch()
    for _ in pool.map(cluster_jobs.write_down, [7] * 50, [str(book)] * 50):
        pass
    assert book.read_text() == "7\n" * 50


def test_a_string_that_is_a_key_on_the_cluster_stays_a_string(pool: ClusterPool, dask_client: Any) -> None:
    future = dask_client.submit(abs, -1, key="a-key")
    assert pool.submit(told, "a-key", ["a-key"]).result() == (("a-key", ["a-key"]), {})
    assert future.result() == 1
    del future


@pytest.mark.parametrize("name", ["fetch users", "a-b-c", "('x', 1)", "ü\ud800\n", "x" * 10_000])
def test_the_name_of_a_task_is_in_its_key_and_in_its_stack(
    pool: ClusterPool, dask_client: Any, name: str
) -> None:
    future = pool.options(name=name).submit(cluster_jobs.key_and_stack)
    key, stack = future.result()
    assert future.name == name
    assert key.startswith(name[:90].encode(errors="backslashreplace").decode())
    assert any(frame in stack for frame in (name, repr(name), name[:197] + "..."))


def test_without_a_name_the_key_has_the_functions(pool: ClusterPool) -> None:
    assert pool.submit(cluster_jobs.key_and_stack).result()[0].startswith("key_and_stack-")


def test_an_exception_comes_with_its_type_and_its_traceback(pool: ClusterPool) -> None:
    error = pool.submit(cluster_jobs.fail, 7).exception()
    assert isinstance(error, KeyError)
    assert error.args == (7,)
    assert "in fail" in "".join(traceback.format_exception(error))
    with pytest.raises(KeyError):
        list(pool.map(cluster_jobs.fail, [1]))


@pytest.mark.parametrize(
    ("job", "kind"),
    [
        ((cluster_jobs.leave, 3), SystemExit),
        ((cluster_jobs.stop,), StopIteration),
        ((cluster_jobs.give_up,), KeyboardInterrupt),
        ((cluster_jobs.cancelled,), asyncio.CancelledError),
    ],
)
def test_what_dask_takes_for_its_own_comes_as_it_was(
    pool: ClusterPool, dask_client: Any, job: Any, kind: type[BaseException]
) -> None:
    before = dask_client.run(os.getpid)
    error = pool.submit(*job).exception()
    assert type(error) is kind
    assert "cluster_jobs.py" in "".join(traceback.format_exception(error))
    assert dask_client.run(os.getpid) == before  # no worker has ended


def test_an_exception_that_cannot_be_pickled_still_says_what_it_was(pool: ClusterPool) -> None:
    error = pool.submit(cluster_jobs.fail_with_a_lock).exception()
    assert error is not None
    assert not isinstance(error, KeyError)
    assert "KeyError(<unlocked _thread.lock" in str(error)


def test_an_exception_with_a_constructor_of_its_own_comes_as_it_was(pool: ClusterPool) -> None:
    error = pool.submit(cluster_jobs.fail_awkwardly).exception()
    assert isinstance(error, Awkward)
    assert str(error) == "1 and 2"


def test_what_cannot_be_pickled_fails_its_task_and_no_other(pool: ClusterPool) -> None:
    there = pool.submit(told, threading.Lock())
    back = pool.submit(threading.Lock)
    assert isinstance(there.exception(LIMIT), TypeError)
    assert back.exception(LIMIT) is not None
    assert pool.submit(abs, -1).result() == 1
    assert_settled(pool)


def test_what_go_raises_reaches_the_exception_handler(dask_client: Any) -> None:
    seen: list[BaseException] = []
    with ClusterPool(dask_client, 2, exception_handler=seen.append) as pool:
        pool.go(cluster_jobs.fail, 1)
        pool.submit(cluster_jobs.fail, 2)  # and nobody looks
    assert sorted(error.args for error in seen) == [(1,), (2,)]


def test_annotations_of_dask_reach_the_cluster(pool: ClusterPool, dask_client: Any) -> None:
    address = list(dask_client.scheduler_info()["workers"])[1]
    with dask.annotate(workers=[address]):
        here = {pool.submit(cluster_jobs.address).result() for _ in range(5)}
    assert here == {address}


def test_an_interrupted_task_is_taken_off_the_cluster(dask_client: Any, tmp_path: Any) -> None:
    book = tmp_path / "book"
    book.touch()
    with ClusterPool(dask_client, 1) as pool:
        future = pool.submit(cluster_jobs.hold, str(book))
        eventually(book.read_text)
        assert future.interrupt()
        assert isinstance(future.exception(5.0), TaskInterrupted)
        assert pool.submit(abs, -1).result() == 1  # its place is free, though the call still runs there
        assert_nothing_is_pinned(dask_client)
        book.with_name("open").touch()


def test_a_cancelled_task_never_reaches_the_cluster(pool: ClusterPool, tmp_path: Any) -> None:
    book = tmp_path / "book"
    book.touch()
    pool.pause()
    future = pool.options(timeout=LIMIT).submit(cluster_jobs.write_pid, str(book))
    assert future.cancel()
    pool.resume()
    assert pool.wait(LIMIT)
    assert book.read_text() == ""


@pytest.mark.parametrize("client", [None, 8, "tcp://127.0.0.1:8786"])
def test_a_client_that_is_none_is_refused(client: Any) -> None:
    with pytest.raises(TypeError, match=f"client must be a distributed.Client, not {client!r}"):
        ClusterPool(client, 8)


def test_a_client_that_is_closed_is_refused(dask_client: Any) -> None:
    client = distributed.Client(dask_client.scheduler.address, set_as_default=False)
    pool = ClusterPool(client, 2)
    client.close()
    with pytest.raises(ValueError, match="client must be open, not closed"):
        ClusterPool(client, 8)
    with pytest.raises(ClusterError, match="the client is closed") as info:
        pool.submit(abs, -1).result()
    assert isinstance(info.value, PoolError)
    pool.release(LIMIT)


def test_an_asynchronous_client_is_refused(dask_client: Any) -> None:
    async def main() -> None:
        address = dask_client.scheduler.address
        async with distributed.Client(address, asynchronous=True, set_as_default=False) as client:
            with pytest.raises(ValueError, match="client must not be asynchronous"):
                ClusterPool(client, 8)

    asyncio.run(main())


def test_in_a_task_of_the_cluster_it_is_refused(pool: ClusterPool) -> None:
    error = pool.submit(cluster_jobs.make_a_pool).exception()
    assert isinstance(error, RuntimeError)
    assert "in a task of the cluster" in str(error)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initializer": abs}, "initializer would be of threads that only wait"),
        ({"finalizer": abs}, "finalizer would be"),
        ({"calls_per_worker": 0}, "calls_per_worker must be at least 1, not 0"),
        ({"capacity": None, "calls_per_worker": 1}, "capacity must be a number with calls_per_worker"),
        ({"capacity": Adaptive(1, 2), "calls_per_worker": 1}, "capacity must be a number"),
        ({"capacity": 0}, "capacity must be at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    dask_client: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ClusterPool(dask_client, settings.pop("capacity", 8), **settings)


def test_a_pool_cannot_be_sent_to_the_cluster(pool: ClusterPool) -> None:
    with pytest.raises(TypeError):
        pool.submit(told, pool).result(LIMIT)


def test_its_numbers_are_told_as_any_pools(pool: ClusterPool, capsys: pytest.CaptureFixture[str]) -> None:
    library("rich")
    registry = library("prometheus_client").CollectorRegistry()
    library("antspy.prometheus").PoolCollector(cluster=pool, registry=registry)
    with antspy.progress(pool, "calls"):
        assert list(pool.map(abs, range(3))) == [0, 1, 2]
    assert re.search(r"calls.* 3/3 ", capsys.readouterr().err)
    ended = {"pool": "cluster", "outcome": "completed"}
    assert registry.get_sample_value("antspy_tasks_ended_total", ended) == 3


def test_it_cannot_be_traced(pool: ClusterPool) -> None:
    traced = library("antspy.opentelemetry").traced
    for view in (pool, pool.options(name="named"), pool.subpool(1), pool.subpool(1).options(name="named")):
        with pytest.raises(TypeError, match=r"workers in this process, .* not <.*ClusterPool"):
            traced(view)
    assert pool.stats().submitted == 0


def test_the_client_stays_open_and_a_reboot_needs_no_new_cluster(dask_client: Any) -> None:
    pool = ClusterPool(dask_client, 2)
    assert pool.client is dask_client
    assert isinstance(pool, Pool)
    pool.release(LIMIT)
    assert dask_client.status == "running"
    pool.reboot()
    assert pool.submit(pid).result() in dask_client.run(os.getpid).values()
    pool.release(LIMIT)


def test_the_examples_of_its_docstring_are_true() -> None:
    import antspy.dask.cluster_pool

    ended = doctest.testmod(antspy.dask.cluster_pool, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert ended.attempted > 0
    assert ended.failed == 0

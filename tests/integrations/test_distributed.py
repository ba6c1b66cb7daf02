"""Dask distributed: workers whose tasks run on our executor, over TCP on 127.0.0.1."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import antspy
import pytest
from support import LIMIT, Program, library

distributed = library("distributed")
dask = library("dask")


@pytest.fixture(scope="module", autouse=True)
def offloader() -> None:
    """Start the one thread of distributed's own that stays: its executor for (de)serialization."""
    distributed.utils._offload_executor.submit(int).result(LIMIT)


@pytest.fixture
def executor() -> antspy.ThreadPoolExecutor:
    """An executor that a worker gets, and shuts down."""
    return antspy.ThreadPoolExecutor(4, thread_name_prefix="ant")


@pytest.fixture
def client(executor: antspy.ThreadPoolExecutor) -> Iterator[Any]:
    """A client of a cluster of one worker on the executor."""
    cluster = distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=4,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        executor=executor,
    )
    with cluster, distributed.Client(cluster) as client:
        yield client
    assert executor.closed


def name() -> str:
    return threading.current_thread().name


# Tasks are pickled, by their names: these are found by a worker in this process.
together = threading.Barrier(4)
variable: ContextVar[int] = ContextVar("variable", default=0)


def meet(_: int) -> int:
    return together.wait(LIMIT)


def exchange(number: int) -> int:
    before = variable.get()
    variable.set(number)
    return before


def test_tasks_run_on_the_executor(client: Any, executor: antspy.ThreadPoolExecutor) -> None:
    assert client.gather(client.map(pow, range(50), [2] * 50)) == [number * number for number in range(50)]
    assert client.submit(name).result(LIMIT).startswith("ant_")
    assert executor.stats().completed >= 51


def test_as_many_tasks_run_at_once_as_the_worker_has_threads(client: Any) -> None:
    meetings = client.map(meet, range(8), pure=False)
    assert sorted(client.gather(meetings)) == sorted([*range(4)] * 2)


def test_a_graph_and_an_error(client: Any) -> None:
    squares = [dask.delayed(pow)(number, 2) for number in range(20)]
    assert dask.delayed(sum)(squares).compute() == 2470
    with pytest.raises(ZeroDivisionError):
        client.submit(divmod, 1, 0).result(LIMIT)


def test_a_task_knows_its_worker_and_its_key(client: Any) -> None:
    # Only an executor with "ThreadPoolExecutor" in its type's name is told them.
    def task() -> tuple[str, str]:
        return distributed.get_worker().address, distributed.worker.thread_state.key

    future = client.submit(task)
    assert future.result(LIMIT) == (next(iter(client.scheduler_info()["workers"])), future.key)


def test_what_the_worker_sets_in_the_context_reaches_the_task(client: Any) -> None:
    # A span is kept in the context of the worker's event loop while it hands in the task.
    with distributed.span("colony"):
        future = client.submit(lambda: dask.get_annotations().get("span", {}).get("name"))
    assert future.result(LIMIT) == ("colony",)


def test_a_task_can_use_a_client_of_its_own(client: Any) -> None:
    def outer() -> int:
        with distributed.worker_client(separate_thread=False) as inner:
            return sum(inner.gather(inner.map(abs, [-1, -2, -3])))

    assert client.submit(outer).result(LIMIT) == 6


def test_a_task_sees_no_context_of_the_task_before(client: Any) -> None:
    assert client.gather(client.map(exchange, range(1, 20))) == [0] * 19


def test_an_executor_may_be_one_of_several_and_be_chosen_by_annotation() -> None:
    async def main() -> tuple[str, str]:
        ants = antspy.ThreadPoolExecutor(2, thread_name_prefix="ant")
        async with (
            distributed.Scheduler(
                protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0"
            ) as scheduler,
            distributed.Worker(scheduler.address, host="127.0.0.1", executor={"ants": ants}),
            distributed.Client(scheduler.address, asynchronous=True) as client,
        ):
            with dask.annotate(executor="ants"):
                chosen = client.submit(name, pure=False)
            return await chosen, await client.submit(name, pure=False)

    chosen, default = asyncio.run(main())
    assert chosen.startswith("ant_")
    assert "Dask-Default-Threads" in default


def test_a_worker_in_a_process_of_its_own() -> None:
    with distributed.LocalCluster(
        n_workers=0,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    ) as cluster:
        worker = Program(
            f"""
            import asyncio, antspy, distributed
            async def main():
                executor = antspy.ThreadPoolExecutor(4, thread_name_prefix="ant")
                async with distributed.Worker({cluster.scheduler_address!r}, nthreads=4, host="127.0.0.1",
                                              executor=executor) as worker:
                    await worker.finished()
                assert executor.running == 0
            asyncio.run(main())
            """
        )
        with distributed.Client(cluster) as client:
            client.wait_for_workers(1, timeout=LIMIT)
            assert client.gather(client.map(pow, range(30), [3] * 30)) == [number**3 for number in range(30)]
            # A lambda: the module of this test is not known there.
            name = client.submit(lambda: __import__("threading").current_thread().name).result(LIMIT)
            assert name.startswith("ant_")
            client.retire_workers(list(client.scheduler_info()["workers"]))  # and they end
        code, _, err = worker.end()
        assert code == 0, err

"""A pool on a cluster under load: its capacity is a limit; order, accounts and memory are exact."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support import LIMIT, Thread, assert_settled, eventually, library

distributed = library("distributed")

import cluster_jobs  # noqa: E402  # these need distributed
from antspy.dask import ClusterPool  # noqa: E402
from cluster_jobs import interval_overlap, work  # noqa: E402


def in_memory(dask_scheduler: Any) -> int:
    return len(dask_scheduler.tasks)


@pytest.fixture
def client(dask_client: Any) -> Iterator[Any]:
    yield dask_client
    eventually(lambda: not dask_client.futures and dask_client.run_on_scheduler(in_memory) == 0)


@pytest.mark.parametrize("capacity", [1, 3])
def test_no_more_than_capacity_run_at_once(client: Any, capacity: int) -> None:
    with ClusterPool(client, capacity, queue_size=5) as pool:
        spans = list(pool.map(work, range(60), [0.005] * 60))
    assert [number for number, _, _ in spans] == list(range(60))
    assert interval_overlap(spans) <= capacity


def test_nor_on_the_cluster_as_its_scheduler_sees_it(client: Any) -> None:
    seen = []
    with ClusterPool(client, 4, queue_size=None) as pool:
        futures = [pool.submit(work, number, 0.02) for number in range(80)]
        while not all(future.done() for future in futures):
            seen.append(client.run_on_scheduler(in_memory))
    # What has ended is still there until the scheduler hears that nobody wants it any more.
    assert 1 <= max(seen) <= 8


def test_a_subpool_has_a_part_of_it(client: Any) -> None:
    with ClusterPool(client, 8) as pool:
        polite = pool.subpool(2)
        assert interval_overlap(list(polite.map(work, range(30), [0.005] * 30))) <= 2


def test_tune_up_and_down_under_load(client: Any) -> None:
    with ClusterPool(client, 8, queue_size=None) as pool:
        wide = [pool.submit(work, number, 0.02) for number in range(120)]
        eventually(lambda: sum(future.done() for future in wide) > 20)
        pool.tune(2)
        eventually(lambda: pool.running <= 2)
        start = time.monotonic()
        narrow = [pool.submit(work, number, 0.02) for number in range(30)]
        eventually(lambda: sum(future.done() for future in narrow) > 10)
        until = time.monotonic()
        pool.tune(16)
        spans = [future.result(LIMIT) for future in [*wide, *narrow]]
        assert_settled(pool)
        assert pool.stats().completed == 150
    while_two = [span for span in spans if span[1] >= start and span[2] <= until]
    assert len(while_two) > 5
    assert interval_overlap(while_two) <= 2


def test_map_looks_ahead_no_further_than_its_places(client: Any) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with ClusterPool(client, 3, queue_size=2) as pool:
        results = pool.map(abs, items())
        assert len(taken) == 5
        for number, result in enumerate(results):
            assert result == number
            assert len(taken) <= number + 1 + 5


def test_the_first_failure_of_a_group_cancels_what_has_not_started(client: Any, tmp_path: Any) -> None:
    book = tmp_path / "book"
    book.touch()
    with ClusterPool(client, 1, queue_size=None) as pool:
        group = pool.group()
        later = []

        def fill() -> None:
            with group:
                group.submit(cluster_jobs.fail, 1)
                for number in range(50):
                    later.append(group.submit(cluster_jobs.write_down, number, str(book)))

        with pytest.raises(ExceptionGroup) as info:
            fill()
        assert [error.args for error in info.value.exceptions] == [(1,)]
        ran = [future for future in later if not future.cancelled()]
        assert len(book.read_text().splitlines()) == len(ran) < 50


def test_coroutines_share_the_places_and_the_loop_goes_on(client: Any) -> None:
    async def main() -> list[tuple[int, float, float]]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        async with ClusterPool(client, 4) as pool:
            ticker = asyncio.create_task(tick())
            spans = await asyncio.gather(*(pool.arun(work, number, 0.01) for number in range(60)))
            ticker.cancel()
        assert ticks > 20
        return spans

    spans = asyncio.run(main())
    assert [number for number, _, _ in spans] == list(range(60))
    assert interval_overlap(spans) <= 4


def test_a_cancelled_await_cancels_a_task_that_has_not_started(client: Any, tmp_path: Any) -> None:
    book = tmp_path / "book"
    book.touch()

    async def main() -> None:
        async with ClusterPool(client, 1, queue_size=4) as pool:
            first = pool.arun(work, 1, 0.2)
            second = pool.arun(cluster_jobs.write_down, 2, str(book))
            second.cancel()
            assert (await first)[0] == 1

    asyncio.run(main())
    assert book.read_text() == ""


def test_many_threads_submit_and_each_gets_its_own_result(client: Any) -> None:
    def submit_some(pool: ClusterPool, base: int) -> None:
        for number in range(base, base + 25):
            assert pool.submit(abs, -number).result(LIMIT) == number

    with ClusterPool(client, 8) as pool:
        for thread in [Thread(submit_some, pool, base) for base in range(0, 200, 25)]:
            thread.result()
        assert pool.stats().completed == 200


def test_results_do_not_stay_on_the_cluster_while_their_futures_do(client: Any) -> None:
    with ClusterPool(client, 8) as pool:
        futures = [pool.submit(bytes, 100_000) for _ in range(40)]
        assert all(len(future.result()) == 100_000 for future in futures)
        eventually(lambda: client.run_on_scheduler(in_memory) == 0)


def test_a_pool_of_a_thousand_places_runs_as_many_calls_as_the_cluster_can(client: Any) -> None:
    with ClusterPool(client, 1_000) as pool:
        spans = list(pool.map(work, range(96), [0.4] * 96))
    assert 16 < interval_overlap(spans) <= 32  # the cluster's threads


def test_the_pool_scales_its_cluster_if_it_is_told_to() -> None:
    with (
        distributed.LocalCluster(
            n_workers=0, threads_per_worker=2, processes=False, protocol="tcp", host="127.0.0.1",
            dashboard_address=None, scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        ClusterPool(client, 4, calls_per_worker=4) as pool,
    ):  # fmt: skip
        assert pool.submit(abs, -1).result(LIMIT) == 1  # there was no worker before
        pool.tune(9)
        eventually(lambda: len(client.scheduler_info()["workers"]) == 3)
        pool.tune(4)
        eventually(lambda: len(client.scheduler_info()["workers"]) == 1)
        with pytest.raises(ValueError, match="capacity must be a number with calls_per_worker, not None"):
            pool.tune(None)
        assert pool.capacity == 4


def test_a_client_without_a_cluster_scales_none(client: Any) -> None:
    address = client.scheduler.address
    with (
        distributed.Client(address, set_as_default=False) as other,
        pytest.raises(ValueError, match="calls_per_worker needs a client of a cluster that can be scaled"),
    ):
        ClusterPool(other, 4, calls_per_worker=2)


def test_a_release_waits_for_what_was_accepted_and_reboot_opens_again(client: Any) -> None:
    pool = ClusterPool(client, 2, queue_size=None)
    futures = [pool.submit(work, number, 0.01) for number in range(20)]
    pool.release(LIMIT)
    assert all(future.done() for future in futures)
    assert pool.running == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ClusterPool")]
    pool.reboot()
    assert pool.submit(abs, -2).result(LIMIT) == 2
    pool.release(LIMIT)

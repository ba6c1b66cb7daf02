"""A worker, the scheduler, the client or this process is lost: no task is lost silently, and nobody hangs."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import LIMIT, Program, Thread, assert_settled, eventually, library, run_program

distributed = library("distributed")

import cluster_jobs  # noqa: E402  # these need distributed
from antspy.dask import ClusterError, ClusterPool  # noqa: E402
from antspy.dask.carrier import Parcel  # noqa: E402

TESTS = Path(cluster_jobs.__file__).parent
LOCAL = (
    "host='127.0.0.1', dashboard_address=None, scheduler_kwargs={'dashboard_address': '127.0.0.1:0'}, "
    "n_workers=1, threads_per_worker=4"
)
"""A cluster for a program of its own."""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    book = tmp_path / "book"
    book.touch()
    return book


def runs(book: Path) -> Counter[int]:
    return Counter(map(int, book.read_text().splitlines()))


@pytest.mark.timeout(120)
def test_a_worker_that_is_killed_amid_10000_tasks_loses_none(dask_client: Any, book: Path) -> None:
    victim = next(iter(dask_client.run(os.getpid).values()))
    results = []
    with ClusterPool(dask_client, 64) as pool:
        for number, result in enumerate(
            pool.map(cluster_jobs.write_down, range(10_000), [str(book)] * 10_000)
        ):
            results.append(result)
            if number == 3_000:
                os.kill(victim, signal.SIGKILL)
        assert results == list(range(10_000))
        assert_settled(pool)
        stats = pool.stats()
    assert (stats.submitted, stats.completed, stats.failed, stats.cancelled) == (10_000, 10_000, 0, 0)
    assert victim not in dask_client.run(os.getpid).values()
    ran = runs(book)
    assert sorted(ran) == list(range(10_000))
    # How many is for Dask to say: what ran, and what had run and was not fetched yet.
    print(f"{sum(ran.values()) - 10_000} runs more than tasks")
    dask_client.wait_for_workers(2, LIMIT)  # as it was


def test_a_task_that_kills_its_workers_fails_alone(book: Path) -> None:
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        ClusterPool(client, 1) as pool,
    ):  # fmt: skip
        # By default Dask gives up after four workers: `distributed.scheduler.allowed-failures`.
        client.run_on_scheduler(cluster_jobs.allow_no_failures)
        error = pool.submit(cluster_jobs.die, str(book)).exception(LIMIT)
        assert isinstance(error, distributed.KilledWorker)
        assert pool.submit(abs, -1).result(LIMIT) == 1
    assert sum(runs(book).values()) == 1


class Remote:
    """A scheduler and a worker, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        file = folder / "scheduler.json"
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed by `end`
        common = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
        self.scheduler = self._start("scheduler", "--port", "0", *common)
        eventually(file.exists)
        self.worker = self._start("worker", "--no-nanny", "--nthreads", "4", *common)
        self.client = distributed.Client(scheduler_file=str(file), timeout=2, set_as_default=False)
        self.client.wait_for_workers(1, LIMIT)

    def _start(self, what: str, *options: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *options]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        return subprocess.Popen(command, stdout=self._log, stderr=self._log, env=environment)

    def end(self) -> None:
        try:
            self.client.close()
        finally:
            for process in (self.worker, self.scheduler):
                process.kill()
                process.wait()
            self._log.close()


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    remote = Remote(tmp_path)
    yield remote
    remote.end()


def test_a_scheduler_that_is_killed_leaves_no_future_without_an_outcome(remote: Remote, book: Path) -> None:
    pool = ClusterPool(remote.client, 4, queue_size=None)
    done = pool.submit(abs, -1)
    assert done.result(LIMIT) == 1
    futures = [pool.submit(cluster_jobs.hold, str(book)) for _ in range(20)]
    eventually(lambda: len(book.read_text().splitlines()) == 4)
    blocked = Thread(ClusterPool(remote.client, 1).map(cluster_jobs.hold, [str(book)] * 2).__next__)
    remote.scheduler.kill()
    for future in futures:
        error = future.exception(LIMIT)
        assert isinstance(error, ClusterError), error
    with pytest.raises(ClusterError):
        blocked.result()
    assert "lost the connection to the scheduler" in str(futures[0].exception())
    # The client looks for it again, and is closed then; whoever comes before or after that is told, too.
    assert isinstance(pool.submit(abs, -1).exception(LIMIT), ClusterError)
    assert_settled(pool)
    assert (pool.stats().completed, pool.stats().failed) == (1, 21)
    pool.release(LIMIT)
    book.with_name("open").touch()


def test_a_scheduler_that_is_restarted_under_the_pool(remote: Remote, book: Path) -> None:
    with ClusterPool(remote.client, 4) as pool:
        future = pool.submit(cluster_jobs.hold, str(book))
        eventually(book.read_text)
        restarting = Thread(remote.client.restart, wait_for_workers=False)
        assert isinstance(future.exception(LIMIT), ClusterError)
        book.with_name("open").touch()
        restarting.result()


def test_a_client_that_is_closed_ends_every_wait(dask_client: Any, book: Path) -> None:
    client = distributed.Client(dask_client.scheduler.address, set_as_default=False)
    pool = ClusterPool(client, 4, queue_size=None)
    futures = [pool.submit(cluster_jobs.hold, str(book)) for _ in range(12)]
    eventually(lambda: len(book.read_text().splitlines()) == 4)
    client.close()
    start = time.monotonic()
    assert {type(future.exception(LIMIT)) for future in futures} == {ClusterError}
    assert time.monotonic() - start < 5
    pool.release(LIMIT)
    book.with_name("open").touch()


def test_an_event_loop_that_has_just_ended_is_told_as_what_it_is(
    dask_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = dask_client.loop
    call = loop.add_callback

    def refuse(callback: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(getattr(callback, "__self__", None), Parcel):
            raise RuntimeError("Event loop is closed")
        call(callback, *args, **kwargs)

    monkeypatch.setattr(loop, "add_callback", refuse)
    with ClusterPool(dask_client, 1) as pool:
        error = pool.submit(abs, -1).exception(LIMIT)
    assert isinstance(error, ClusterError)
    assert str(error) == "the client's event loop has ended: Event loop is closed"


def test_a_result_that_cannot_be_released_has_arrived(
    dask_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = distributed.Future.release
    failed = threading.Event()

    def fail_once(future: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("the client is gone")
        release(future)

    with ClusterPool(dask_client, 1) as pool:
        monkeypatch.setattr(distributed.Future, "release", fail_once)
        assert pool.submit(abs, -1).result(LIMIT) == 1
        assert failed.is_set()


def test_who_cancels_on_the_cluster_is_not_taken_for_the_task_s_own_cancel(
    dask_client: Any, book: Path
) -> None:
    with ClusterPool(dask_client, 1) as pool:
        future = pool.submit(cluster_jobs.hold, str(book))
        eventually(book.read_text)
        dask_client.sync(cancel_all, dask_client)
        assert isinstance(future.exception(LIMIT), ClusterError)
        assert not future.cancelled()
        book.with_name("open").touch()


async def cancel_all(client: Any) -> None:
    await client.cancel([distributed.Future(key, client) for key in client.futures])


def test_ctrl_c_ends_the_wait_at_once_and_loses_nothing(book: Path) -> None:
    program = Program(
        f"""
        import sys; sys.path.insert(0, {str(TESTS)!r})
        import time
        import cluster_jobs
        from antspy.dask import ClusterPool
        from distributed import Client, LocalCluster
        if __name__ == "__main__":
            with LocalCluster({LOCAL}) as cluster, Client(cluster) as client:
                with ClusterPool(client, 2) as pool:
                    pool.submit(abs, -1).result()
                    future = pool.submit(cluster_jobs.hold, {str(book)!r})
                    print("waits", flush=True)
                    try:
                        future.result()
                    except KeyboardInterrupt:
                        print("interrupted", flush=True)
                    open({str(book.with_name("open"))!r}, "w").close()
                    print(future.result(), pool.stats().completed)
        """
    )
    program.wait_line("waits")
    eventually(book.read_text)
    program.interrupt()
    program.wait_line("interrupted")
    code, out, _ = program.end()
    assert (code, out) == (0, "None 2\n")


@pytest.mark.parametrize("daemon", [False, True])
def test_the_end_of_the_program_waits_for_what_was_accepted_unless_it_is_a_daemon(
    daemon: bool, book: Path
) -> None:
    call = (
        f"cluster_jobs.hold, {str(book)!r}" if daemon else f"cluster_jobs.write_down_slowly, 7, {str(book)!r}"
    )
    program = Program(
        f"""
        import sys; sys.path.insert(0, {str(TESTS)!r})
        import os
        import cluster_jobs
        from antspy.dask import ClusterPool
        from distributed import Client, LocalCluster
        if __name__ == "__main__":
            client = Client(LocalCluster({LOCAL}))
            pool = ClusterPool(client, 4, queue_size=None, daemon={daemon})
            pool.submit(abs, -1).result()
            for number in range(20):
                pool.go({call})
            while not os.path.getsize({str(book)!r}):
                pass
        """
    )
    start = time.monotonic()
    code, _, err = program.end()
    assert code == 0, err
    assert time.monotonic() - start < LIMIT
    if daemon:
        assert len(book.read_text().splitlines()) <= 4
    else:
        assert book.read_text() == "7\n" * 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_is_told_that_the_client_is_its_parents() -> None:
    out = run_program(
        f"""
        import os, sys, warnings
        warnings.simplefilter("ignore")
        from antspy.dask import ClusterPool
        from distributed import Client, LocalCluster
        with LocalCluster({LOCAL}, processes=False, protocol='tcp') as cluster, Client(cluster) as client:
            with ClusterPool(client, 2) as pool:
                pool.submit(abs, -1).result()
                child = os.fork()
                if child == 0:
                    print(type(pool.submit(abs, -1).exception(10)).__name__, flush=True)
                    os._exit(0)
                os.waitpid(child, 0)
                print(pool.submit(abs, -2).result())
        """
    )
    assert out == "ClusterError\n2\n"

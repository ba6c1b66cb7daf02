"""Fixtures for all tests, and one rule: a test leaves no thread behind."""

import gc
from collections.abc import Iterator
from typing import Any

import antspy
import pytest
from support import LIMIT, Gate, eventually, library, threads

ALONE = {"gate", "gates", "threads", "signal", "setswitchinterval", "disabled"}
"""Who has one of these fixtures, or uses one of these names, is alone in the process."""

ALONE_FILES = {
    *("test_adaptive", "test_ants", "test_arun", "test_coverage", "test_ctrl_c_in_the_midst"),
    *(
        "test_debugger",
        "test_default",
        "test_exception_handler",
        "test_fork",
        "test_loop_memory",
        "test_progress",
        "test_references",
    ),
    *(
        "test_stacks",
        "test_switch_interval",
        "test_task_interrupt",
        "test_tracing",
        "test_unseen",
        "test_watch_page",
        "test_watch_web",
        "test_worker_signals",
    ),
}
"""So are these: they count objects or lines, catch what is logged, or use what a process has one of."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tell pytest-run-parallel, which runs a test in several threads at once, where that cannot be."""
    code = getattr(getattr(item, "function", None), "__code__", None)
    names = {*getattr(item, "fixturenames", ()), *getattr(code, "co_names", ())}
    if item.path.stem in ALONE_FILES:
        names.add("file")
    if reasons := (ALONE | {"file"}) & names:
        item.add_marker(pytest.mark.thread_unsafe(reason=", ".join(sorted(reasons))))


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    if antspy.running():
        antspy.release(timeout=20)
    antspy.reboot()
    if threads() > before:
        gc.collect()
    eventually(lambda: threads() <= before)


@pytest.fixture
def gate(no_thread_is_left: None) -> Iterator[Gate]:
    """A gate that is opened in the end, whatever comes of the test."""
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def gates(no_thread_is_left: None) -> Iterator[list[Gate]]:
    """Four gates, opened in the end whatever comes of the test."""
    gates = [Gate() for _ in range(4)]
    yield gates
    for gate in gates:
        gate.open()


@pytest.fixture(scope="module")
def dask_client() -> Iterator[Any]:
    """A client of a Dask cluster of two processes, started once: for tests that leave it as it was.

    Not of the session: other tests count threads that a client may start at any time.
    """
    distributed = library("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=16,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        # The threads that distributed starts when it first needs them are not a test's.
        client.gather(client.map(abs, range(100), pure=False))
        distributed.utils._offload_executor.submit(int).result(LIMIT)
        yield client

"""A plugin of pytest: `ClusterPool` stands in for `Pool` in the pool's own tests.

    pytest -p on_cluster tests/test_pool.py ...

See `switchboard.py` for how what a test hands in can be local to it, and `differences.py` for what does not
hold.
"""

from typing import Any

import antspy
import antspy.dask.cluster_pool
import pytest
import support
from antspy.dask import ClusterPool
from differences import DIFFERENCES
from distributed import Client, LocalCluster
from switchboard import ReturnCarrier, Switchboard

WORKERS, THREADS = 2, 64
"""The cluster: so many processes, and so many calls at once in each."""
PART = 50
"""Tests that need many tasks run this part of them: each takes some 10 ms to go there and back."""

_client: Client


class Pool(ClusterPool):
    """A `ClusterPool` with the constructor of `Pool`."""

    def __init__(self, capacity: Any, **settings: Any) -> None:
        super().__init__(_client, capacity, **settings)


def pytest_configure(config: pytest.Config) -> None:
    global _client
    support.part = PART
    cluster = LocalCluster(
        n_workers=WORKERS,
        threads_per_worker=THREADS,
        host="127.0.0.1",
        dashboard_address=None,
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
    )
    config.add_cleanup(cluster.close)
    _client = Client(cluster)
    config.add_cleanup(_client.close)
    ReturnCarrier.switchboard = Switchboard()
    config.add_cleanup(ReturnCarrier.switchboard.shutdown)
    vars(antspy.dask.cluster_pool)["Carrier"] = ReturnCarrier
    antspy.Pool = Pool  # type: ignore[misc]
    _client.submit(int, pure=False).result()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = f"{item.path.stem}::{getattr(item, 'originalname', item.name)}"
        reason = DIFFERENCES.get(name) or DIFFERENCES.get(f"{item.path.stem}::{item.name}")
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"{ReturnCarrier.switchboard.served} calls came back from the cluster")

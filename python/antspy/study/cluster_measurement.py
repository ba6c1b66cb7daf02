"""Runs one configuration through a `ClusterPool` and measures it: `python -m antspy.study.cluster_measurement
CONFIGURATION`.

As measurement.py does it; the cluster is up before the clock starts, and its workers have as many threads as
the configuration may have jobs at once, on antspy's executor.
"""

from __future__ import annotations

import os
import sys

import distributed

from antspy.dask import ClusterPool, ExecutorPlugin
from antspy.study.cluster_work import ClusterWork
from antspy.study.configuration import HOST, Configuration
from antspy.study.measurement import Measurement, run_measurement
from antspy.study.options import Variant
from antspy.study.result import peak_rss_mb
from antspy.study.variant import Pool, size

MOST_THREADS = 500
"""Of all workers together. Dask hands out far fewer jobs in the time that one takes, and thousands of threads
in a worker hold up its event loop."""

SWITCH_INTERVAL = 0.005
"""Seconds: CPython's own. The event loops of the client and of the workers would wait for a longer one."""


class ClusterMeasurement(Measurement):
    """One configuration while it runs on a cluster of this machine."""

    def __init__(self, configuration: Configuration, output: int) -> None:
        sys.setswitchinterval(SWITCH_INTERVAL)
        workers = os.cpu_count() or 1
        threads = -(-min(configuration.most_at_once, MOST_THREADS) // workers)
        self.cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            host=HOST,
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": f"{HOST}:0"},
        )
        self.dask = distributed.Client(self.cluster)
        self.dask.register_plugin(ExecutorPlugin())
        super().__init__(configuration, output)
        self.client = f"Dask distributed {distributed.__version__}, {workers} workers on this machine"
        self.work = ClusterWork(configuration, [])

    def open_pool(self) -> Pool:
        configuration = self.configuration
        return ClusterPool(
            self.dask, size(configuration.capacity), prealloc=configuration.variant is Variant.PREALLOC
        )

    def peak_rss_mb(self) -> float:
        workers: dict[str, float] = self.dask.run(peak_rss_mb)
        return round(peak_rss_mb() + sum(workers.values()), 1)

    def close(self) -> None:
        super().close()
        self.dask.close()
        self.cluster.close()


if __name__ == "__main__":
    run_measurement(ClusterMeasurement)

"""Workers of a cluster whose tasks run on our executor."""

from typing import Any

import distributed

from antspy.thread_pool_executor import ThreadPoolExecutor


class ExecutorPlugin(distributed.WorkerPlugin):  # type: ignore[misc]  # is looked at without its types
    """A plugin of Dask: workers that have it run their tasks on an `antspy.ThreadPoolExecutor`.

    It has as many threads as the worker; they are started for work and, with `expiry`, leave without. Tasks
    that run when it comes end on Dask's own executor. `distributed.secede()`, and `worker_client()` without
    `separate_thread=False`, need Dask's own.

    Args:
        settings: Of `antspy.ThreadPoolExecutor`, as `expiry` in seconds.

    >>> import threading
    >>> from antspy.dask import ExecutorPlugin
    >>> from distributed import Client, LocalCluster
    >>> with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
    ...     with Client(cluster) as client:
    ...         _ = client.register_plugin(ExecutorPlugin(thread_name_prefix="ant"))
    ...         client.submit(lambda: threading.current_thread().name).result()
    'ant_0'
    """

    name = "antspy-executor"

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(self, worker: Any) -> None:
        """Give the worker its executor: Dask does, in the worker's process."""
        executor = ThreadPoolExecutor(worker.state.nthreads, **self._settings)
        before = worker.executors["default"]
        worker.executors["default"] = executor  # the worker shuts it down at its end
        before.shutdown(wait=False)

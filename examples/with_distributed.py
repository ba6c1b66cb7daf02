"""Dask distributed: a worker whose tasks run on an antspy executor."""

import threading

import antspy
from distributed import Client, LocalCluster

executor = antspy.ThreadPoolExecutor(4, thread_name_prefix="ant")
with (
    LocalCluster(
        n_workers=1,
        threads_per_worker=4,  # the executor's
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address=None,
        executor=executor,
    ) as cluster,
    Client(cluster) as client,
):
    squares = client.gather(client.map(pow, range(20), [2] * 20))
    name = client.submit(lambda: threading.current_thread().name).result()
print(sum(squares), name)
assert squares == [number * number for number in range(20)]
assert name.startswith("ant_")
assert executor.closed  # the worker has shut it down

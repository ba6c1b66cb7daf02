"""Past one machine: a pool whose tasks run on a Dask cluster, here one of two processes on this machine."""

import os

from antspy.dask import ClusterPool
from distributed import Client, LocalCluster


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def main() -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=4, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
        ClusterPool(client, 8) as pool,  # at most 8 calls are on the cluster at the same time
    ):
        results = list(pool.map(square, range(100)))
        with pool.group() as group:  # all that an `antspy.Pool` has
            first = group.submit(pow, 2, 10)
        stats = pool.stats()
    processes = {process for _, process in results}
    print(sum(result for result, _ in results), len(processes), first.result())
    assert [result for result, _ in results] == [number * number for number in range(100)]
    assert os.getpid() not in processes
    assert first.result() == 1024
    assert stats.completed == 101


if __name__ == "__main__":  # the cluster's processes import this file, too
    main()

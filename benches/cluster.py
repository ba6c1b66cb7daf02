"""What a task through a `ClusterPool` costs, beside the same by Dask's client: `python benches/cluster.py`.

A cluster of two processes on this machine, empty tasks; microseconds of wall time a task, the best of three
rounds by turns. And the memory of a thousand calls in flight.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path

from antspy.dask import ClusterPool
from distributed import Client, LocalCluster

TASKS = 2_000
ROUNDS = 3


def resident() -> float:
    """Megabytes that this process holds."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def one_by_one(client: Client) -> None:
    for number in range(TASKS // 10):
        client.submit(abs, number, pure=False).result()


def pool_one_by_one(client: Client) -> None:
    with ClusterPool(client, 1) as pool:
        for number in range(TASKS // 10):
            pool.submit(abs, number).result()


def all_at_once(client: Client) -> None:
    client.gather([client.submit(abs, number, pure=False) for number in range(TASKS)])


def one_graph(client: Client) -> None:
    client.gather(client.map(abs, range(TASKS), pure=False))


def pool_of(capacity: int) -> Callable[[Client], None]:
    def run(client: Client) -> None:
        with ClusterPool(client, capacity) as pool:
            for _ in pool.map(abs, range(TASKS)):
                pass

    return run


WORKS: dict[str, tuple[Callable[[Client], None], int]] = {
    "client.submit, result, again": (one_by_one, TASKS // 10),
    "ClusterPool(1).submit, result, again": (pool_one_by_one, TASKS // 10),
    "client.submit of all, gather": (all_at_once, TASKS),
    "client.map, gather": (one_graph, TASKS),
    "ClusterPool(8).map": (pool_of(8), TASKS),
    "ClusterPool(64).map": (pool_of(64), TASKS),
    "ClusterPool(1000).map": (pool_of(1_000), TASKS),
}


def main() -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=4, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        one_graph(client)
        with ClusterPool(client, 1_000) as pool:
            before = resident()
            futures = [pool.submit(time.sleep, 1) for _ in range(1_000)]
            while pool.busy < 990:
                time.sleep(0.01)
            print(f"1,000 calls in flight: {(resident() - before) * 1024 / 1_000:.0f} kB each")
            for future in futures:
                future.interrupt()  # which takes it off the cluster
        best = dict.fromkeys(WORKS, float("inf"))
        for _ in range(ROUNDS):
            for name, (work, tasks) in WORKS.items():
                start = time.perf_counter()
                work(client)
                best[name] = min(best[name], (time.perf_counter() - start) / tasks)
        for name, seconds in best.items():
            print(f"{name:40} {seconds * 1e6:8,.0f} us")


if __name__ == "__main__":
    main()

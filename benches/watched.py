"""What `antspy.serve_stats` costs: empty tasks while this process serves, beside the same while it does not.

    python benches/watched.py

In turns, in one process. `served`: nobody asks. `watched`: another process asks once a second, as
`antspy top` does; a turn lasts longer there, so that somebody asks in each.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median

from antspy import Pool, serve_stats

ASK = """
import sys, time
from antspy.watch.client import Client, WatchError

while True:
    try:
        Client(sys.argv[1]).ask()
    except WatchError:
        pass
    time.sleep(1.0)
"""


def nop(_: object = None) -> None:
    """Do nothing."""


def by_go(pool: Pool) -> None:
    for _ in range(1000):
        pool.go(nop)
    pool.wait()


def by_submit(pool: Pool) -> None:
    for future in [pool.submit(nop) for _ in range(1000)]:
        future.result()


def by_map(pool: Pool) -> None:
    for _ in pool.map(nop, range(1000)):
        pass


def turn(work: Callable[[Pool], None], pool: Pool, seconds: float) -> float:
    """Return the nanoseconds of a task: the mean of so many seconds."""
    begin = time.perf_counter()
    rounds = 0
    while (passed := time.perf_counter() - begin) < seconds:
        work(pool)
        rounds += 1
    return passed / rounds * 1e6


def compare(
    mode: str, work: Callable[[Pool], None], pool: Pool, path: str, turns: int, seconds: float
) -> None:
    ratios = []
    for _ in range(turns):
        alone = turn(work, pool, seconds)
        with serve_stats(path):
            ratios.append(turn(work, pool, seconds) / alone)
    ratios.sort()
    print(
        f"{work.__name__}, {mode}: median of the ratios {median(ratios):.3f}, half of them from "
        f"{ratios[turns // 4]:.3f} to {ratios[-1 - turns // 4]:.3f}",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Pool(1000) as pool:
        path = f"{folder}/stats"
        for work in (by_go, by_submit, by_map):
            turn(work, pool, 1.0)
            compare("served", work, pool, path, turns=150, seconds=0.05)
        with subprocess.Popen([sys.executable, "-c", ASK, path]) as asking:
            try:
                for work in (by_go, by_submit, by_map):
                    compare("watched", work, pool, path, turns=11, seconds=2.0)
            finally:
                asking.kill()


if __name__ == "__main__":
    main()

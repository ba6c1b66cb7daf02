"""What `antspy.serve_stats` costs: tasks of a process that serves beside those of one that does not.

    python benches/watched.py

In turns, each a process of its own, for once watched a process stays so. `served`: nobody asks. `watched`:
this process asks once a second, as `antspy top` does.
"""

import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from statistics import median

from antspy.watch.client import Client, WatchError

ROUNDS = 15
MODES = ("alone", "served", "watched")

CHILD = """
import sys, time
from antspy import Pool, serve_stats

if sys.argv[1] != "alone":
    server = serve_stats(sys.argv[2])
print("serves", flush=True)
sys.stdin.readline()


def nop(_=None):
    pass


def by_go(pool):
    for _ in range(1000):
        pool.go(nop)
    pool.wait()


def by_submit(pool):
    for future in [pool.submit(nop) for _ in range(1000)]:
        future.result()


def by_map(pool):
    for _ in pool.map(nop, range(1000)):
        pass


with Pool(1000) as pool:
    for work in by_go, by_submit, by_map:
        times = []
        end = time.perf_counter() + 1.5
        while time.perf_counter() < end:
            begin = time.perf_counter()
            work(pool)
            times.append(time.perf_counter() - begin)
        times.sort()
        print(work.__name__, times[len(times) // 4] * 1e6)  # of 1,000 tasks: nanoseconds each
"""


def measure(mode: str, path: str) -> dict[str, float]:
    """Return the nanoseconds of a task of each kind: the lower quartile of many times a thousand."""
    command = [sys.executable, "-c", CHILD, mode, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        over = threading.Event()
        if mode == "watched":
            threading.Thread(target=watch, args=(path, over)).start()
        child.stdin.write("\n")
        child.stdin.flush()
        lines = child.stdout.read().splitlines()
        over.set()
    return {name: float(nanos) for name, nanos in map(str.split, lines)}


def watch(path: str, over: threading.Event) -> None:
    client = Client(path)
    while not over.wait(1.0):
        try:
            client.ask()
        except WatchError:
            return  # it has ended


def main() -> None:
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            alone, served, watched = (measure(mode, f"{folder}/stats") for mode in MODES)
            for name, nanos in alone.items():
                ratios[name, "served"].append(served[name] / nanos)
                ratios[name, "watched"].append(watched[name] / nanos)
    for (name, mode), values in ratios.items():
        values.sort()
        print(
            f"{name}, {mode}: median of the ratios {median(values):.3f}, half of them from "
            f"{values[len(values) // 4]:.3f} to {values[-1 - len(values) // 4]:.3f}"
        )


if __name__ == "__main__":
    main()

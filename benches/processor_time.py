"""The processor time that a pool takes while it has nothing or little to do: what its spinning costs.

    python benches/processor_time.py [--seconds 3]

Each figure is of a process of its own, in which one thread submits so many tasks a second to 8 workers, and
waits for each result; the time is that of all its threads, beyond that of the same loop without a pool.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

from antspy import Pool

POOLS: dict[str, Callable[[int], Executor] | None] = {
    "no pool": None,
    "antspy": Pool,
    "ThreadPoolExecutor": ThreadPoolExecutor,
}
RATES = (0, 10, 100, 1_000, 5_000)
"""Tasks a second."""
TASKS = {"empty": 0.0, "1 ms": 0.001}
"""How long a task sleeps, in seconds."""
WORKERS = 8


def spent(pool: Executor | None, rate: int, sleep: float, seconds: float) -> float:
    """Processor seconds of each second."""

    def task() -> None:
        if sleep:
            time.sleep(sleep)

    def run() -> None:
        if pool:
            pool.submit(task).result()
        else:
            task()

    if pool:
        for future in [pool.submit(time.sleep, 0.01) for _ in range(WORKERS)]:
            future.result()
    start, before = time.perf_counter(), time.process_time()
    if rate:
        for number in range(int(rate * seconds)):
            run()
            time.sleep(max(0.0, start + (number + 1) / rate - time.perf_counter()))
    else:
        time.sleep(seconds)
    return (time.process_time() - before) / (time.perf_counter() - start)


def row(name: str, rate: int, sleep: float, seconds: float) -> float:
    """One figure, measured in this process."""
    make = POOLS[name]
    if make is None:
        return spent(None, rate, sleep, seconds)
    with make(WORKERS) as pool:
        return spent(pool, rate, sleep, seconds)


def measured(name: str, rate: int, sleep: float, seconds: float) -> float:
    command = [sys.executable, __file__, "--seconds", str(seconds), "--row", name, str(rate), str(sleep)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--row", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        name, rate, sleep = options.row
        print(row(name, int(rate), float(sleep), options.seconds))
        return
    print("Milliseconds of a processor in each second, beyond the loop itself:\n")
    print("| task | a second | antspy | ThreadPoolExecutor |\n|---|---|---|---|")
    for task, sleep in TASKS.items():
        for rate in RATES:
            if rate * sleep > 0.5 or (sleep and not rate):
                continue
            base, *figures = [measured(name, rate, sleep, options.seconds) for name in POOLS]
            cells = [f"{max(0.0, figure - base) * 1e3:.1f}" for figure in figures]
            print(f"| {task} | {rate:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()

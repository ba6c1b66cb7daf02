"""A capacity that finds itself, beside capacities that stay: `python benches/adaptive.py [--quick]`.

Four loads, each run with several fixed capacities, then with `antspy.Adaptive`, then with the fixed ones once
more; each run in a process of its own. It prints a table, and writes `adaptive.json` and `adaptive.png`. All
calls go to 127.0.0.1.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import antspy
from antspy.study.child import Child, python
from antspy.study.client import connection_per_worker, make_connector
from antspy.study.configuration import HOST, SWITCH_INTERVAL
from antspy.study.lifeline import follow_parent
from antspy.study.limits import raise_open_files
from antspy.study.message import say
from antspy.study.options import Client

INTERVAL = 0.05
"""Seconds from one look at the pool to the next."""

WITHIN = 5.0
"""Seconds in which a capacity is to be found."""

SETTLED = 0.8
"""Seconds that a fixed capacity is given before it is measured."""

STANDSTILL = 0.5
"""Seconds without a look at the pool: other programs have had the machine."""

STUDY_DELAY = 0.1
SERVER = (0.05, 64)
CHANGING = (0.05, 256, 0.1, 64)


@dataclass(frozen=True)
class Load:
    name: str
    title: str
    fixed: tuple[int, ...]
    minimum: int = 2
    maximum: int = 2000
    server: tuple[float, ...] = ()
    """The arguments of the server; none: there is no server, or the study's."""
    phases: int = 1
    """How often it changes, and one."""


LOADS = (
    Load("study", "the study's server: 100 ms", (100, 500, 1000, 1500, 2000)),
    Load("limit", "a server that gets slower beyond 64 calls", (16, 32, 64, 96, 128), server=SERVER),
    Load("work", "Python that only computes", (1, 2, 4, 16, 64), minimum=1),
    Load("change", "a server that changes", (32, 64, 128, 256), server=CHANGING, phases=3),
)


@dataclass
class Run:
    """What a pool did: at these times, its capacity and how many tasks had ended."""

    times: list[float] = field(default_factory=list)
    capacities: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def throughput(self, start: float, end: float) -> float:
        """Tasks a second, between the looks nearest to these times."""
        looks = len(self.times)
        first = min(range(looks - 1), key=lambda number: abs(self.times[number] - start))
        last = min(range(first + 1, looks), key=lambda number: abs(self.times[number] - end))
        return (self.ended[last] - self.ended[first]) / (self.times[last] - self.times[first])


# One run, in its own process.


def job(load: Load, port: int) -> Callable[[], object]:
    if load.name == "work":
        return compute
    if load.name == "study":
        sys.setswitchinterval(SWITCH_INTERVAL)  # as in the study
        fetch = connection_per_worker(make_connector(Client.HTTPTOOLS, HOST, port, STUDY_DELAY))
        return lambda: fetch(0)
    local = threading.local()

    def call() -> None:
        try:
            stream = local.stream
        except AttributeError:
            stream = local.stream = socket.create_connection((HOST, port))
        stream.sendall(b".")
        stream.recv(1)

    return call


def compute() -> int:
    """About a millisecond of bytecode."""
    total = 0
    for number in range(20_000):
        total += number & 7
    return total


def change(port: int) -> None:
    with socket.create_connection((HOST, port)) as stream:
        stream.sendall(b"!")
        stream.recv(1)


def measure(load: Load, capacity: int, phase: int, seconds: float, port: int) -> Run:
    """`capacity` 0: an adaptive one, which goes through all phases; else the load is in that phase."""
    adaptive = antspy.Adaptive(load.minimum, load.maximum)
    pool = antspy.Pool(capacity or adaptive)
    call, run, start = job(load, port), Run(), time.perf_counter()
    over = threading.Event()
    for _ in range(phase):
        change(port)

    def watch() -> None:
        changes = [] if capacity else [seconds * number for number in range(1, load.phases)]
        while (now := time.perf_counter() - start) < seconds * (1 if capacity else load.phases):
            if changes and now >= changes[0]:
                change(port)
                del changes[0]
            run.times.append(round(now, 3))
            run.capacities.append(pool.capacity or 0)
            run.ended.append(pool.stats().completed)
            time.sleep(INTERVAL)
        over.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    while not over.is_set():
        pool.go(call)
    watcher.join()
    pool.release(60)
    return run


# All of them, from the parent.


def measured(load: Load, capacity: int, phase: int, seconds: float, attempts: int = 3) -> Run:
    """A run; once more, if the machine stood still meanwhile."""
    with socket.create_server((HOST, 0), backlog=4096) as listener:
        descriptor, port = listener.fileno(), listener.getsockname()[1]
        with Child(server(load, descriptor), pass_fds=[descriptor]):
            arguments = [load.name, str(capacity), str(phase), str(seconds), str(port)]
            with Child([sys.executable, __file__, "--run", *arguments]) as child:
                run = Run(**next(child.messages(60 + load.phases * seconds)))
    gaps = (later - earlier for earlier, later in pairwise(run.times))
    if attempts > 1 and max(gaps, default=STANDSTILL) >= STANDSTILL:
        return measured(load, capacity, phase, seconds, attempts - 1)
    return run


def server(load: Load, descriptor: int) -> list[str]:
    if load.server:
        slow = str(Path(__file__).parent / "slow_server.py")
        return [sys.executable, slow, str(descriptor), *map(str, load.server)]
    return python("server", str(descriptor), str(STUDY_DELAY))


@dataclass
class Comparison:
    """The fixed capacities and the adaptive one, on one load."""

    load: Load
    seconds: float
    fixed: list[dict[int, float]]
    """For each kind of phase: the throughput of each capacity."""
    adaptive: Run

    def best(self, phase: int) -> tuple[int, float]:
        return max(self.fixed[phase % len(self.fixed)].items(), key=lambda item: item[1])

    def reached(self, phase: int) -> float:
        """After how many seconds of the phase the adaptive pool did 90 percent of the best, in a second."""
        best, begin = self.best(phase)[1], phase * self.seconds
        for start in (begin + step * INTERVAL for step in range(int((self.seconds - 1) / INTERVAL))):
            if self.adaptive.throughput(start, start + 1) >= 0.9 * best:
                return start + 1 - begin
        return float("inf")

    def settled(self, phase: int) -> tuple[float, int, int, int]:
        """After `WITHIN`: the throughput, the capacity's median and its least and greatest."""
        start, end = phase * self.seconds + WITHIN, (phase + 1) * self.seconds
        run = self.adaptive
        inside = sorted(
            capacity for at, capacity in zip(run.times, run.capacities, strict=True) if start <= at < end
        )
        return run.throughput(start, end), inside[len(inside) // 2], inside[0], inside[-1]


def compare(load: Load, quick: bool) -> Comparison:
    seconds, long = (1.5, 8.0) if quick else (2.0, 20.0 if load.phases == 1 else 12.0)

    def sweep() -> list[dict[int, float]]:
        return [
            {one: measured(load, one, phase, seconds).throughput(SETTLED, seconds) for one in load.fixed}
            for phase in range(min(load.phases, 2))
        ]

    before, adaptive, after = sweep(), measured(load, 0, 0, long), sweep()
    fixed = [
        {capacity: (first[capacity] + second[capacity]) / 2 for capacity in first}
        for first, second in zip(before, after, strict=True)
    ]
    return Comparison(load, long, fixed, adaptive)


def table(comparisons: list[Comparison]) -> str:
    lines = [
        "| load | best fixed | its tasks/s | adaptive, after 5 s | of the best | capacity | 90 % after |",
        "|---|---|---|---|---|---|---|",
    ]
    for comparison in comparisons:
        load = comparison.load
        for phase in range(load.phases):
            capacity, best = comparison.best(phase)
            throughput, median, least, greatest = comparison.settled(phase)
            name = load.title + (f", {phase + 1}." if load.phases > 1 else "")
            lines.append(
                f"| {name} | {capacity} | {best:,.0f} | {throughput:,.0f} | {throughput / best:.2f} "
                f"| {median} ({least} to {greatest}) | {comparison.reached(phase):.1f} s |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="A capacity that finds itself, beside capacities that stay.")
    parser.add_argument("--quick", action="store_true", help="shorter runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="a directory")
    parser.add_argument("--run", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("loads", nargs="*", metavar="LOAD", help=", ".join(load.name for load in LOADS))
    options = parser.parse_args()
    by_name = {load.name: load for load in LOADS}
    raise_open_files()
    if options.run:
        follow_parent()
        name, capacity, phase, seconds, port = options.run
        run = measure(by_name[name], int(capacity), int(phase), float(seconds), int(port))
        say(asdict(run), output=1)
        return
    if unknown := set(options.loads) - set(by_name):
        parser.error(f"no such load: {', '.join(sorted(unknown))}")
    comparisons = [compare(load, options.quick) for load in LOADS if load.name in (options.loads or by_name)]
    print(table(comparisons))
    from adaptive_picture import draw

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "adaptive.json").write_text(json.dumps([asdict(it) for it in comparisons], indent=1))
    draw(comparisons, options.out / "adaptive.png")


if __name__ == "__main__":
    main()

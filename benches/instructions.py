"""Count the instructions of the dispatch path with callgrind, and compare them with the baseline.

    python benches/instructions.py [--write]

Unlike times they do not depend on what else the machine does. Two programs are counted, `dispatch.rs` (the
core alone) and `dispatch.py` (the package): what N more tasks of a kind cost, divided by N. The baseline in
`instructions.json` has an entry for each toolchain and machine that it has been written on (`--write`); the
figures of others differ, and are not compared. More than 5 percent above it is a failure.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parent
BASELINE = HERE / "instructions.json"
TOLERANCE = 1.05
LIMIT = 300
"""Seconds for each of the programs; they need a few."""

CORE = ("core: silent, nobody waits", "core: silent, one waits for the pool", "core: with a result")
PACKAGE = ("go", "submit and result", "PoolWithFunc.invoke")
TASKS = 500
"""Twice as many fit into the memory that the core's queue always keeps: none of them is moved meanwhile."""
REPEATS = 9

Counts = dict[str, float]


class Skip(Exception):
    """They cannot be counted here; the message says why."""


def toolchain() -> str:
    said = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    release = re.search(r"^release: (.*)$", said, re.MULTILINE)
    assert release, said
    return f"rustc {release[1]}, {platform.machine()}"


def interpreter() -> str:
    """The package's figures depend on how the interpreter was built, too."""
    return f"CPython {platform.python_version()} ({platform.python_compiler()}), {toolchain()}"


def build() -> tuple[Path, Path]:
    """The core's program, and the clock by which both programs run."""
    targets = ["--bench", "dispatch", "--example", "clock"]
    command = ["cargo", "build", "--locked", "--release", "--no-default-features", *targets]
    built = subprocess.run(
        [*command, "--message-format", "json-render-diagnostics"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    files = {}
    for message in map(json.loads, built.stdout.splitlines()):
        if message["reason"] == "compiler-artifact":
            files[message["target"]["name"]] = Path(message["filenames"][0])
    return files["dispatch"], files["clock"]


def count(command: list[str], clock: Path, kinds: tuple[str, ...]) -> Counts:
    """Run a program under callgrind, which says after each call of `getppid` what came before it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        callgrind = ["valgrind", "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={out}"]
        ended = subprocess.run(
            [*callgrind, *command, str(TASKS), str(REPEATS)],
            env={**os.environ, "PYTHONHASHSEED": "0", "LD_PRELOAD": str(clock)},
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        if ended.returncode:
            raise SystemExit(f"{' '.join(command)} failed under valgrind:\n{ended.stderr}")
        parts = 1 + 2 * REPEATS
        totals = [total(Path(f"{out}.{number}")) for number in range(1, 1 + parts * len(kinds))]
    return {kind: per_task(totals[parts * place : parts * (place + 1)]) for place, kind in enumerate(kinds)}


def total(dump: Path) -> int:
    found = re.search(r"^totals: (\d+)$", dump.read_text(), re.MULTILINE)
    assert found, f"{dump} has no total"
    return int(found[1])


def per_task(totals: list[int]) -> float:
    """From the instructions of: a warm-up, then of N tasks and of 2 N tasks, alternating.

    The median of what the second N cost: now and then a thread has to try twice.
    """
    more = [double - single for single, double in zip(totals[1::2], totals[2::2], strict=True)]
    return round(median(more) / TASKS, 1)


def measure() -> dict[str, Counts]:
    """All counts, by what they depend on."""
    if sys.platform != "linux":
        raise Skip(f"{sys.platform} is not Linux")
    if not shutil.which("valgrind"):
        raise Skip("there is no valgrind (a package of that name in most systems)")
    core, clock = build()
    package = [sys.executable, str(HERE / "dispatch.py")]
    with ThreadPoolExecutor(2) as both:
        of_core = both.submit(count, [str(core)], clock, CORE)
        of_package = both.submit(count, package, clock, PACKAGE)
        return {toolchain(): of_core.result(), interpreter(): of_package.result()}


def compare(counts: dict[str, Counts], baseline: dict[str, Counts]) -> tuple[list[str], bool]:
    """What to print, and whether all is well."""
    lines, well = [], True
    for what, figures in counts.items():
        lines.append(f"Instructions a task ({what}):")
        if what not in baseline:
            lines.append("  there is no baseline for these: not compared (`--write` makes one)")
        for kind, figure in figures.items():
            line = f"  {kind}: {figure:,.0f}"
            if before := baseline.get(what, {}).get(kind):
                line += f", {figure / before - 1:+.1%} from {before:,.0f}"
                if figure > before * TOLERANCE:
                    line += f": more than {TOLERANCE - 1:.0%} more"
                    well = False
            lines.append(line)
    return lines, well


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Count the instructions of the dispatch path.")
    parser.add_argument("--write", action="store_true", help="make these figures the baseline")
    write = parser.parse_args(arguments).write
    try:
        counts = measure()
    except Skip as why:
        print(f"Instruction counts: skipped, {why}")
        return 0
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    lines, well = compare(counts, baseline)
    print("\n".join(lines))
    if write:
        BASELINE.write_text(json.dumps({**baseline, **counts}, indent=2, sort_keys=True) + "\n")
        return 0
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

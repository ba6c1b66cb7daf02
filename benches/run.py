"""Run the benchmarks, each beside `ThreadPoolExecutor` in the same run, and print them as ratios.

    python benches/run.py [--fast]

Each script is a pyperf script of its own (`python benches/go_wait.py --help`). Their results are kept as
pyperf JSON in `benches/results`.
"""

import subprocess
import sys
from pathlib import Path

import pyperf

HERE = Path(__file__).parent
RESULTS = HERE / "results"
BENCHMARKS = {
    "go_wait": "go + wait, no-op",
    "submit_result": "submit, then every result",
    "round_trip": "submit one, wait, again",
    "gather": "asyncio: gather 20,000 tasks",
}


def main(options: list[str]) -> None:
    """Run all, then print a table in Markdown."""
    RESULTS.mkdir(exist_ok=True)
    for name in BENCHMARKS:
        kept = RESULTS / f"{name}.json"
        kept.unlink(missing_ok=True)
        command = [sys.executable, str(HERE / f"{name}.py"), "--output", str(kept), *options]
        subprocess.run(command, check=True)
    print("\n| work | antspy, ns a task | `ThreadPoolExecutor`, ns a task | ratio |")
    print("|---|---|---|---|")
    for name, title in BENCHMARKS.items():
        medians = {
            bench.get_name(): bench.median() * 1e9
            for bench in pyperf.BenchmarkSuite.load(str(RESULTS / f"{name}.json"))
        }
        peer = medians.pop("ThreadPoolExecutor")
        for configuration, median in medians.items():
            print(f"| {title}, {configuration} | {median:,.0f} | {peer:,.0f} | {peer / median:.1f} |")


if __name__ == "__main__":
    main(sys.argv[1:])

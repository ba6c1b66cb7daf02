"""The results: a folder with one pyperf file for each work."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyperf
from case import Case
from catalogue import WORKS
from vs.go_ants import Measured
from work import Work

DEFAULT = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """What one case came to, in pyperf's unit: seconds or bytes, each of one task where the work says so."""

    work: Work
    peer: str
    setting: str
    median: float
    spread: float
    """The median absolute deviation."""
    tasks: int


def file_of(folder: Path, work: Work) -> Path:
    return folder / f"{work.name}.json"


def add_foreign(folder: Path, work: Work, case: Case, measured: Measured) -> None:
    """Keep what a program that is not pyperf's has measured, as if it were."""
    inner_loops = work.unit.inner_loops(case)
    metadata = {
        "name": case.name,
        "unit": work.unit.pyperf,
        "inner_loops": inner_loops,
        "loops": 1,
        **case.metadata,
        **measured.metadata,
    }
    run = pyperf.Run([value / inner_loops for value in measured.values], metadata=metadata)
    pyperf.add_runs(str(file_of(folder, work)), pyperf.Benchmark([run]))


def load(folder: Path) -> list[Figure]:
    """All figures that there are, in the order of the suite."""
    return [figure(work, bench) for work, bench in _benchmarks(folder)]


def figure(work: Work, bench: Any) -> Figure:
    metadata = bench.get_metadata()
    return Figure(
        work,
        metadata["peer"],
        metadata["setting"],
        bench.median(),
        bench.median_abs_dev() if bench.get_nvalue() > 1 else 0.0,
        int(metadata["tasks"]),
    )


def machine(folder: Path) -> list[str]:
    """Where and when it was measured, as pyperf has written it down."""
    lines = []
    for _, bench in _benchmarks(folder):
        metadata = bench.get_metadata()
        told = [str(metadata[key]) for key in ("cpu_model_name", "platform") if key in metadata]
        told.append(f"{metadata.get('cpu_count', '?')} CPUs")
        told.append(f"CPython {metadata['python_version']}")
        lines.append(", ".join(told))
        break
    runs = [run.get_metadata() for _, bench in _benchmarks(folder) for run in bench.get_runs()]
    if dates := [run["date"][: len("2026-01-31 12:00")] for run in runs if "date" in run]:
        lines.append(f"from {min(dates)} to {max(dates)}")
    if loads := [run["load_avg_1min"] for run in runs if "load_avg_1min" in run]:
        lines.append(f"load average of one minute from {min(loads):.1f} to {max(loads):.1f}")
    return lines


def _benchmarks(folder: Path) -> Iterator[tuple[Work, Any]]:
    for work in WORKS.values():
        file = file_of(folder, work)
        if file.exists():
            for bench in pyperf.BenchmarkSuite.load(str(file)):
                yield work, bench

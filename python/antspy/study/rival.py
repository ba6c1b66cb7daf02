"""What was measured beside the pool in one process: the rows of ants in Go (`--against go`) or of a pool on a
cluster (`--cluster local`), and how ours compare."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from antspy.study.result import Result

RIVAL = "ants in Go"
CLUSTER = "a ClusterPool"


@dataclass(frozen=True)
class Ratio:
    """Our figures by those of the rival, in one row; None where one of the two has no figure, or where jobs
    failed: that row did less."""

    name: str
    elapsed: float | None
    peak_rss: float | None


@dataclass
class Rival:
    """What else did the jobs in this run, or why it is not in it."""

    name: str = RIVAL
    short: str = "in Go"
    """Where it is, as a column says it."""
    missing: str | None = None
    client: str = ""
    """With its version, and that of ants, as its processes tell it."""
    results: list[Result] = field(default_factory=list)

    def line(self) -> str:
        return f"Without {self.name}: {self.missing}" if self.missing else f"{self.name}: {self.client}"

    def result(self, name: str) -> Result | None:
        return next((result for result in self.results if result.name == name), None)

    def ratio(self, ours: Result) -> Ratio:
        theirs = self.result(ours.name)
        if theirs is None or ours.failed or theirs.failed:
            return Ratio(ours.name, None, None)
        return Ratio(
            ours.name,
            divided(ours.elapsed_ms, theirs.elapsed_ms),
            divided(ours.peak_rss_mb, theirs.peak_rss_mb),
        )

    def to_json(self, ours: list[Result]) -> dict[str, Any]:
        return {
            "name": self.name,
            "missing": self.missing,
            "client": self.client,
            "configurations": [result.to_json() for result in self.results],
            "ratios": [asdict(self.ratio(result)) for result in ours],
        }


def divided(ours: float | None, theirs: float | None) -> float | None:
    return round(ours / theirs, 3) if ours and theirs else None

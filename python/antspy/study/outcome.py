"""The outcome of a whole study: what the table, study.json and the picture are made from."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from antspy.study import published
from antspy.study.configuration import SWITCH_INTERVAL, Configuration
from antspy.study.options import Options
from antspy.study.result import Result
from antspy.study.rival import Rival

ENOUGH = 1.5
"""The server must be this much faster than the fastest configuration, or it is the server that was
measured."""


@dataclass
class Outcome:
    options: Options
    port: int
    date: str
    """When the study began: ISO 8601, with the offset to UTC."""
    machine: dict[str, Any]
    server_library: str
    server_rate: float
    """Requests a second, on the route without a delay, before the configurations."""
    configurations: list[Configuration]
    client: str = ""
    """With its version, as the processes of the configurations tell it."""
    switch_interval: float = SWITCH_INTERVAL
    results: list[Result] = field(default_factory=list)
    rival: Rival | None = None
    """With `--against` or `--cluster` only."""
    notes: list[str] = field(default_factory=list)
    broken: bool = False
    """The server or the process of a configuration ended before its time."""

    @property
    def fastest_rate(self) -> float:
        results = self.results + (self.rival.results if self.rival else [])
        return max((result.requests_per_second for result in results), default=0.0)

    def server_line(self) -> str:
        line = f"Server: {self.server_library}, {self.server_rate:,.0f} requests/s by itself"
        if not self.fastest_rate:
            return line
        times = self.server_rate / self.fastest_rate
        line += f"; {times:.1f} times the fastest configuration ({self.fastest_rate:,.0f}/s)"
        return (
            line if times >= ENOUGH else f"{line}: less than {ENOUGH} times, so the server was measured too"
        )

    def to_json(self) -> dict[str, Any]:
        rival = self.rival.to_json(self.results) if self.rival else None
        return {
            "date": self.date,
            "options": asdict(self.options)
            | {
                "capacities": [str(capacity) for capacity in self.options.capacities],
                "out": str(self.options.out),
            },
            "machine": self.machine,
            "client": self.client,
            "server": {
                "library": self.server_library,
                "port": self.port,
                "requests_per_second": round(self.server_rate),
                "measured": "alone, before the configurations, on the route without a delay",
            },
            "switch_interval": self.switch_interval,
            "notes": self.notes,
            "configurations": [result.to_json() for result in self.results],
            "against": rival if self.options.against else None,
            "cluster": rival if self.options.cluster else None,
            "published": {
                "source": published.SOURCE,
                "jobs": published.JOBS,
                "configurations": [asdict(row) for row in published.TABLE],
            },
        }

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")

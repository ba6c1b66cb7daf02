"""What one configuration came to: one row of the table, one entry of `configurations` in
study.json."""

from __future__ import annotations

import re
import resource
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

MEGABYTE = 1024 * 1024
"""As the Go study counts."""


@dataclass(frozen=True)
class Result:
    """`capacity`, `running` and `free` are read when the last job is done and before the pool is
    released."""

    name: str
    jobs: int
    failed: int
    elapsed_ms: float
    """From before the pool is made until the last job is done."""
    peak_rss_mb: float | None
    """Of the process that ran this configuration, all of it; None if the process did not live to
    tell."""
    capacity: int | None = None
    running: int | None = None
    free: int | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    """Why jobs failed, and how many for each reason."""
    notes: list[str] = field(default_factory=list)
    start_rss_mb: float | None = None
    """Of that, what the process held before its first job: the interpreter, the client, the pool's
    library."""
    cpu_s: float | None = None
    """Processor time of that process, without the server's."""
    switch_interval: float | None = None
    """Seconds; Go has none."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"requests_per_second": round(self.requests_per_second)}

    @property
    def succeeded(self) -> int:
        return self.jobs - self.failed

    @property
    def requests_per_second(self) -> float:
        return self.succeeded / (self.elapsed_ms / 1000) if self.elapsed_ms else 0.0


def peak_rss_mb() -> float:
    """The peak resident set size of this process so far.

    Linux has it in /proc: its `ru_maxrss` starts, in a fresh process, from the size of the parent
    that started it.
    """
    try:
        with open("/proc/self/status") as status:
            found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        size = int(found[1]) * 1024
    else:
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return round(size / MEGABYTE, 1)

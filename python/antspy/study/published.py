"""The figures of the Go study: the only ones here that are not measured by the run.

Source: "Pool goroutine", a study of worker pools in Go with the library ants: 100,000 jobs, each
one HTTP GET that the server answers after 100 ms. Another machine, another language, and its memory
is Go's `TotalAlloc`: a reference, not a rival.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Pool goroutine, a study of worker pools in Go with the library ants, on another machine"
JOBS = 100_000


@dataclass(frozen=True)
class Published:
    """One row of the published table."""

    name: str
    elapsed_ms: int
    memory_mb: int
    capacity: int | None = None
    running: int | None = None
    free: int | None = None


TABLE = (
    Published("no pool", 26_648, 1_482),
    Published("default", 25_740, 1_502, 2_147_483_647, 1_580, 2_147_482_067),
    Published("10000", 32_453, 1_196, 10_000, 5_029, 4_971),
    Published("1000", 301_014, 796, 1_000, 1_000, 0),
)

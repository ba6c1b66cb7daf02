"""What came of the time between two documents: rates, and quantiles of the times of its tasks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .snapshot import Document

QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Quantiles:
    """In seconds: each the upper bound of its bucket, at most twice too much; `None`: no tasks."""

    p50: float | None
    p90: float | None
    p99: float | None


@dataclass(frozen=True)
class Report:
    """One pool between two documents."""

    pool: Mapping[str, Any]
    """Its part of the later document."""
    rate: float | None
    """Tasks a second that have ended; `None`: the pool was not in the earlier document."""
    failures: int
    """Tasks that have raised since the earlier document."""
    queue_time: Quantiles
    run_time: Quantiles

    @property
    def used(self) -> bool:
        """Whether anybody has used it yet; the default pool of most programs nobody has."""
        return any(self.pool[name] for name in ("submitted", "busy", "idle", "waiting"))


def compare(earlier: Document | None, later: Document) -> list[Report]:
    """Return a report of each pool of the later document.

    Without an earlier one the quantiles are those of all its tasks so far, and there is no rate.

    >>> times = {"sum": 0.0, "buckets": []}
    >>> pool = {"id": 1, "name": "a", "completed": 5, "failed": 0, "queue_time": times, "run_time": times}
    >>> before = {"monotonic": 10.0, "process": {"pid": 1}, "pools": [pool]}
    >>> after = {"monotonic": 12.0, "process": {"pid": 1}, "pools": [{**pool, "completed": 25}]}
    >>> compare(before, after)[0].rate
    10.0
    """
    before: dict[int, Mapping[str, Any]] = {}
    seconds = 0.0
    if earlier is not None and earlier["process"]["pid"] == later["process"]["pid"]:
        before = {pool["id"]: pool for pool in earlier["pools"]}
        seconds = later["monotonic"] - earlier["monotonic"]
    return [_report(before.get(pool["id"]), pool, seconds) for pool in numbered(later["pools"])]


def running(reports: Iterable[Report]) -> list[tuple[str, dict[str, Any]]]:
    """Return the running tasks of all pools with their pool's name, those that run for longest first."""
    tasks = [(report.pool["name"], task) for report in reports for task in report.pool["tasks"]]
    return sorted(tasks, key=lambda task: -task[1]["seconds"])


def limit(capacity: int | None) -> int | None:
    """Return a pool's capacity, `None` if it has no limit."""
    return None if capacity is None or capacity >= 10**9 else capacity


def numbered(pools: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the pools; of several of one name all but the first get a number."""
    seen: Counter[str] = Counter()
    for pool in pools:
        name = pool["name"]
        seen[name] += 1
        yield pool if seen[name] == 1 else {**pool, "name": f"{name} ({seen[name]})"}


def _report(before: Mapping[str, Any] | None, pool: Mapping[str, Any], seconds: float) -> Report:
    def since(name: str) -> int:
        return int(pool[name]) - (0 if before is None else int(before[name]))

    rate = None
    if before is not None and seconds > 0:
        rate = max(0, since("completed") + since("failed")) / seconds
    return Report(
        pool=pool,
        rate=rate,
        failures=max(0, since("failed")),
        queue_time=_quantiles(pool["queue_time"], before and before["queue_time"]),
        run_time=_quantiles(pool["run_time"], before and before["run_time"]),
    )


def _quantiles(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> Quantiles:
    earlier = {} if before is None else dict(before["buckets"])
    buckets = [(bound, count - earlier.get(bound, 0)) for bound, count in now["buckets"]]
    total = sum(count for _, count in buckets)

    def quantile(q: float) -> float | None:
        upto = 0
        for bound, count in buckets:
            upto += count
            if count > 0 and upto >= q * total:
                return float(bound)
        return None

    return Quantiles(*map(quantile, QUANTILES))

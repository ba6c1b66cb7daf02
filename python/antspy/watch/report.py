"""What came of the time between two documents: rates, and quantiles of the times of its tasks."""

from collections.abc import Iterable, Mapping
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


def compare(earlier: Document | None, later: Document) -> list[Report]:
    """Return a report of each pool of the later document.

    Without an earlier one the quantiles are those of all its tasks so far, and there is no rate.

    >>> times = {"sum": 0.0, "buckets": []}
    >>> pool = {"name": "a", "completed": 5, "failed": 0, "queue_time": times, "run_time": times}
    >>> before = {"time": 10.0, "process": {"pid": 1}, "pools": [pool]}
    >>> after = {"time": 12.0, "process": {"pid": 1}, "pools": [{**pool, "completed": 25}]}
    >>> compare(before, after)[0].rate
    10.0
    """
    before: dict[str, Mapping[str, Any]] = {}
    if earlier is not None and earlier["process"]["pid"] == later["process"]["pid"]:
        before = by_name(earlier["pools"])
    seconds = later["time"] - earlier["time"] if earlier is not None else 0.0
    return [_report(before.get(name), pool, seconds) for name, pool in by_name(later["pools"]).items()]


def by_name(pools: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the pools by their names; of several of one name each gets a number."""
    named: dict[str, Mapping[str, Any]] = {}
    for pool in pools:
        name, number = pool["name"], 1
        while name in named:
            number += 1
            name = f"{pool['name']} ({number})"
        named[name] = {**pool, "name": name}
    return named


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

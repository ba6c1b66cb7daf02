"""Pools' numbers for Prometheus. Needs `prometheus_client`: `pip install 'antspy[prometheus]'`."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from .progress import HasStats
from .stats import Histogram, Stats
from .watched import Watched

_POWERS = range(10, 41, 2)
"""The buckets' bounds are `2**power` nanoseconds, from 1.024 µs to 18 minutes, each four times the last.

They are bounds of `Histogram`, so none is interpolated, and all are always told: no series comes and goes.
Above some 10,000 tasks a second the counts are samples, of one in 32, and may trail by up to 31 tasks.
"""


class PoolCollector(Collector):
    """Tells Prometheus what pools have done, and what they do.

    A scrape calls `stats()` of each pool: no task does anything for it. All numbers of a pool are of one
    moment: what was submitted is what has ended, is queued, or runs. A pool is held weakly: its series end
    with it.

    Args:
        pools: Each is labelled by its own name (`pool="..."`): its `thread_name_prefix`, or the one that it
            has got. A view stands for its pool; a `MultiPool` is one, with the sums. A sub-pool has none.
        registry: Where the collector is registered; `None`: nowhere. There can be one in a registry, which is
            given further pools by `add`.
        named: Pools by the names that are told: `PoolCollector(fetchers=pool)`.

    Raises:
        TypeError: One of the pools has no `stats()`.
        ValueError: Two pools have the same name, or the registry has such a collector.

    >>> import antspy
    >>> from antspy.prometheus import PoolCollector
    >>> from prometheus_client import CollectorRegistry
    >>> registry = CollectorRegistry()
    >>> with antspy.Pool(4, thread_name_prefix="fetcher") as pool:
    ...     collector = PoolCollector(pool, registry=registry)
    ...     _ = list(pool.map(abs, range(10)))
    ...     registry.get_sample_value("antspy_tasks_ended_total", {"pool": "fetcher", "outcome": "completed"})
    10
    """

    def __init__(
        self, *pools: HasStats, registry: CollectorRegistry | None = REGISTRY, **named: HasStats
    ) -> None:
        self._watched = Watched()
        self.add(*pools, **named)
        if registry is not None:
            registry.register(self)

    def add(self, *pools: HasStats, **named: HasStats) -> None:
        """Tell of these pools, too: by their own names, or by those given here.

        Raises:
            TypeError, ValueError: As of the class; then none of them is added.

        >>> import antspy
        >>> from antspy.prometheus import PoolCollector
        >>> collector = PoolCollector(registry=None)
        >>> with antspy.Pool(4) as pool:
        ...     collector.add(fetchers=pool)
        ...     len(list(collector.collect()))
        12
        """
        self._watched.add(pools, named)

    def describe(self) -> Iterator[Metric]:
        """Yield all metrics without series. Called by the registry, which refuses a second collector."""
        return iter(_metrics([]))

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics. Called by the registry, at a scrape."""
        return iter(_metrics(self._watched.read()))


def _metrics(read: list[tuple[str, Stats]]) -> list[Metric]:
    submitted = CounterMetricFamily("antspy_tasks_submitted", "Tasks that were accepted.", labels=["pool"])
    ended = CounterMetricFamily(
        "antspy_tasks_ended", "Accepted tasks that have ended, by how.", labels=["pool", "outcome"]
    )
    refused = CounterMetricFamily(
        "antspy_tasks_refused", "Tasks that were not accepted, by how.", labels=["pool", "reason"]
    )
    started = CounterMetricFamily("antspy_workers_started", "Workers that were started.", labels=["pool"])
    expired = CounterMetricFamily(
        "antspy_workers_expired", "Workers that left since they were idle.", labels=["pool"]
    )
    capacity = GaugeMetricFamily(
        "antspy_capacity", "Tasks that may run at the same time; +Inf: no limit.", labels=["pool"]
    )
    workers = GaugeMetricFamily(
        "antspy_workers", "Workers that there are, by what they do.", labels=["pool", "state"]
    )
    queued = GaugeMetricFamily("antspy_tasks_queued", "Tasks that no worker has taken yet.", labels=["pool"])
    running = GaugeMetricFamily("antspy_tasks_running", "Tasks that run.", labels=["pool"])
    waiting = GaugeMetricFamily(
        "antspy_submitters_waiting", "Callers that wait for a place.", labels=["pool"]
    )
    queue_time = HistogramMetricFamily(
        "antspy_task_queue_seconds", "Seconds from a task's acceptance to its start.", labels=["pool"]
    )
    run_time = HistogramMetricFamily(
        "antspy_task_run_seconds", "Seconds from a task's start to its end.", labels=["pool"]
    )
    for name, stats in read:
        submitted.add_metric([name], stats.submitted)
        for outcome in ("completed", "failed", "cancelled"):
            ended.add_metric([name, outcome], getattr(stats, outcome))
        for reason in ("rejected", "discarded"):
            refused.add_metric([name, reason], getattr(stats, reason))
        started.add_metric([name], stats.workers_started)
        expired.add_metric([name], stats.workers_expired)
        capacity.add_metric([name], float("inf") if stats.capacity is None else stats.capacity)
        for state in ("busy", "idle"):
            workers.add_metric([name, state], getattr(stats, state))
        queued.add_metric([name], stats.queued)
        running.add_metric([name], stats.running)
        waiting.add_metric([name], stats.waiting)
        queue_time.add_metric([name], *_buckets(stats.queue_time))
        run_time.add_metric([name], *_buckets(stats.run_time))
    return [
        *(submitted, ended, refused, started, expired, capacity),
        *(workers, queued, running, waiting, queue_time, run_time),
    ]


def _buckets(times: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Return the cumulative buckets, and the sum in seconds."""
    upto = list(accumulate(times.counts))  # upto[i]: those below 2**(i + 1) ns
    bounds: list[tuple[str, float]] = [(repr(2**power / 1e9), upto[power - 1]) for power in _POWERS]
    return [*bounds, ("+Inf", upto[-1])], times.total

"""One row of the table: which pool, how its jobs are handed out, and where they go. The parent
sends it to a process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Self

from antspy.study.options import ADAPTIVE_LIMIT, Capacity, Client, Options, Unbounded, Variant
from antspy.study.rival import CLUSTER

HOST = "127.0.0.1"

SMALL_POOL = 20
"""The workers of the study's last pool against HTTP, which `channels` shows beside the worker
threads made by hand."""

SWITCH_INTERVAL = 0.5
"""Seconds; the same in every configuration, also in the one without a pool.

A thread that waits for the interpreter wakes once in each switch interval to ask for it. At
CPython's 5 ms, thousands of waiting threads do little else."""


@dataclass(frozen=True)
class Configuration:
    """All that a process needs to run one configuration."""

    name: str
    capacity: Capacity
    variant: Variant
    client: Client
    jobs: int
    port: int
    delay: float
    switch_interval: float = SWITCH_INTERVAL

    @property
    def most_at_once(self) -> int:
        """How many jobs may run at once, and each has a connection."""
        if self.capacity is Unbounded.ADAPTIVE:
            return min(ADAPTIVE_LIMIT, self.jobs)
        if isinstance(self.capacity, Unbounded):
            return self.jobs
        most = 2 * self.capacity if self.variant is Variant.TUNE else self.capacity
        return min(most, self.jobs)

    def has_rival(self, name: str) -> bool:
        """Whether ants in Go, or a cluster, has the like of it."""
        if name == CLUSTER:
            return self.capacity is not Unbounded.NONE
        return self.capacity is not Unbounded.ADAPTIVE

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        fields = json.loads(text)
        if isinstance(fields["capacity"], str):
            fields["capacity"] = Unbounded(fields["capacity"])
        return cls(**fields | {"variant": Variant(fields["variant"]), "client": Client(fields["client"])})


def configurations(options: Options, port: int) -> list[Configuration]:
    """The rows of the table, in the order of `--capacities`."""

    def configuration(name: str, capacity: Capacity, variant: Variant = options.variant) -> Configuration:
        return Configuration(name, capacity, variant, options.client, options.jobs, port, options.delay)

    rows = [configuration(row_name(capacity), capacity) for capacity in options.capacities]
    if options.variant is Variant.CHANNELS:
        rows.append(configuration(f"pool of {SMALL_POOL}", SMALL_POOL, Variant.SUBMIT))
    return rows


def row_name(capacity: Capacity) -> str:
    return "no pool" if capacity is Unbounded.NONE else str(capacity)


def what_it_is(configuration: Configuration) -> str | None:
    """What the name of a row does not tell, for the line under the table."""
    match configuration.capacity, configuration.variant:
        case Unbounded.NONE, _:
            return "a threading.Thread for each job"
        case Unbounded.DEFAULT, Variant.CHANNELS:
            return "the default pool, for comparison"
        case Unbounded.DEFAULT, Variant.PREALLOC:
            return "has no capacity to allocate in advance: run as it is"
        case Unbounded.DEFAULT, Variant.FUNC:
            return "PoolWithFunc with the default pool's capacity"
        case Unbounded.ADAPTIVE, Variant.CHANNELS:
            return "a pool that finds its capacity itself, for comparison"
        case Unbounded.ADAPTIVE, Variant.PREALLOC | Variant.TUNE:
            return "finds its capacity itself: none is allocated in advance or set by others"
        case int(capacity), Variant.CHANNELS:
            return f"{capacity} worker threads by hand, a jobs queue and a results queue"
        case _:
            return None

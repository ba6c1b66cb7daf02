"""What the user of the command may choose, and what each choice may be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from pathlib import Path


class StudyError(Exception):
    """The study cannot be run; the message is one line that names the argument and its value."""


class Variant(StrEnum):
    """How the jobs are handed out: the chapters of the study."""

    SUBMIT = "submit"
    """`Pool.go`: a pool that takes any function."""
    FUNC = "func"
    """`PoolWithFunc.invoke`: a pool whose function is fixed in advance."""
    TWO = "two"
    """Two submits in each turn of the loop."""
    PREALLOC = "prealloc"
    """`Pool(prealloc=True)`: all workers are started when the pool is made."""
    TUNE = "tune"
    """The capacity goes down and up while the jobs run."""
    REBOOT = "reboot"
    """The pool is released and rebooted half way."""
    CHANNELS = "channels"
    """By hand: a jobs queue, a results queue and worker threads, no pool."""


class Client(StrEnum):
    """Who makes the HTTP request of a job."""

    HTTPTOOLS = "httptools"
    PYCURL = "pycurl"
    HTTP_CLIENT = "http.client"


class Against(StrEnum):
    """What does the same jobs beside antspy, in the same run."""

    GO = "go"
    """ants in Go."""


class Cluster(StrEnum):
    """Where a `ClusterPool` does the same jobs beside the pool of one process, in the same run."""

    LOCAL = "local"
    """A `LocalCluster` of Dask: a scheduler, and a worker for each processor, on this machine."""


class Unbounded(StrEnum):
    """The configurations that have no number for a name, but for the last without a bound."""

    NONE = "none"
    """No pool: a thread for each job."""
    DEFAULT = "default"
    """The default pool, whose capacity is never reached."""
    ADAPTIVE = "adaptive"
    """A pool that finds its capacity itself, up to `ADAPTIVE_LIMIT`."""


Capacity = Unbounded | int
"""A configuration, as `--capacities` lists them."""

JOBS = 100_000
CLUSTER_JOBS = 10_000
"""Without `--jobs`. A job that goes through a cluster takes some milliseconds of its processes."""

CAPACITY_LIMIT = 2_147_483_647
"""The capacity of the default pool; no pool is larger."""

ADAPTIVE_LIMIT = 2_000
"""The largest capacity of the adaptive pool; the least is 2."""

DELAY_LIMIT = 60.0
"""Seconds. A longer delay studies nothing more, and each job would hold its worker that long."""

PORT_LIMIT = 65_535


@dataclass(frozen=True)
class Options:
    """One run of the study."""

    jobs: int = JOBS
    capacities: tuple[Capacity, ...] = (Unbounded.NONE, Unbounded.DEFAULT, 10_000, 1_000)
    port: int = 8080
    delay: float = 0.1
    variant: Variant = Variant.SUBMIT
    client: Client = Client.HTTPTOOLS
    against: Against | None = None
    cluster: Cluster | None = None
    out: Path = Path("study-results")


def parse_jobs(text: str) -> int:
    return whole_number(text, 1, CAPACITY_LIMIT)


def parse_port(text: str) -> int:
    return whole_number(text, 0, PORT_LIMIT)


def parse_delay(text: str) -> float:
    try:
        delay = float(text)
    except ValueError:
        delay = float("nan")
    if not (isfinite(delay) and 0 <= delay <= DELAY_LIMIT):
        raise ValueError(f"must be seconds from 0 to {DELAY_LIMIT:g}, not {text!r}")
    return delay


def parse_capacities(text: str) -> tuple[Capacity, ...]:
    capacities = tuple(parse_capacity(part.strip()) for part in text.split(","))
    if len(set(capacities)) < len(capacities):
        raise ValueError(f"a configuration is listed twice in {text!r}")
    return capacities


def parse_capacity(text: str) -> Capacity:
    try:
        return Unbounded(text)
    except ValueError:
        pass
    try:
        return whole_number(text, 1, CAPACITY_LIMIT)
    except ValueError:
        raise ValueError(
            f"each must be none, default, adaptive or a whole number from 1 to {CAPACITY_LIMIT}, not {text!r}"
        ) from None


def whole_number(text: str, low: int, high: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise ValueError(f"must be a whole number from {low} to {high}, not {text!r}")
    return number

"""What a pool has done so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import accumulate
from typing import Any

from ._antspy import _Pool


@dataclass(frozen=True)
class Histogram:
    """How often a time was between one power of two of nanoseconds and the next.

    Every task is timed while there are at most 10,000 a second, and up to 1,024 in a burst. Beyond that one
    in 32 is, and stands for those since the one before it.

    >>> times = Histogram((0, 0, 3, 1), total=2.4e-08)  # three from 4 to 8 ns, and one longer
    >>> times.count, list(times)
    (4, [(8e-09, 3), (1.6e-08, 1)])
    """

    counts: tuple[int, ...]
    """`counts[i]`: from `2**i` up to `2**(i + 1)` nanoseconds. The first begins at 0, the last has no end."""
    total: float
    """The sum of all times, in seconds."""

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)

    @property
    def mean(self) -> float:
        """The mean in seconds, 0 if there are none."""
        return self.total / self.count if self.count else 0.0

    def quantile(self, q: float) -> float:
        """Return the upper bound in seconds of the bucket in which the quantile lies: at most twice too much.

        Args:
            q: From 0 to 1; 0.5 is the median.

        Returns:
            0 if there are no times.

        >>> Histogram((0, 0, 3, 1), 2.4e-08).quantile(0.5)
        8e-09
        """
        if not 0 <= q <= 1:
            raise ValueError(f"q must be from 0 to 1, not {q!r}")
        rank = max(1, -(-q * self.count // 1))
        for power, upto in enumerate(accumulate(self.counts), start=1):
            if self.count and upto >= rank:
                return float(2**power) / 1e9
        return 0.0

    def __iter__(self) -> Iterator[tuple[float, int]]:
        """Yield `(upper bound in seconds, count)` of each bucket that is not empty."""
        for power, count in enumerate(self.counts, start=1):
            if count:
                yield 2**power / 1e9, count


@dataclass(frozen=True)
class Stats:
    """A pool's numbers, all read at one moment. Made by `Pool.stats`.

    Each accepted task is counted once: `submitted == completed + failed + cancelled + queued + running`.

    >>> from antspy import Pool
    >>> with Pool(2) as pool:
    ...     _ = list(pool.map(abs, range(10)))
    ...     stats = pool.stats()
    >>> stats.completed, stats.failed, stats.queue_time.count
    (10, 0, 10)
    """

    capacity: int | None
    """How many tasks may run at once; `None`: no limit."""
    busy: int
    """Workers that are not idle."""
    idle: int
    """Workers with nothing to do."""
    queued: int
    """Accepted tasks that no worker has taken yet."""
    waiting: int
    """Callers blocked in `submit` or `go`."""
    submitted: int
    """Tasks accepted, or run by their submitters."""
    started: int
    """Tasks that a worker has taken, or their submitters run."""
    completed: int
    """Tasks that returned."""
    failed: int
    """Tasks that raised, or could not be run for want of a worker."""
    cancelled: int
    """Tasks cancelled before they started; those included whose deadline passed."""
    discarded: int
    """Tasks that a full pool dropped (`overflow="discard"`). They do not count as submitted."""
    rejected: int
    """Tasks refused with an exception. They do not count as submitted."""
    workers_started: int
    """Workers started so far."""
    workers_expired: int
    """Workers that left because they were idle for `expiry`."""
    queue_time: Histogram
    """From acceptance to start."""
    run_time: Histogram
    """From start to end."""

    @property
    def ended(self) -> int:
        """Accepted tasks that have ended: `completed + failed + cancelled`."""
        return self.completed + self.failed + self.cancelled

    @property
    def running(self) -> int:
        """Tasks that run: those accepted that have not ended and are not queued."""
        return self.submitted - self.ended - self.queued


def total(parts: Sequence[Stats]) -> Stats:
    """Return the sums of the numbers of several pools."""
    sums: dict[str, Any] = {}
    for field in fields(Stats):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], Histogram):
            counts = tuple(map(sum, zip(*(value.counts for value in values), strict=True)))
            sums[field.name] = Histogram(counts, sum(value.total for value in values))
        else:
            sums[field.name] = None if None in values else sum(values)
    return Stats(**sums)


def read(pool: _Pool) -> Stats:
    """Return the numbers of now."""
    numbers = pool._stats()
    del numbers["closed"], numbers["paused"]
    for name in ("queue_time", "run_time"):
        counts, total = numbers[name]
        numbers[name] = Histogram(tuple(counts), total)
    return Stats(**numbers)

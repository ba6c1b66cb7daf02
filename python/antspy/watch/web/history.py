"""What a process did in the last minutes, as the page asks for it."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from ..client import Client, WatchError
from ..options import Options
from ..report import Report, compare, limit, running
from ..snapshot import Document

MINUTES = 10
"""How far back it goes."""
ROWS = 50_000
"""The most that is kept, a row a pool and look. With more than 80 pools it goes less far back."""

FAREWELL = 0.2
"""Seconds that the end waits for a look that is under way; the process may be stopped, and never answer."""

Row = list[float | None]
FIELDS = (
    *("rate", "busy", "idle", "queued", "blocked", "limit"),
    *("queue_p50", "queue_p99", "run_p50", "run_p99"),
)
"""The numbers of a row: tasks a second, workers, tasks, submitters, workers, and seconds."""


@dataclass(frozen=True)
class Sample:
    """What one look has shown."""

    time: float
    """Seconds since the epoch."""
    rows: dict[str, Row]
    """Of each pool; none while the process did not answer."""


class History:
    """Looks at a process every `options.interval` seconds, in a thread of its own, and remembers it.

    A context manager: its beginning looks once, and raises `WatchError` if there is no such process.
    """

    def __init__(self, options: Options, client: Client) -> None:
        self._options = options
        self._client = client
        self._lock = threading.Lock()  # guards what follows
        self._samples: deque[Sample] = deque()
        self._document: Document | None = None
        self._reports: list[Report] = []
        self._gone: str | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="antspy-history", daemon=True)

    def __enter__(self) -> Self:
        self._see(self._client.ask(slowest=self._options.slowest))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(FAREWELL)

    def _run(self) -> None:
        while not self._ended.wait(self._options.interval):
            try:
                self._see(self._client.ask(slowest=self._options.slowest))
            except WatchError as error:
                self._miss(str(error))
            except Exception as error:
                # Of us or of the document: the page must not show old numbers as those of now.
                self._miss(f"unexpected {type(error).__name__}: {error}")

    def _see(self, document: Document) -> None:
        reports = [report for report in compare(self._document, document) if report.used]
        sample = Sample(document["time"], {report.pool["name"]: row(report) for report in reports})
        with self._lock:
            self._document, self._reports, self._gone = document, reports, None
            self._add(sample)

    def _miss(self, reason: str) -> None:
        with self._lock:
            if self._gone is None:
                self._add(Sample(time.time(), {}))
            self._gone = reason

    def _add(self, sample: Sample) -> None:
        samples = self._samples
        if samples and sample.time < samples[-1].time:
            samples.clear()  # somebody has set the clock back
        samples.append(sample)
        rows = sum(max(1, len(sample.rows)) for sample in samples)
        while samples[0].time < sample.time - 60 * MINUTES or (rows > ROWS and len(samples) > 1):
            rows -= max(1, len(samples.popleft().rows))

    def state(self, after: float = 0.0) -> dict[str, Any]:
        """Return all that the page shows: how it is now, and the samples that are later than `after`."""
        with self._lock:
            document, reports, gone = self._document, self._reports, self._gone
            newest = self._samples[-1].time
            samples = [sample for sample in self._samples if sample.time > after]
        assert document is not None  # the beginning has seen one
        return {
            "process": document["process"],
            "time": document["time"],
            "gone": gone,
            "interval": self._options.interval,
            "minutes": MINUTES,
            "stuck": self._options.stuck,
            "slowest": self._options.slowest,
            "pools": [pool(report) for report in reports],
            "tasks": [{"pool": name, **task} for name, task in running(reports)[: self._options.slowest]],
            "newest": newest,
            "fields": FIELDS,
            "samples": [[sample.time, sample.rows] for sample in samples],
        }


def row(report: Report) -> Row:
    """Return the numbers of a pool that are kept, in the order of `FIELDS`."""
    pool, queue, run = report.pool, report.queue_time, report.run_time
    numbers = [
        report.rate,
        pool["busy"],
        pool["idle"],
        pool["queued"],
        pool["waiting"],
        limit(pool["capacity"]),
    ]
    return [*numbers, queue.p50, queue.p99, run.p50, run.p99]


def pool(report: Report) -> dict[str, Any]:
    """Return what is shown of a pool as it is now."""
    now = {name: report.pool[name] for name in ("name", "closed", "paused", "completed", "failed")}
    return {**now, "failures": report.failures, **dict(zip(FIELDS, row(report), strict=True))}

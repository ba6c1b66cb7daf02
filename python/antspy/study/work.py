"""The jobs of one configuration, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from antspy import Pool, WaitGroup
from antspy.study.client import Fetch, FetchError


class Work:
    """Joined with a WaitGroup, as in the study: `add(1)` before each submit, `done()` at the end of
    the job, then `wait()`."""

    def __init__(self, jobs: int, fetch: Fetch, notes: list[str]) -> None:
        self.jobs = jobs
        self.fetch = fetch
        self.wait_group = WaitGroup()
        self.submitted = 0
        # Lists, because their append is atomic: jobs fail in many threads, and those that succeed
        # leave nothing behind.
        self.failures: list[str] = []
        self.notes = notes

    def job(self, number: int) -> None:
        """One job: one request. Whatever happens, it is done, and a failure is written down."""
        try:
            self.fetch(number)
        except Exception as error:  # told in the table, not lost
            self.failures.append(reason(error))
        finally:
            self.wait_group.done()

    def goes(self, pool: Pool) -> Callable[[int], object]:
        """What hands one job to the pool, without a Python frame of its own."""
        return partial(pool.go, self.job)  # type: ignore[call-arg]  # mypy binds no ParamSpec in a partial

    def submit(self, numbers: Iterable[int], hand_over: Callable[[int], object]) -> None:
        """Hands the jobs over, one after the other; a job that is refused is done, and has
        failed."""
        add = self.wait_group.add
        for number in numbers:
            add(1)
            self.submitted += 1
            try:
                hand_over(number)
            except Exception as error:  # told in the table, not lost
                self.failures.append(reason(error))
                self.wait_group.done()

    @property
    def running(self) -> int:
        """Jobs that are handed over and not done."""
        return self.wait_group.count

    @property
    def done(self) -> int:
        return max(0, self.submitted - self.running)

    def reasons(self) -> dict[str, int]:
        """Why jobs failed and how many for each reason, the most frequent first."""
        return dict(Counter(self.failures).most_common())


def reason(error: Exception) -> str:
    """An exception in one line, without anything that differs from job to job."""
    text = " ".join(str(error).split())
    if isinstance(error, FetchError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

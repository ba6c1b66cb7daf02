"""The account of all tasks that one pool was given, by number: who ran, who was told what."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, wait
from typing import Any

from antspy import Future, Stats, TaskInterrupted
from part import Account

LIMIT = 30.0
"""Seconds after which what must happen has not."""


class Failure(Exception):
    """What a task raises."""


class Abort(BaseException):
    """The same, and no `Exception`."""


ERRORS: tuple[type[BaseException], ...] = (Failure, Abort, SystemExit, KeyboardInterrupt, GeneratorExit)


class Book:
    """Numbers the tasks of a pool. Each list is only appended to, which is one step for all threads."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self.ran: list[int] = []
        self.futures: list[tuple[int, Future[int]]] = []
        self.sent: list[int] = []
        """Accepted, or dropped by a full pool; nobody is told the end of one."""
        self.open: list[int] = []
        """Perhaps accepted: items of a map that was left, tasks of a coroutine that was cancelled."""
        self.returned: list[int] = []
        """Told so without a future: the results of maps and coroutines."""
        self.raised: list[int] = []
        self.raising: list[int] = []
        """What a task enters before it raises."""
        self.handled: list[int] = []
        """Given to the exception handler."""
        self.due: list[int] = []
        """Calls of done callbacks that must happen."""
        self.called: list[int] = []
        self.refused: list[int] = []

    def number(self) -> int:
        return next(self._numbers)

    def handle(self, error: BaseException) -> None:
        """The pool's exception handler."""
        if isinstance(error, ERRORS):
            self.handled.append(error.args[0])

    def watch(self, number: int, future: Future[int], callback: bool) -> Future[int]:
        """Enter an accepted task, which has a future."""
        self.futures.append((number, future))
        if callback:
            self.due.append(number)
            future.add_done_callback(lambda _: self.called.append(number))
        return future

    def settle(self, stats: Stats | None, account: Account, *, drops: bool) -> None:
        """Check that each task has had its end, exactly one, and that the pool has counted the same.

        `stats` is None if nobody has the pool any more; with `drops` sent tasks may have been cancelled.
        """
        say = account.problems.append
        wait([future for _, future in self.futures], LIMIT)  # a pool that was dropped may still be at work
        counts = Counter(self.ran)
        account.twice += sum(count > 1 for count in counts.values())
        ran = set(counts)
        unseen = 0  # interrupted before it could enter itself
        cancelled = 0
        raised: set[int] = set(self.raised)
        for number, future in self.futures:
            try:
                error = future.exception(LIMIT)
            except CancelledError:
                cancelled += 1
                if number in ran:
                    say(f"task {number} has run, and its future says cancelled")
                continue
            except TimeoutError:
                account.lost += 1
                say(f"task {number}: nobody has told its future")
                continue
            if isinstance(error, TaskInterrupted):
                unseen += number not in ran
                account.faults += 1
            elif number not in ran:
                account.lost += 1
                say(f"task {number} has not run; its future says {error!r}")
            elif error is None:
                if future.result() != number:
                    say(f"task {number} returned {future.result()}")
            elif isinstance(error, ERRORS) and error.args == (number,):
                raised.add(number)
            else:
                say(f"task {number} raised {error!r}")
        for number in (*self.returned, *self.raised):
            account.lost += number not in ran
        missing = sum(number not in ran for number in self.sent)
        if missing and not drops:
            account.lost += missing
            say(f"{missing} tasks that nobody could cancel have not run: {_some(set(self.sent) - ran)}")
        untold = set(self.sent) & set(self.raising) - set(self.handled)
        account.lost += len(untold)
        self._settle_told(raised, say)
        accepted = len(self.futures) + len(self.sent) + len(self.returned) + len(self.raised)
        if stats is not None:
            self._settle_stats(stats, accepted, len(ran) + unseen, cancelled + missing, say)
        account.tasks += accepted
        account.faults += len(raised) + len(self.handled) + len(self.refused) + cancelled

    def _settle_told(self, raised: set[int], say: Callable[[str], None]) -> None:
        for what, told in (("exception handler", self.handled), ("callback", self.called)):
            if often := [number for number, count in Counter(told).items() if count > 1]:
                say(f"the {what} was called more than once for {often[:5]}")
        if Counter(self.due) != Counter(self.called):
            say(f"{len(self.called)} callbacks were called of {len(self.due)}")
        if extra := raised & set(self.handled):
            say(f"the exception handler got what a future had told: {_some(extra)}")

    def _settle_stats(
        self, stats: Stats, accepted: int, ran: int, ended: int, say: Callable[[str], None]
    ) -> None:
        """`accepted` is exact but for the open ones, and so is `ended`: cancelled, or dropped."""
        if stats.queued or stats.waiting or stats.busy:
            say(f"something is left in the pool: {stats}")
        if stats.completed + stats.failed != ran:
            say(f"{ran} tasks have run, and the pool counted {stats.completed} + {stats.failed}")
        if stats.submitted != stats.completed + stats.failed + stats.cancelled:
            say(f"the pool's books are not even: {stats}")
        most = len(self.open)
        for what, own, counted in (
            ("accepted", accepted, stats.submitted + stats.discarded),
            ("cancelled or dropped", ended, stats.cancelled + stats.discarded),
        ):
            if not own <= counted <= own + most:
                say(f"{own} to {own + most} tasks were {what}, and the pool counted {counted}")


def _some(numbers: Iterable[int]) -> list[int]:
    return sorted(numbers)[:5]


def body(book: Book, number: int, kind: str, nested: Callable[[], object] | None) -> Any:
    """What a task does; its first step is to enter itself."""
    book.ran.append(number)
    if kind == "spin":
        for _ in range(200):
            pass
    elif kind == "nest" and nested is not None:
        nested()
    elif kind == "fail":
        book.raising.append(number)
        raise Failure(number)
    elif kind == "raise":
        book.raising.append(number)
        raise ERRORS[number % len(ERRORS)](number)
    return number

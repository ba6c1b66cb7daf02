"""What is made and over again and again holds no memory afterwards."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass

from footprint import Footprint, footprint
from part import Account, Amount, Part

from . import uses

LONG = 100
"""The amount with which each use has the rounds that are stated here."""

PER_ROUND = Footprint(resident=8, allocated=8, blocks=0)
"""What a round may leave behind: less than the smallest object, which has 16 bytes."""

NOISE = Footprint(resident=1_500_000, allocated=48_000, blocks=250)
"""What may come of many rounds together: caches that fill, pages that the C library keeps."""

THREADS_NOISE = Footprint(resident=1_500_000, allocated=200_000, blocks=250)
"""The same, where each round starts a thread: the C library keeps some memory by for the next ones."""

WARM_UP = 500
"""Rounds, or a tenth of them: before these nothing is measured."""


@dataclass(frozen=True)
class Use:
    name: str
    rounds: int
    """Of the long form."""
    begin: Callable[[Account], AbstractContextManager[Callable[[int], None]]]
    """Gives what does so many rounds, and keeps nothing of them."""
    noise: Footprint = NOISE


USES = (
    Use("go", 10_000_000, uses.go),
    Use("futures that raised", 1_000_000, uses.futures_that_raised),
    Use("cancelled futures", 1_000_000, uses.cancelled_futures),
    Use("refused", 1_000_000, uses.refused),
    Use("discarded", 1_000_000, uses.discarded),
    Use("caller runs", 1_000_000, uses.caller_runs),
    Use("deadlines", 100_000, uses.deadlines),
    Use("interrupts", 100_000, uses.interrupts),
    Use("maps", 100_000, uses.maps),
    Use("abandoned maps", 100_000, uses.abandoned_maps),
    Use("groups", 100_000, uses.groups),
    Use("wait groups", 100_000, uses.wait_groups),
    Use("sub-pools", 100_000, uses.subpools),
    Use("coroutines", 100_000, uses.coroutines),
    Use("event loops", 10_000, uses.event_loops),
    Use("pools", 100_000, uses.pools),
    Use("pools closed with a worker", 100_000, uses.pools_closed, THREADS_NOISE),
    Use("pools dropped with a worker", 100_000, uses.pools_dropped, THREADS_NOISE),
    Use("broken pools", 10_000, uses.broken_pools, THREADS_NOISE),
    Use("expire and restart", 10_000, uses.expire_and_restart),
    Use("forks", 1_000, uses.forks),
)


def run(amount: int) -> Account:
    """Do `amount / LONG` of the rounds of each use."""
    account = Account()
    for use in USES:
        measure(use, use.rounds * amount // LONG, account)
    return account


def measure(use: Use, rounds: int, account: Account) -> None:
    """Enter what the rounds leave behind, and complain if each half of them leaves too much.

    A leak does. A table that grows, or a page that the C library keeps, comes in one of them.
    """
    half = rounds // 2
    with use.begin(account) as repeat:
        repeat(max(rounds // 10, WARM_UP))
        start = footprint()
        repeat(half)
        middle = footprint()
        repeat(half)
        halves = (middle - start, footprint() - middle)
    account.rounds += 2 * half
    resident, allocated, blocks = (sum(values) / rounds for values in zip(*map(astuple, halves), strict=True))
    account.figures[use.name] = f"{resident:+.2f} B RSS, {allocated:+.2f} B, {blocks:+.4f} blocks a round"
    for what in ("resident", "allocated", "blocks"):
        least = min(getattr(left, what) for left in halves)
        bound = max(half * getattr(PER_ROUND, what), getattr(use.noise, what))
        if least > bound:
            problem = f"{use.name}: {half:,} rounds left {least:,} ({what}); at most {bound:,} are allowed"
            account.problems.append(problem)


def missing() -> str | None:
    return None if sys.platform == "linux" else "it reads what Linux shows of memory"


LEAKS = Part(
    "leaks",
    "tasks, futures, pools, loops, forks made and over: what a round leaves behind",
    Amount(short=1, long=LONG),
    run,
    minutes=30,
    missing=missing,
)

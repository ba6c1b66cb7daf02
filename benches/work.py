"""One kind of work: its cases, and how one is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from case import Case
from vs.peer import Peer
from vs.peers import PYTHON_PEERS


class Unit(Enum):
    """What is measured, and how it is shown: pyperf's unit, a factor, and words."""

    TASK = ("second", 1e9, "ns a task")
    WORKER = ("second", 1e6, "µs a worker")
    WHOLE = ("second", 1.0, "s")
    BYTES_A_WORKER = ("byte", 1.0, "bytes a worker")
    BYTES_A_TASK = ("byte", 1.0, "bytes a task")

    def __init__(self, pyperf: str, factor: float, words: str) -> None:
        self.pyperf = pyperf
        self.factor = factor
        self.words = words

    def inner_loops(self, case: Case) -> int:
        """By what a measured value is divided."""
        return 1 if self is Unit.WHOLE else case.tasks


@dataclass(frozen=True)
class Work:
    """Each case is measured in `rounds` rounds (one if it must be quick), in a fresh process in each."""

    name: str
    title: str
    unit: Unit
    measure: Callable[[Case], float]
    """Does the work once: seconds, or bytes, of all tasks together."""
    cases: Callable[[bool], Iterable[Case]]
    """Given whether it must be quick."""
    rounds: int = 5
    values: int = 3
    warmups: int = 1


def open_peer(case: Case) -> Peer:
    return PYTHON_PEERS[case.peer](case)


def timed(work: Callable[[Peer, Case], object]) -> Callable[[Case], float]:
    """Measure by the clock: the peer is made, does its work and ends."""

    def measure(case: Case) -> float:
        start = time.perf_counter()
        work(open_peer(case), case)
        return time.perf_counter() - start

    return measure


def nop(*_: object) -> None:
    """The task: nothing, so that what is measured is the pool."""

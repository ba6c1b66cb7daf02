"""A part of the soak: something that is done many times over, and an exact account of what came of it."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Account:
    """What came of a part."""

    rounds: int = 0
    tasks: int = 0
    """That a pool has accepted."""
    faults: int = 0
    """Made on purpose: tasks that raise, interrupts, refusals, kills."""
    lost: int = 0
    """Accepted tasks that have neither run nor been cancelled, or whose end nobody was told."""
    twice: int = 0
    """Tasks that have run more than once."""
    problems: list[str] = field(default_factory=list)
    """Whatever else should not have happened: an abort, a hang, a leak."""
    figures: dict[str, str] = field(default_factory=dict)
    """What else was measured, each with its unit."""

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.problems)


@dataclass(frozen=True)
class Amount:
    """How much of it: rounds, or whatever the part counts."""

    short: int
    """In `make test`; 0: that has a target of its own for it."""
    long: int
    """In `make soak`."""


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Part:
    """One of the catalogue."""

    name: str
    what: str
    """What is done, in half a line."""
    amount: Amount
    run: Callable[[int], Account]
    """Is given the amount; runs in a process of its own."""
    minutes: float = 10.0
    """After which the long form hangs; the short form has `SHORT_SECONDS`."""
    missing: Callable[[], str | None] = _nothing
    """Why it cannot run here, if it cannot."""


SHORT_SECONDS = 100

ROOT = Path(__file__).resolve().parent.parent


def run_tests(command: list[str], settings: dict[str, str], account: Account) -> int:
    """Run a program of tests in the project; return how many have passed, or enter what has failed."""
    environment = {**os.environ, **settings}
    tests = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    passed = re.search(r"(\d+) passed", tests.stdout)
    if tests.returncode or passed is None:
        account.problems.append(f"a test has failed:\n{tests.stdout[-3000:]}")
        return 0
    return int(passed[1])

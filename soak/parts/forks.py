"""Servers that fork first (`programs/fork.py`): each child has a pool that works, and so has the parent."""

import os
import subprocess
import sys
from pathlib import Path

from part import Account, Amount, Part

PROGRAM = Path(__file__).resolve().parents[1] / "programs" / "fork.py"
WORKERS, KILLS = 3, 3
LIMIT = 60.0
"""Seconds after which a program hangs."""


def run(amount: int) -> Account:
    account = Account()
    for _ in range(amount):
        add(account)
    account.figures["children of each"] = f"{KILLS} killed, {WORKERS} that end, 1 forked by a task"
    return account


def add(account: Account) -> None:
    account.rounds += 1
    account.faults += KILLS
    command = [sys.executable, str(PROGRAM), str(WORKERS), str(KILLS)]
    try:
        program = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired as hung:
        account.problems.append(f"hangs: {hung.stdout!r} {hung.stderr!r}")
        return
    lines = [line.split() for line in program.stdout.splitlines()]
    for word, *counts in lines:
        if word in ("served", "parent"):
            accepted, ran, different = map(int, counts)
            account.tasks += accepted
            account.lost += accepted - different
            account.twice += ran - different
    ends = sorted(" ".join(line) for line in lines if line[0] in ("child", "killed"))
    expected = ["child 0"] * (WORKERS + 1) + ["killed -9"] * KILLS
    if program.returncode or program.stderr or ends != expected:
        account.problems.append(f"ended with code {program.returncode}: {ends}\n{program.stderr[-2000:]}")


FORKS = Part(
    "forks",
    "a parent with a busy pool forks children that serve with it; some are killed",
    Amount(short=2, long=200),
    run,
    minutes=30,
    missing=lambda: None if hasattr(os, "fork") else "this system has no fork",
)

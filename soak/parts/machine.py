"""The pool beside its plain model (`tests/model/`), with calls in any order that hypothesis thinks of."""

import os
import re
import subprocess
import sys
from pathlib import Path

from part import Account, Amount, Part

ROOT = Path(__file__).resolve().parents[2]


def run(amount: int) -> Account:
    """Run `amount` machines of each kind, of up to 100 steps each."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "--no-header",
        "tests/model/test_machine.py",
        "tests/model/test_line.py",
    ]
    tests = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "ANTSPY_SOAK": str(amount)}, stdout=subprocess.PIPE, text=True
    )
    passed = re.search(r"(\d+) passed", tests.stdout)
    if tests.returncode or passed is None:
        return Account(problems=[f"the pool and its model do not agree:\n{tests.stdout[-3000:]}"])
    return Account(rounds=amount * int(passed[1]))


MACHINE = Part(
    "machine",
    "pool and model, calls in any order; a round is a machine of up to 100 steps",
    Amount(short=20, long=2000),
    run,
    minutes=20,
)

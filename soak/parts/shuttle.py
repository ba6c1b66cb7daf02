"""The core in long random schedules: `tests/rust/shuttle.rs`."""

import os
import re
import shutil
import subprocess

from part import Account, Amount, Part

from .machine import ROOT


def run(amount: int) -> Account:
    """Try `amount` schedules of each scene."""
    settings = {"ANTSPY_SOAK": str(amount)}
    command = ["make", "--silent", "test-shuttle"]
    tests = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
    )
    passed = re.search(r"(\d+) passed", tests.stdout)
    if tests.returncode or passed is None:
        return Account(problems=[f"a scene has failed:\n{tests.stdout[-3000:]}"])
    return Account(rounds=amount * int(passed[1]))


def missing() -> str | None:
    return None if shutil.which("cargo") else "there is no cargo"


SHUTTLE = Part(
    "shuttle",
    "the core's models and larger scenes; a round is a random schedule of one",
    Amount(short=0, long=20_000),
    run,
    minutes=30,
    missing=missing,
)

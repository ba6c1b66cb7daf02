"""The core in long random schedules: `tests/rust/shuttle.rs`."""

import shutil

from part import Account, Amount, Part, run_tests


def run(amount: int) -> Account:
    """Try `amount` schedules of each scene."""
    account = Account()
    command = ["make", "--silent", "test-shuttle"]
    account.rounds = amount * run_tests(command, {"ANTSPY_SOAK": str(amount)}, account)
    return account


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

"""The pool beside its plain model (`tests/model/`), with calls in any order that hypothesis thinks of."""

import sys

from part import Account, Amount, Part, run_tests


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
    account = Account()
    account.rounds = amount * run_tests(command, {"ANTSPY_SOAK": str(amount)}, account)
    return account


MACHINE = Part(
    "machine",
    "pool and model, calls in any order; a round is a machine of up to 100 steps",
    Amount(short=0, long=2000),
    run,
    minutes=20,
)

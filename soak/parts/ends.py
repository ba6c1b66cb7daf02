"""Programs that end while their pools are busy (`programs/end.py`): no abort, no hang, an account of all."""

import re
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from part import Account, Amount, Part

PROGRAM = Path(__file__).resolve().parents[1] / "programs" / "end.py"
LIMIT = 30.0
"""Seconds after which a program hangs."""

CODES = {
    "drain": (0,),
    "sys.exit": (0,),
    "daemon": (0,),
    "os._exit": (5,),
    "ctrl-c": (0, 1, -signal.SIGINT, 128 + signal.SIGINT),  # it is Python's to say, and differs by version
}

KINDS = [
    *((work, "drain") for work in ("python", "c", "submit", "destructor")),
    ("python", "sys.exit"),
    ("python", "os._exit"),
    *((work, end) for end in ("ctrl-c", "daemon") for work in ("python", "c", "submit", "destructor")),
]
"""What the workers do, and how the program ends."""


@dataclass
class Run:
    """How a program ended."""

    kind: tuple[str, str]
    code: int | None
    """`None`: it was killed, for it hung."""
    out: str
    err: str

    def add_to(self, account: Account) -> None:
        work, end = self.kind
        lines = Counter(tuple(line.split()) for line in self.out.splitlines())
        accepted = [number for word, *rest in lines for number in rest if word == "accepted"]
        account.rounds += 1
        account.tasks += len(accepted)
        account.faults += end not in ("drain", "daemon")
        for number in accepted:
            ran, told, cancelled = (lines[word, number] for word in ("ran", "told", "cancelled"))
            account.twice += ran + cancelled > 1
            if end in ("drain", "sys.exit"):
                account.lost += not (ran and told)
            elif end == "daemon":
                account.lost += not (ran or cancelled)
        bad = r"fatal|abort|panicked" if end == "ctrl-c" else r"fatal|abort|panicked|traceback"
        wrong = re.search(bad, self.err, re.IGNORECASE)
        if self.code not in CODES[end] or wrong or (end != "os._exit" and ("ends",) not in lines):
            how = "hangs" if self.code is None else f"ended with code {self.code}"
            account.problems.append(
                f"{end}, workers busy: {work}: {how}\n{self.out[-500:]}\n{self.err[-1500:]}"
            )


def run(amount: int) -> Account:
    """End `amount` programs in each way, two at a time."""
    account = Account()
    rounds = [(kind, number) for number in range(amount) for kind in KINDS]
    with ThreadPoolExecutor(2) as executor:
        for ended in executor.map(lambda it: end(*it), rounds):
            ended.add_to(account)
    account.figures["kinds of end"] = f"{len(KINDS)}, {amount} of each"
    return account


def end(kind: tuple[str, str], number: int) -> Run:
    command = [sys.executable, str(PROGRAM), *kind, str(number)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as program:
        try:
            out, err = program.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            program.kill()
            out, err = program.communicate()
            return Run(kind, None, out, err)
    return Run(kind, program.returncode, out, err)


ENDS = Part(
    "ends",
    "programs that end while workers are in Python code, in C code, in a submit, in a destructor",
    Amount(short=1, long=200),
    run,
    minutes=30,
)

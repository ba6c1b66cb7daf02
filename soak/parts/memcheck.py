"""A hammer with few calls, in which valgrind looks at each access to memory."""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from part import ROOT, Account, Amount, Part

from . import hammer

SUPPRESSIONS = ROOT / "soak" / "memcheck.supp"
CALLS = 60
"""Of each thread in a round: valgrind is some fifty times slower."""
PROGRAM = f"""
import json, sys
from dataclasses import asdict
from part import Account
from parts import hammer

hammer.CALLS = {CALLS}
account = Account()
for round in range(int(sys.argv[1])):
    hammer.play(int(sys.argv[2]) + round, account)
open(sys.argv[3], "w").write(json.dumps(asdict(account)))
"""


def run(amount: int) -> Account:
    """Play `amount` rounds."""
    seed = int(os.environ.get("ANTSPY_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"memcheck: ANTSPY_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        into, log = Path(folder, "account.json"), Path(folder, "valgrind.log")
        valgrind = ["valgrind", "--error-exitcode=9", "--fair-sched=yes", "--num-callers=30"]
        valgrind += [f"--suppressions={SUPPRESSIONS}", f"--log-file={log}"]
        command = [*valgrind, sys.executable, "-c", PROGRAM, str(amount), str(seed), str(into)]
        environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONPATH": str(ROOT / "soak")}
        code = subprocess.run(command, env=environment).returncode
        account = Account(**json.loads(into.read_text())) if into.exists() else Account()
        if code:
            account.problems.append(f"valgrind ended with code {code}:\n{log.read_text()[:3000]}")
        account.figures["seed"] = str(seed)
    return account


def missing() -> str | None:
    return None if shutil.which("valgrind") else "there is no valgrind"


MEMCHECK = Part(
    "memcheck",
    f"a hammer of {hammer.THREADS} threads under valgrind, each object allocated by malloc",
    Amount(short=0, long=10),
    run,
    minutes=30,
    missing=missing,
)

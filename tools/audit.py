"""Looks for known vulnerabilities in what the project depends on, and at its licences and sources.

    python tools/audit.py

Crates by cargo-deny (`deny.toml`), Python's packages by pip-audit (`requirements/`). Where a tool is not
installed, or the database of vulnerabilities cannot be had, it says that this was skipped; with
`ANTSPY_AUDIT=required` that is a failure.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

UNREACHABLE = (
    *("failed to fetch", "failed to clone", "failed to acquire", "ConnectionError", "ServiceError"),
    "could not be audited",  # of a package of which the database knows nothing
)
"""In what the tools say when a database cannot be had."""
FOUND = re.compile(r"^error\[|^Found \d+ known vulnerabilit", re.MULTILINE)
"""In what they say when something was found all the same."""


class Audit:
    def __init__(self) -> None:
        self.failed = False
        self.skipped = False

    def skip(self, what: str, why: str) -> None:
        print(f"{what}: skipped, {why}")
        self.skipped = True

    def run(self, what: str, command: Iterable[str]) -> None:
        said = subprocess.run(
            [*command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        unreachable = [line for line in said.stdout.splitlines() if any(sign in line for sign in UNREACHABLE)]
        if said.returncode and (not unreachable or FOUND.search(said.stdout)):
            print(f"{what}: FAILED\n{said.stdout}")
            self.failed = True
        elif unreachable:
            self.skip(what, f"the database of vulnerabilities cannot be had: {unreachable[0].strip()}")
        else:
            print(f"{what}: passed")


def tool(name: str) -> str | None:
    """Where it is: beside this Python, or on PATH."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def main() -> int:
    audit = Audit()
    if deny := tool("cargo-deny"):
        # What is in Cargo.lock can be had, and needs no network any more.
        subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=ROOT)
        audit.run("crates", [deny, "--locked", "--offline", "check", "bans", "licenses", "sources"])
        audit.run("crates' advisories", [deny, "--locked", "check", "advisories"])
    else:
        audit.skip("crates", "cargo-deny is not installed (`cargo install --locked cargo-deny`)")
    if pip_audit := tool("pip-audit"):
        lock = ["--require-hashes", "--disable-pip", "--requirement", "requirements/development.txt"]
        audit.run("Python's packages", [pip_audit, *lock, "--progress-spinner", "off"])
    else:
        audit.skip("Python's packages", "pip-audit is not installed (`pip install pip-audit`)")
    return int(audit.failed or (audit.skipped and os.environ.get("ANTSPY_AUDIT") == "required"))


if __name__ == "__main__":
    sys.exit(main())

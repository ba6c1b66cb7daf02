"""ants in Go: the same works, done by a program of its own (`vs/ants/`)."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from case import Case

SOURCE = Path(__file__).parent / "ants"


class Measured(NamedTuple):
    """What the program says."""

    values: list[float]
    """Seconds, or bytes, of all tasks together."""
    metadata: dict[str, str | float]


class GoAnts:
    """Has a peer's name, and no loop in this process."""

    name: ClassVar[str] = "ants in Go"
    tasks: ClassVar[int] = 200_000

    def __init__(self, program: Path) -> None:
        self.program = program

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be measured here."""
        return None if shutil.which("go") else "there is no Go"

    @classmethod
    def build(cls, folder: Path) -> "GoAnts":
        """Build the program into `folder`."""
        program = folder / "ants"
        subprocess.run(["go", "build", "-o", program, "."], cwd=SOURCE, check=True)
        return cls(program)

    def measure(self, case: Case, values: int, warmups: int, timeout: float, url: str = "") -> Measured:
        """Do the work of a case several times.

        Raises:
            subprocess.TimeoutExpired: It takes longer than `timeout` seconds; the program has been ended.
            subprocess.CalledProcessError: It failed.
        """
        options: dict[str, Any] = {
            "work": case.work,
            "tasks": case.tasks,
            "capacity": case.capacity,
            "submitters": case.submitters,
            "url": url,
            "values": values,
            "warmups": warmups,
        }
        command = [str(self.program), *(f"-{name}={value}" for name, value in options.items())]
        start = time.monotonic()
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=timeout)
        measured = parse(ended.stdout)
        measured.metadata["duration"] = time.monotonic() - start
        return measured


def parse(line: str) -> Measured:
    """Read the program's one line."""
    said = json.loads(line)
    values = said.pop("values")
    if not values or not all(isinstance(value, (int, float)) and value > 0 for value in values):
        raise ValueError(f"values must be numbers greater than 0, not {values!r}")
    return Measured([float(value) for value in values], said)

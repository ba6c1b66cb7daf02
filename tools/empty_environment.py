"""Programs of other Pythons, and environments that have an antspy and nothing else."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent

MISLEADING = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""They would lead a Python to other packages than its own."""


def call(command: list[str], cwd: Path | str | None = None) -> None:
    """Run a program.

    Raises:
        SystemExit: It fails.
    """
    kept = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    code = subprocess.run(command, cwd=cwd, env=kept).returncode
    if code != 0:
        sys.exit(f"wheels: exit code {code} of {' '.join(command)}")


def pip(python: str, command: str, *arguments: str, cwd: str | None = None) -> None:
    """Run pip of that Python, quietly. Raises as `call`."""
    quietly = ("--quiet", "--disable-pip-version-check")
    call([python, "-m", "pip", command, *quietly, *arguments], cwd)


@contextmanager
def installed(python: str, dist: Path) -> Iterator[str]:
    """An environment with that wheel of `dist` that fits, and nothing else. Gives its Python."""
    with tempfile.TemporaryDirectory() as folder:
        call([python, "-m", "venv", folder])
        program = str(Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
        only_there = ("--no-index", "--only-binary", ":all:", "--find-links", str(dist))
        pip(program, "install", *only_there, "antspy")
        yield program

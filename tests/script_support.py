"""Programs of several lines that tools look at by line."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from support import LIMIT


def run(folder: Path, *arguments: str, stdin: str = "", **environment: str) -> str:
    """Run Python, which must end well and without a word on stderr; return what it printed."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        cwd=folder,
        env={**os.environ, **environment},
    )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


def write(folder: Path, source: str) -> Path:
    program = folder / "program.py"
    program.write_text(textwrap.dedent(source), encoding="utf-8")
    return program


def lines(program: Path, *marks: str) -> set[int]:
    """Return the lines that end with one of these comments."""
    numbered = enumerate(program.read_text(encoding="utf-8").splitlines(), start=1)
    return {number for number, line in numbered if line.endswith(tuple(f"# {mark}" for mark in marks))}

"""An environment in which antspy's classes stand in for the standard library's, also in subprocesses.

CPython's tests start interpreters with `-I` and `-E`, which neither `PYTHONPATH` nor the current directory
reaches. What reaches them is a `.pth` file in the environment's own folder of packages.
"""

import subprocess
import sys
from pathlib import Path

import antspy

HERE = Path(__file__).resolve().parent

SWITCH = "ANTSPY_STANDS_IN"
"""The environment variable with which they stand in; its value is the folder of CPython's tests, or empty."""

_START = f"import os; {SWITCH!r} in os.environ and __import__('stand_in').install(os.environ[{SWITCH!r}])"


def make(folder: Path) -> Path:
    """Make the environment, and return its interpreter."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([python, "-c", ask], text=True).strip()
    package = Path(antspy.__file__).resolve().parent.parent
    (Path(packages) / "antspy_stands_in.pth").write_text(f"{package}\n{HERE}\n{_START}\n")
    return python

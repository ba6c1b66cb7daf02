"""The CPythons of this machine."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13", "3.14", "3.14t", "3.15", "3.15t")
"""Each has a wheel in a release; `t`: without the interpreter lock."""

PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"

PROBE = """
import json, sys, sysconfig
without_lock = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
version = "{}.{}".format(*sys.version_info)
print(json.dumps([sys.implementation.name, version + without_lock, sys.version.split()[0]]))
"""


@dataclass(frozen=True)
class Interpreter:
    path: str
    version: str
    """`3.12`, `3.14t`."""
    release: str
    """`3.12.1`."""

    @property
    def tag(self) -> str:
        """The same in a wheel's name: `cp312-cp312`, `cp314-cp314t`."""
        digits = self.version.replace(".", "")
        return f"cp{digits.removesuffix('t')}-cp{digits}"


def find(wanted: list[str]) -> list[Interpreter]:
    """Return those that are wanted, by version or name; without any, all that there are. Says where they are.

    Raises:
        SystemExit: One that is named is not there.
    """
    found = []
    for name in wanted or SUPPORTED:
        # What is called python3.12 on PATH may be a launcher whose version is not chosen here.
        interpreter = (None if name in SUPPORTED else _probe(name)) or _find(name.removeprefix("python"))
        if interpreter:
            print(f"  {name}: {interpreter.release}, {interpreter.path}")
            found.append(interpreter)
        elif wanted:
            sys.exit(f"no CPython {name} here; supported: {', '.join(SUPPORTED)}")
        else:
            print(f"  {name}: not found, skipped")
    return found


def _find(version: str) -> Interpreter | None:
    probed = map(_probe, _candidates(version))
    return next((found for found in probed if found and found.version == version), None)


def _probe(path: str) -> Interpreter | None:
    """Ask a Python what it is; `None` if it does not run, or is not a CPython."""
    try:
        said = subprocess.run([path, "-I", "-c", PROBE], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if said.returncode != 0:
        return None  # a launcher, perhaps, whose version is not chosen here
    implementation, version, release = json.loads(said.stdout)
    return Interpreter(path, version, release) if implementation == "cpython" else None


def _candidates(version: str) -> Iterator[str]:
    """Where it may be, the likeliest first: here, on PATH, among the versions of pyenv."""
    yield sys.executable
    if on_path := shutil.which(f"python{version}"):
        yield on_path
    for folder in PYENV.glob(f"{version.removesuffix('t')}*"):
        yield str(folder / "bin" / "python")

"""ants in Go, beside which the study runs with `--against go`: the program in `go/`, built where Go is.

It does what measurement.py does, with the same jobs and by the same rules, and says it in the same lines.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent / "go"
FLAGS = ("-trimpath", "-buildvcs=false", "-mod=readonly")
BUILD_LIMIT = 600.0
"""Seconds for the first build, which fetches the modules and compiles Go's own library, too."""


class NoGo(Exception):
    """The program cannot be had here; the message is one line that says why."""


def build_go_program() -> Path:
    """Builds the program into the user's cache, or finds it there; `NoGo` says why that cannot be done."""
    go = shutil.which("go")
    if go is None:
        raise NoGo("go is not on PATH")
    program = cache() / f"study-{digest(run(go, 'version'))}"
    if program.exists():
        return program
    try:
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent) as folder:
            built = Path(folder) / "study"
            run(go, "build", *FLAGS, "-o", str(built), ".")
            built.replace(program)  # at once: another study may look for it now
    except OSError as error:
        raise NoGo(f"cannot write to {program.parent}: {error.strerror}") from error
    return program


def digest(version: str) -> str:
    """Of all that the program is made from: its sources and the version of Go."""
    made_from = hashlib.sha256(version.encode())
    for source in sorted(SOURCES.iterdir()):
        made_from.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return made_from.hexdigest()[:16]


def cache() -> Path:
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return Path(folder) / "antspy"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "antspy"


def run(go: str, *arguments: str) -> str:
    try:
        ended = subprocess.run(
            [go, *arguments],
            cwd=SOURCES,
            env={**os.environ, "GOWORK": "off", "GOFLAGS": ""},  # what surrounds the package is not asked
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=BUILD_LIMIT,
        )
    except OSError as error:
        raise NoGo(f"cannot start {go}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NoGo(f"go {arguments[0]} was not done within {BUILD_LIMIT:g} s") from error
    if ended.returncode != 0:
        said = " ".join(ended.stderr.split()) or f"exit code {ended.returncode}"
        raise NoGo(f"go {arguments[0]} failed: {said[:500]}")
    return ended.stdout

"""Runs `this_python.py` on other Pythons: `pythons.py all|newer [pytest] [cpython]`.

`all`: on each CPython from 3.11 on that is here, one of each version, or on those that `PYTHONS` names.
`newer`: on the newest, if it is newer than this one, or on those that `ANTSPY_NEWER` names. Both environment
variables name interpreters (`python3.12 python3.13`) or, each followed by a comma, commands that start one
(`python3.12, /opt/box run 3.14 python,`).
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
OLDEST = (3, 11)

ASK = "import sys; print(sys.implementation.name, *sys.version_info[:3], '+t' in sys.abiflags)"

Command = list[str]


def version(command: Command) -> tuple[int, ...] | None:
    """Which CPython the command starts; `None`: none that is meant here."""
    try:
        said = subprocess.check_output([*command, "-c", ASK], text=True, stderr=subprocess.DEVNULL)
        name, major, minor, micro, _ = said.split()
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    numbers = (int(major), int(minor), int(micro))
    return numbers if name == "cpython" and numbers >= OLDEST else None


def found() -> dict[tuple[int, int], Command]:
    """The newest release of each version, on `PATH` or in pyenv's folder."""
    candidates = [sys.executable, *map(str, PYENV.glob("3.*/bin/python3"))]
    candidates += filter(None, (shutil.which(f"python3.{minor}") for minor in range(11, 30)))
    releases = sorted((numbers, one) for one in candidates if (numbers := version([one])))
    return {(major, minor): [one] for (major, minor, _), one in releases}


def named(variable: str) -> list[Command]:
    """The commands that an environment variable names."""
    text = os.environ.get(variable, "")
    commands = text.split(",") if "," in text else text.split()
    return [shlex.split(one) for one in commands if one.strip()]


def run(command: Command, parts: list[str]) -> bool:
    print(f"\n=== {shlex.join(command)}: {' '.join(parts) or 'the whole suite'}", flush=True)
    return subprocess.run([*command, "tests/this_python.py", *parts], cwd=HERE.parent).returncode == 0


def run_newer(parts: list[str]) -> int:
    commands = named("ANTSPY_NEWER")
    if not commands:
        newer = [one for numbers, one in sorted(found().items()) if numbers > sys.version_info[:2]]
        commands = newer[-1:]
    if not commands:
        missed = os.environ.get("CI") == "true" and PYENV.is_dir()
        print(f"no Python newer than this one was found: {'FAILED' if missed else 'skipped'}", flush=True)
        return int(missed)
    passed = [run(command, parts) for command in commands]
    return int(not all(passed))


def run_all(parts: list[str]) -> int:
    commands = named("PYTHONS") or list(found().values())
    passed = [run(command, parts) for command in commands]
    print()
    for command, well in zip(commands, passed, strict=True):
        numbers = ".".join(map(str, version(command) or ["?"]))
        print(f"{'passed' if well else 'FAILED'}  {numbers:8}{shlex.join(command)}")
    return int(not (passed and all(passed)))


if __name__ == "__main__":
    mode, *parts = sys.argv[1:]
    sys.exit({"all": run_all, "newer": run_newer}[mode](parts))

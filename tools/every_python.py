"""Runs the tests on other Pythons, each in an environment of its own: see `this_python.py`.

Without an argument on every CPython that is here. `--newer` takes the newest, if it is newer than this one;
`--free-threaded` those without the interpreter lock, and each test runs in several threads at once, too.
Where there is none it says so; with `ANTSPY_CPYTHON_TESTS=required` that is a failure.
"""

import argparse
import os
import shlex
import subprocess
import sys

from interpreters import Interpreter, find
from this_python import COMMANDS, ROOT, UNASKED

Command = list[str]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parts = f"of {', '.join(COMMANDS)}; {', '.join(UNASKED)} without one"
    parser.add_argument("parts", nargs="*", metavar="PART", help=parts)
    parser.add_argument("--pythons", default="", help="these instead: versions or paths, separated by spaces")
    parser.add_argument("--commands", default="", help="and what these start, separated by commas")
    parser.add_argument("--newer", action="store_true", help="of those found only the newest")
    parser.add_argument(
        "--free-threaded", action="store_true", help="of those found the ones without the interpreter lock"
    )
    arguments = parser.parse_args()
    named = bool(arguments.pythons or arguments.commands)
    commands = [shlex.split(one) for one in arguments.commands.split(",") if one.strip()]
    if arguments.pythons or not named:
        print("== CPython")
        found = [
            python for python in find(arguments.pythons.split()) if named or can_make_environments(python)
        ]
        if arguments.newer and not named:
            found = [python for python in found if is_newer(python)][-1:]
        if arguments.free_threaded:
            found = [python for python in found if python.version.endswith("t")]
        commands = [[python.path] for python in found] + commands
    if not commands:
        if arguments.free_threaded:
            print("no Python without the interpreter lock was found: skipped")
            return 0
        missed = os.environ.get("ANTSPY_CPYTHON_TESTS") == "required"
        print(f"no {'newer ' * arguments.newer}Python was found: {'FAILED' if missed else 'skipped'}")
        return int(missed)
    return run_all(commands, arguments.parts or UNASKED)


def can_make_environments(python: Interpreter) -> bool:
    ask = [python.path, "-c", "import ensurepip, venv"]
    return subprocess.run(ask, stderr=subprocess.DEVNULL).returncode == 0


def is_newer(python: Interpreter) -> bool:
    with_lock = not python.version.endswith("t")
    return with_lock and tuple(map(int, python.version.split("."))) > sys.version_info[:2]


def run_all(commands: list[Command], parts: list[str]) -> int:
    passed = []
    for command in commands:
        print(f"== {', '.join(parts)}: {shlex.join(command)}", flush=True)
        script = [*command, "tools/this_python.py", *parts]
        passed.append(subprocess.run(script, cwd=ROOT).returncode == 0)
    print("==")
    for command, well in zip(commands, passed, strict=True):
        print(f"  {'passed' if well else 'FAILED'}: {shlex.join(command)}")
    return int(not all(passed))


if __name__ == "__main__":
    sys.exit(main())

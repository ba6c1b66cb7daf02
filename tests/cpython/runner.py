"""Runs CPython's own tests of `concurrent.futures` on antspy's classes: `make test-cpython`.

Every class of `test.test_concurrent_futures` whose name begins with `ThreadPool` or `Future`, unmodified,
with `antspy.ThreadPoolExecutor` and `antspy.Future` in the place of the standard ones. Arguments are patterns
of the tests to run, as `unittest`'s `-k`.

Where the interpreter has no tests they are fetched (`suite.py`). Where they cannot be, they are skipped, and
it says so; with `ANTSPY_CPYTHON_TESTS=required` that is a failure.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import sandbox
import suite

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent.parent / "target" / "cpython"

LIMIT = 900
"""Seconds for all tests. For one of them see `selected.py`."""


def main() -> int:
    named = f"CPython {platform.python_version()}: test_concurrent_futures"
    try:
        folder = suite.find(TARGET)
    except suite.NotToBeHadError as error:
        if os.environ.get("ANTSPY_CPYTHON_TESTS") == "required":
            print(f"{named}: FAILED: the tests are required, and cannot be had ({error})")
            return 1
        print(f"{named}: skipped: the tests cannot be had ({error})")
        return 0
    python = sandbox.make(TARGET / f"environment-{suite.VERSION}")
    settings = {**os.environ, sandbox.SWITCH: str(folder or "")}
    command = [str(python), str(HERE / "selected.py"), named, *sys.argv[1:]]
    try:
        code = subprocess.run(command, env=settings, timeout=LIMIT).returncode
    except subprocess.TimeoutExpired:
        print(f"{named}: FAILED: not done within {LIMIT} s")
        return 1
    if code:
        print(f"{named}: FAILED: exit code {code}")
    return code


if __name__ == "__main__":
    sys.exit(main())

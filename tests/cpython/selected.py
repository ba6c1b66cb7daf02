"""The tests themselves, in the environment that `run.py` has made: `selected.py NAME [PATTERN ...]`."""

import faulthandler
import fnmatch
import importlib
import pkgutil
import subprocess
import sys
import unittest
from collections.abc import Iterator

LIMIT = 120
"""Seconds for one test. After that the stacks of all threads are printed, and the program ends."""

PREFIXES = ("ThreadPool", "Future")

DIFFERENCES: dict[str, str] = {}
"""Tests that are expected to fail, as `Class.test`, and why."""


class Result(unittest.TextTestResult):
    """Counts, and sees to it that no test hangs."""

    passed = 0

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802  # unittest's name
        super().startTest(test)
        faulthandler.dump_traceback_later(LIMIT, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().addSuccess(test)
        self.passed += 1


def modules() -> Iterator[object]:
    """The module of the tests, and its parts: from 3.12 on it is a package."""
    whole = importlib.import_module("test.test_concurrent_futures")
    yield whole
    for part in pkgutil.iter_modules(getattr(whole, "__path__", [])):
        if part.name.startswith("test_"):
            yield importlib.import_module(f"{whole.__name__}.{part.name}")


def selected(patterns: list[str]) -> unittest.TestSuite:
    loader = unittest.TestLoader()
    loader.testNamePatterns = [name if "*" in name else f"*{name}*" for name in patterns] or None
    found = unittest.TestSuite()
    for module in modules():
        for name, kind in sorted(vars(module).items()):
            if isinstance(kind, type) and issubclass(kind, unittest.TestCase) and name.startswith(PREFIXES):
                found.addTest(loader.loadTestsFromTestCase(kind))
    return found


def check_stand_ins() -> None:
    """The classes of this process and of one that the tests start must be antspy's."""
    ask = "import concurrent.futures as it; print(it.ThreadPoolExecutor.__module__, it.Future.__module__)"
    said = subprocess.check_output([sys.executable, "-I", "-c", ask], text=True).split()
    assert said == ["antspy.thread_pool_executor", "antspy.future"], said


def main(name: str, *patterns: str) -> int:
    check_stand_ins()
    tests = selected(list(patterns))
    result = unittest.TextTestRunner(resultclass=Result, verbosity=2).run(tests)
    wrong = [test.id() for test, _ in (*result.failures, *result.errors)]
    unexpected = [test for test in wrong if not fnmatch.filter(DIFFERENCES, test)]
    print(f"{name}: {result.passed} passed, {len(wrong)} failed, {len(result.skipped)} skipped", flush=True)
    for test in unexpected:
        print(f"  failed: {test}")
    return 1 if unexpected or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

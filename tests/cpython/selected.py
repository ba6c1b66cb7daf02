"""The tests themselves, in the environment that `runner.py` has made: `selected.py NAME [PATTERN ...]`."""

import faulthandler
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
"""Tests that are expected to fail, as `Class.test`, and why. One that passes is a failure, too."""


class Result(unittest.TextTestResult):
    """Sees to it that no test hangs."""

    def startTest(self, test: unittest.TestCase) -> None:  # unittest's name
        super().startTest(test)
        faulthandler.dump_traceback_later(LIMIT, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)


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


def name_of(test: unittest.TestCase) -> str:
    """`Class.test`, also of a part of a test (`subTest`)."""
    whole = getattr(test, "test_case", test)
    return ".".join(whole.id().split(".")[-2:])


def main(name: str, *patterns: str) -> int:
    check_stand_ins()
    result = unittest.TextTestRunner(resultclass=Result, verbosity=2).run(selected(list(patterns)))  # type: ignore[arg-type]
    failed = {name_of(test) for test, _ in (*result.failures, *result.errors)}
    skipped = {name_of(test) for test, _ in result.skipped} - failed
    passed = result.testsRun - len(failed) - len(skipped)
    print(f"{name}: {passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    for test in sorted(failed & DIFFERENCES.keys()):
        print(f"  expected: {test}: {DIFFERENCES[test]}")
    wrong = failed - DIFFERENCES.keys()
    if not patterns:
        wrong |= DIFFERENCES.keys() - failed
    for test in sorted(wrong):
        print(f"  {'failed' if test in failed else 'passed, and was not expected to'}: {test}")
    return 1 if wrong or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

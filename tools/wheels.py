"""Build antspy's wheels and source distribution into `dist/`, look into them, and test them once installed.

Each wheel is installed into an environment that has nothing else, and tested there, outside of the source
tree: a small program first, then the tests that need nothing but pytest. From the source distribution a wheel
is built, too. The Python that runs this needs maturin and twine (`pip install '.[dev]'`), but for `test`.
"""

import argparse
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from empty_environment import ROOT, call, installed, pip
from interpreters import Interpreter, find
from plain_tests import plain_tests

STEPS = ("build", "sdist", "check", "test")
QUICK_TESTS = ["test_pool.py", "test_future.py", "test_map.py", "test_await.py", "test_worker_thread.py"]
"""A few seconds that touch every part of the binding."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"of {', '.join(STEPS)}; all without one")
    parser.add_argument("--pythons", default="", help="versions or interpreters, separated by spaces")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where the wheels are")
    parser.add_argument("--quick", action="store_true", help="the wheel for this Python, and few tests")
    arguments = parser.parse_args()
    if unknown := set(arguments.steps) - set(STEPS):
        parser.error(f"no such step: {', '.join(unknown)}")
    say("CPython")
    if arguments.quick:
        pythons = find([sys.executable])
        with tempfile.TemporaryDirectory() as folder:
            run(("build", "check", "test"), pythons, Path(folder), quick=True)
    else:
        pythons = find(arguments.pythons.split())
        run(arguments.steps or STEPS, pythons, arguments.dist.resolve(), quick=False)


def run(steps: Sequence[str], pythons: list[Interpreter], dist: Path, *, quick: bool) -> None:
    if "build" in steps:
        remove(dist.glob("antspy-*"))
        for python in pythons:
            build_wheel(python, dist)
    if "sdist" in steps:
        build_sdist(dist)
        build_wheel_from_sdist(dist)
    if "check" in steps:
        check(dist)
    if "test" in steps:
        for python in pythons:
            test_wheel(python, dist, quick=quick)


def build_wheel(python: Interpreter, dist: Path) -> None:
    say(f"building the wheel for {python.version}")
    command = [sys.executable, "-m", "maturin", "build", "--release", "--locked"]
    # Cargo keeps what it has built for one Python. Each has a folder of its own, but for this environment's:
    # `pip install --editable` has built all that it needs.
    apart = [] if python.path == sys.executable else ["--target-dir", str(ROOT / "target" / python.tag)]
    call([*command, "--interpreter", python.path, "--out", str(dist), *apart], cwd=ROOT)


def build_sdist(dist: Path) -> None:
    say("building the source distribution")
    remove(dist.glob("antspy-*.tar.gz"))
    call([sys.executable, "-m", "maturin", "sdist", "--out", str(dist)], cwd=ROOT)


def build_wheel_from_sdist(dist: Path) -> None:
    say("building a wheel from the source distribution, in an empty folder")
    (sdist,) = dist.glob("antspy-*.tar.gz")
    with tempfile.TemporaryDirectory() as folder:
        # Cargo begins from nothing, too: it goes by times, and those of all files here are the same for ever.
        pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, str(sdist), cwd=folder)
        (wheel,) = Path(folder).glob("antspy-*.whl")
        look_into([wheel])
        with installed(sys.executable, Path(folder)) as program:
            look(program)


def check(dist: Path) -> None:
    say("looking into them")
    wheels, sdists = sorted(dist.glob("antspy-*.whl")), sorted(dist.glob("antspy-*.tar.gz"))
    if not wheels + sdists:
        sys.exit(f"wheels: there is nothing in {dist}")
    look_into(wheels + sdists)
    call([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *map(str, wheels + sdists)])


def look_into(archives: list[Path]) -> None:
    from contents import faults  # which needs a package that `test` can do without

    for archive in archives:
        if found := list(faults(archive)):
            sys.exit("\n  ".join([f"wheels: {archive.name} is not as it should be:", *found]))
        print(f"  {archive.name}, {archive.stat().st_size // 1024} KiB: complete")


def test_wheel(python: Interpreter, dist: Path, *, quick: bool) -> None:
    say(f"testing the wheel for {python.version}")
    with installed(python.path, dist) as program, tempfile.TemporaryDirectory() as folder:
        look(program)
        pip(program, "install", *test_requirements())
        tests = Path(folder) / "tests"
        shutil.copytree(ROOT / "tests", tests, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)  # pytest's settings
        names = QUICK_TESTS if quick else plain_tests(tests)
        call([program, "-m", "pytest", "-q", *(f"tests/{name}" for name in names)], cwd=folder)


def test_requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [need for need in project["optional-dependencies"]["dev"] if need.startswith("pytest")]


def look(program: str) -> None:
    call([program, "-I", str(ROOT / "tools" / "smoke.py")], cwd=tempfile.gettempdir())


def remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink()


def say(text: str) -> None:
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    main()

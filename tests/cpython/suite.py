"""CPython's own tests: found with the interpreter, or fetched as the Debian package that has them."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# Which version's tests fit, the first that can be had. Debian has none of 3.12, where those of 3.11 fit.
FITTING = {"3.12": ["3.12", "3.11"]}.get(VERSION, [VERSION])


class NotToBeHadError(Exception):
    """The tests are not with the interpreter, and cannot be fetched."""


def find(target: Path) -> Path | None:
    """Return the folder that has the package `test`; `None`: it is where the interpreter looks anyway.

    Raises:
        NotToBeHadError: With the reason.
    """
    if _comes_with_the_interpreter():
        return None
    folders = {version: target / f"suite-{version}" for version in FITTING}
    for folder in folders.values():
        if (folder / "test").exists():
            return folder
    problems = []
    for version, folder in folders.items():
        try:
            _fetch(version, folder)
            return folder
        except (OSError, subprocess.SubprocessError) as error:
            problems.append(f"{version}: {_told(error)}")
    raise NotToBeHadError("; ".join(problems))


def _comes_with_the_interpreter() -> bool:
    try:
        return importlib.util.find_spec("test.test_concurrent_futures") is not None
    except ModuleNotFoundError:  # no package `test`
        return False


def _fetch(version: str, folder: Path) -> None:
    # `test.support` is not with the tests, but in the package of the standard library.
    packages = [f"libpython{version}-testsuite", f"libpython{version}-stdlib"]
    scratch = folder.with_name(folder.name + "-new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    _download(packages, scratch)
    for archive in scratch.glob("*.deb"):
        _run(["dpkg", "-x", archive.name, "."], scratch)
    # Only this: the folder comes first in sys.path, and the other modules are of another release.
    folder.mkdir(parents=True, exist_ok=True)
    (scratch / "usr" / "lib" / f"python{version}" / "test").rename(folder / "test")
    shutil.rmtree(scratch)


def _download(packages: list[str], folder: Path) -> None:
    try:
        _run(["apt-get", "--quiet", "download", *packages], folder)
    except subprocess.CalledProcessError:
        # A new machine has no lists of packages, or old ones. These are our own: one need not be root, and
        # the machine's stay as they are. apt's user for downloads might not get into the folder.
        own = {
            "Dir::State::lists": folder / "lists",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "root",
        }
        apt_get = ["apt-get", "--quiet", *(f"--option={name}={value}" for name, value in own.items())]
        for private in (folder / "lists" / "partial", folder / "cache"):
            private.mkdir(parents=True)
        _run([*apt_get, "update"], folder)
        _run([*apt_get, "download", *packages], folder)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)


def _told(error: Exception) -> str:
    said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else ""
    return (said or str(error)).splitlines()[-1]

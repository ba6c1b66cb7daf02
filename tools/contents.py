"""What is in a wheel and in the source distribution, and what must be."""

import email.message
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from empty_environment import ROOT
from trove_classifiers import classifiers

NOT_IN_SDIST = (".ci/", ".github/", "benches/results/", "dist/", "env/", "site/", "study-results/", "target/")
"""Of use only in the repository, or made here."""

REQUIRED_IN_SDIST = {
    *("PKG-INFO", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml"),
    *("SECURITY.md", "deny.toml", "requirements/study.txt", "requirements/development.txt"),
    *("Cargo.toml", "Cargo.lock", "build.rs", "src/lib.rs", "src/core/README.md", "tests/conftest.py"),
    *("python/antspy/__init__.py", "python/antspy/_antspy.pyi", "python/antspy/py.typed"),
}
OF_THE_PACKAGE = {
    *(".py", ".pyi", ".typed"),
    *(".go", ".mod", ".sum"),  # the study's rival
    *(".html", ".css", ".js", ".svg"),  # the page of `antspy top --web`
}
DIST_INFO = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def faults(archive: Path) -> Iterator[str]:
    """What is wrong with a wheel or a source distribution."""
    return _faults_of_wheel(archive) if archive.suffix == ".whl" else _faults_of_sdist(archive)


def _faults_of_sdist(sdist: Path) -> Iterator[str]:
    with tarfile.open(sdist) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    unwanted = {name for name in files if name.startswith(NOT_IN_SDIST)}
    yield from _differences(REQUIRED_IN_SDIST, files & REQUIRED_IN_SDIST | unwanted)
    if (tracked := _files_of_repository()) is not None:
        expected = {name for name in tracked if not name.startswith(NOT_IN_SDIST)}
        yield from _differences(expected | {"PKG-INFO"}, files - unwanted)


def _faults_of_wheel(wheel: Path) -> Iterator[str]:
    name, version, python, abi, platforms = wheel.stem.split("-")
    info = f"{name}-{version}.dist-info/"
    with zipfile.ZipFile(wheel) as archive:
        files = set(archive.namelist())
        metadata = email.message_from_bytes(archive.read(f"{info}METADATA"))
        tags = email.message_from_bytes(archive.read(f"{info}WHEEL")).get_all("Tag", [])
    extensions = {file for file in files if PurePosixPath(file).suffix in (".so", ".pyd")}
    if len(extensions) != 1 or not min(extensions).startswith("antspy/_antspy."):
        yield f"one extension module is expected, not {sorted(extensions)}"
    package = ROOT / "python"
    sources = {
        path.relative_to(package).as_posix() for path in package.rglob("*") if path.suffix in OF_THE_PACKAGE
    }
    described = {file for file in files if file.startswith(f"{info}sboms/")}  # what was linked into it
    yield from _differences(sources | {info + file for file in DIST_INFO}, files - extensions - described)
    if set(tags) != {f"{python}-{abi}-{platform}" for platform in platforms.split(".")}:
        yield f"the tags {tags} are not those of the name"
    yield from _faults_of_metadata(metadata, version, f"3.{python.removeprefix('cp3')}")


def _faults_of_metadata(metadata: email.message.Message, version: str, python: str) -> Iterator[str]:
    expected = {
        "Name": "antspy",
        "Version": version,
        "License-Expression": "MIT",
        "License-File": "LICENSE",
        "Requires-Python": ">=3.11",
    }
    for field, value in expected.items():
        if metadata[field] != value:
            yield f"{field} is {metadata[field]!r}, not {value!r}"
    for requirement in metadata.get_all("Requires-Dist", []):
        if "extra ==" not in requirement:
            yield f"it requires {requirement}, but nothing is needed at run time"
    classified = metadata.get_all("Classifier", [])
    if f"Programming Language :: Python :: {python}" not in classified:
        yield f"it is not classified as for Python {python}"
    for classifier in set(classified) - classifiers:
        yield f"an index would refuse the classifier {classifier!r}"


def _files_of_repository() -> set[str] | None:
    """What git tracks or would track; `None` outside of a repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    if listed.returncode != 0:
        return None
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


def _differences(expected: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    for name in sorted(set(expected) - set(found)):
        yield f"{name} is missing"
    for name in sorted(set(found) - set(expected)):
        yield f"{name} should not be there"

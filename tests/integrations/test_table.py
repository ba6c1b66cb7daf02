"""The README's table of integrations: what it promises is there, is tested, and is all there is."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support import COMPLETE, library

ROOT = Path(__file__).parent.parent.parent
ROW = re.compile(r"\| (?P<tested>[^|]*) \| \[(?P<name>\w+)\]\((?P<example>examples/with_\w+\.py)\) \|$")
TESTED = re.compile(r"([\w-]+) (\d[\w.]*)")
ROWS = [
    row for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if (row := ROW.search(line))
]
EXTRAS = ("integrations", "prometheus", "opentelemetry")
REQUIREMENTS = {
    requirement.name: requirement
    for requirement in map(Requirement, metadata.requires("antspy") or [])
    if requirement.marker is not None
    and any(requirement.marker.evaluate({"extra": extra}) for extra in EXTRAS)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_has_an_example_and_a_test_and_says_what_was_tested(row: re.Match[str]) -> None:
    assert row["example"] == f"examples/with_{row['name']}.py"
    assert (ROOT / row["example"]).exists()
    assert (Path(__file__).parent / f"test_{row['name']}.py").exists()
    tested = TESTED.findall(row["tested"])
    assert ", ".join(map(" ".join, tested)) == row["tested"]
    for name, version in tested:
        assert REQUIREMENTS[name].specifier.contains(version, prereleases=True), f"{name} {version}"


def test_each_example_and_each_test_has_a_row() -> None:
    names = [row["name"] for row in ROWS]
    assert sorted(names) == sorted(path.stem[5:] for path in (ROOT / "examples").glob("with_*.py"))
    assert sorted(names) == sorted(
        {path.stem[5:] for path in Path(__file__).parent.glob("test_*.py")} - {"table"}
    )


@pytest.mark.skipif(not COMPLETE, reason="a library may have no wheel for this Python")
@pytest.mark.parametrize("name", REQUIREMENTS)
def test_each_library_is_there(name: str) -> None:
    assert REQUIREMENTS[name].specifier.contains(metadata.version(name), prereleases=True)


def test_a_library_that_is_missing_fails_its_tests_where_all_must_be_there() -> None:
    missing = (ModuleNotFoundError,) if COMPLETE else (pytest.skip.Exception,)
    with pytest.raises(missing):
        library("no_such_library")

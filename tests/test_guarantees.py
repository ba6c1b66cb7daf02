"""Each promise of `docs/guarantees.md` names a test that is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
ROWS = [row for row in PAGE.splitlines() if row.startswith("| ") and row.endswith("` |")]
NAMED = sorted(set(re.findall(r"`([\w/]+\.(?:py|rs))(?:::(\w+))?`", PAGE)))


def test_each_promise_names_its_test() -> None:
    promises = [row for row in PAGE.splitlines() if row.startswith("| ") and row.count("|") == 3]
    assert len(promises) > 40
    assert [row for row in promises if row not in ROWS and "tried by" not in row] == []


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_named_test_is_there(file: str, name: str) -> None:
    if file.startswith("soak/"):
        assert (ROOT / file).exists()
        return
    folder = TESTS / "rust" if file.endswith(".rs") else TESTS
    source = (folder / file).read_text(encoding="utf-8")
    assert re.search(rf"^\s*(async )?(def|fn) {name}\(", source, re.MULTILINE), f"{file} has no {name}"

"""The maps of the source are true: each file that they name is there, and has what they say is in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAPS = {
    "src/lib.rs": "src",
    "src/core/README.md": "src/core",
    "docs/design.md": ".",
    "docs/adaptive.md": ".",
    "docs/switch-interval.md": ".",
    "CONTRIBUTING.md": ".",
}
"""Each with the folder from which it names files."""
FILE = re.compile(r"`([\w./-]+\.(?:rs|py|pyi|md|json))`(?:: ((?:`\w+`(?:, | and )?)+))?")


def text(map_: str) -> str:
    source = (ROOT / map_).read_text(encoding="utf-8")
    return re.sub(r"^//! ?", "", source, flags=re.MULTILINE)


def named() -> list[tuple[str, str, str]]:
    """Return which map names which file for what, or for nothing."""
    found = []
    for map_ in MAPS:
        for file, names in FILE.findall(text(map_)):
            found += [(map_, file, name) for name in re.findall(r"\w+", names) or [""]]
    return sorted(set(found))


def where(map_: str, file: str) -> list[Path]:
    """Return the files that may be meant: from the map's folder, the root, or by their last name."""
    folders = [ROOT / MAPS[map_], ROOT, (ROOT / map_).parent]
    direct = [folder / file for folder in folders if (folder / file).exists()]
    if direct or "/" in file:
        return direct
    return [
        path for part in ("src", "tests", "python", "benches", "tools") for path in (ROOT / part).rglob(file)
    ]


@pytest.mark.parametrize(("map_", "file", "name"), named())
def test_what_a_map_names_is_there(map_: str, file: str, name: str) -> None:
    files = where(map_, file)
    assert files, f"{map_} names {file}"
    sources = [path.read_text(encoding="utf-8") for path in files]
    assert any(re.search(rf"\b{name}\b", source) for source in sources), f"{map_}: {file} has no {name}"


@pytest.mark.parametrize("folder", ["src/core", "src/py"])
def test_each_file_of_the_source_is_on_a_map_or_says_itself_what_it_is(folder: str) -> None:
    silent = [
        path.name
        for path in (ROOT / folder).glob("*.rs")
        if not path.read_text(encoding="utf-8").startswith("//! ")
    ]
    assert silent == []

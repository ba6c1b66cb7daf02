"""The site of the documentation has every public name with its text, and fetches nothing from elsewhere."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import antspy
import antspy.testing
import pytest
from support import library

ROOT = Path(__file__).parents[1]
SECONDS = 180.0
"""For the site to be made, on a busy machine."""
pytestmark = pytest.mark.timeout(SECONDS)


class Page(HTMLParser):
    """What is on a page: its text by the heading above it, and what a browser would fetch for it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.fetched: list[str] = []
        self._under = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.texts = {heading: " ".join(text.split()) for heading, text in self.texts.items()}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if re.fullmatch("h[1-6]", tag):
            self._under = named.get("id") or ""
        source = named.get("src") or (named.get("href") if tag == "link" else None)
        if source:
            self.fetched.append(source)

    def handle_data(self, data: str) -> None:
        self.texts[self._under] = self.texts.get(self._under, "") + data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` makes it, in a folder of its own."""
    for name in ("mkdocs", "material", "mkdocstrings"):
        library(name)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    made = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=SECONDS)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture(scope="module")
def reference(site: Path) -> dict[str, str]:
    """What the reference tells of each name."""
    texts: dict[str, str] = {}
    for path in sorted((site / "api").glob("*.html")):
        texts |= Page(path).texts
    return texts


def public() -> Iterator[tuple[str, Any]]:
    """Yield each public name, and each that its class has of this package."""
    for module, name in [
        *(("antspy", name) for name in antspy.__all__ if name != "__version__"),
        *(("antspy.testing", name) for name in antspy.testing.__all__),
    ]:
        thing = getattr(sys.modules[module], name)
        yield f"{module}.{name}", thing
        if not inspect.isclass(thing):
            continue
        for owner in thing.__mro__:
            if owner in antspy.Pool.__mro__ and thing is not antspy.Pool and issubclass(thing, antspy.Pool):
                break  # told at `Pool`
            if owner.__module__.startswith("antspy"):
                for attribute in vars(owner):
                    value = getattr(thing, attribute)
                    if not attribute.startswith("_") and (callable(value) or isinstance(value, property)):
                        yield f"{module}.{name}.{attribute}", value


def told(thing: Any) -> str:
    """The first line of its docstring, as a page has it."""
    return re.sub("[`*]", "", inspect.cleandoc(thing.__doc__ or "").partition("\n")[0])


def test_each_public_name_is_in_the_reference_with_its_text(reference: dict[str, str]) -> None:
    names = dict(public())
    assert {"antspy.Pool.tune", "antspy.Pool.go", "antspy.Future.result", "antspy.WaitGroup.wait"} <= set(
        names
    )
    missing, silent = [], []
    for name, thing in names.items():
        # Functions stand under their module's name: `antspy.map` and `antspy.progress` are modules, too.
        modules = ("antspy.", "antspy.default.", "antspy.progress.")
        places = [name.replace("antspy.", module, 1) for module in modules]
        text = next((reference[place] for place in places if place in reference), None)
        if text is None:
            missing.append(name)
        elif told(thing) not in re.sub("[`*]", "", text) and "As Pool." not in text:
            silent.append((name, told(thing), text[:200]))
    assert (missing, silent) == ([], [])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "Pool.tune",
            "capacity (int | Adaptive | None) \u2013 How many tasks run at the same time from now on",
        ),
        ("Pool.submit", "**kwargs: P.kwargs) -> Future[T]"),
        ("Pool.submit", "PoolOverloadError \u2013 The pool is full"),
        ("Pool.options", "deadline (float | None, default: None )"),
        ("Future.result", "TimeoutError \u2013 It takes longer than timeout seconds."),
        ("WaitGroup.wait", ">>> group.wait(timeout=10)"),
    ],
)
def test_it_has_types_arguments_errors_and_examples(reference: dict[str, str], name: str, words: str) -> None:
    assert words in reference[f"antspy.{name}"]


def test_it_has_the_tables_of_the_readme(site: Path) -> None:
    texts = Page(site / "tables.html").texts
    assert "WithMaxBlockingTasks" in texts["antspy-beside-ants"]
    assert "examples/ants_full_pool.py" in texts["antspy-beside-ants"]
    assert "buffersize" in texts["antspy-beside-the-standard-library"]
    assert "APScheduler" in texts["integrations"]
    assert "SimpleQueue" in texts["benchmarks"]


def test_it_fetches_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 25
    foreign = {
        (page.relative_to(site), source)
        for page in pages
        for source in Page(page).fetched
        if re.match(r"(https?:)?//", source)
    }
    styles = [path for path in site.rglob("*.css") if re.search(r"url\([\"']?(https?:)?//", path.read_text())]
    assert (foreign, styles) == (set(), [])

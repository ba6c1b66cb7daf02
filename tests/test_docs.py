"""What the documentation shows is true: docstrings, the README's blocks, the examples."""

import ast
import doctest
import importlib.util
import pkgutil
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import antspy
import pytest
from antspy.cli import make_parser
from support import COMPLETE, LIMIT, Program

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r'^```(\w+)(?: title="([^"\n]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
"""A block of code: its language, the name of the file that it is for, if any, and its text."""
NEED_A_LIBRARY = (
    *("antspy.dask", "antspy.joblib", "antspy.opentelemetry", "antspy.prometheus"),
    "antspy.watch.top",
)
MODULES = [
    module.name
    for module in pkgutil.walk_packages(antspy.__path__, "antspy.")
    # What needs an extra has tests of its own.
    if not module.name.startswith(("antspy.study", "antspy.__main__", *NEED_A_LIBRARY))
]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    (page, *block) for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))
]  # page, language, name, text
PROGRAMS = [(page, text) for page, language, _, text in BLOCKS if language == "python"]
COMMANDS = [
    line.removeprefix("$ ").split("  #")[0].strip()
    for _, language, _, text in BLOCKS
    if language == "console"
    for line in text.splitlines()
    if line.startswith("$ ")
]
STARTS_OTHERS = 60.0
"""Seconds for an example with another library, which may start servers and processes."""
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("name", ["antspy", *MODULES])
def test_examples_in_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(name)
    tests = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tests.failed == 0


def test_the_stub_documents_what_the_core_offers_and_its_examples_are_true() -> None:
    stub = (ROOT / "python" / "antspy" / "_antspy.pyi").read_text(encoding="utf-8")
    documented = (ast.ClassDef, ast.FunctionDef)
    texts = [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(stub)) if isinstance(node, documented)
    ]
    test = doctest.DocTestParser().get_doctest("\n\n".join(texts), {}, "_antspy.pyi", "_antspy.pyi", 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


def programs() -> list[Any]:
    """Each with the name of its page, and which of its blocks it is."""
    counts: Counter[Path] = Counter()
    found = []
    for page, text in PROGRAMS:
        counts[page] += 1
        found.append(pytest.param(page, text, id=f"{page.relative_to(ROOT)}-{counts[page]}"))
    return found


def test_no_python_block_is_overlooked() -> None:
    begun = re.compile(r"^ *```python", re.MULTILINE)
    written = sum(len(begun.findall(page.read_text(encoding="utf-8"))) for page in PAGES)
    assert len(PROGRAMS) == written > 30


@pytest.mark.timeout(STARTS_OTHERS + LIMIT)
@pytest.mark.parametrize(("page", "text"), programs())
def test_a_python_block_of_a_page_runs(page: Path, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for other, _, name, source in BLOCKS:
            if other == page and name:  # the reader has been told to save it
                Path(folder, name).write_text(source, encoding="utf-8")
        limit = STARTS_OTHERS if "distributed" in text else LIMIT
        code, out, err = Program(text, folder=Path(folder), limit=limit).end()
    if "ModuleNotFoundError" in err and not COMPLETE:
        pytest.skip(err.splitlines()[-1])
    assert code == 0, f"{text}\n{out}\n{err}"


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_a_command_of_a_page_exists(command: str) -> None:
    program, *words = [word for word in shlex.split(command) if not re.fullmatch(r"[A-Z_]+=.*", word)]
    match [Path(program).name or program, *words]:
        case ["make", *targets]:
            rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            assert set(targets) <= set(rules)
        case ["antspy", *arguments]:
            if not {"-h", "--help"} & set(arguments):
                make_parser().parse_args(arguments)  # raises what it does not know
        case ["python" | "python3", "-m", module, *_]:
            assert importlib.util.find_spec(module)
        case ["python", script, *_]:
            assert (ROOT / script).is_file() or script in {name for _, _, name, _ in BLOCKS}
        case [".", script]:  # of the environment that the command above it makes
            assert script == "env/bin/activate"
        case ["pip", "install", *_]:
            project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            for extras in re.findall(r"\.\[([\w,]+)\]", command):
                assert set(extras.split(",")) <= set(project["optional-dependencies"])
        case ["ssh", *there] if "antspy" in there:
            make_parser().parse_args(there[there.index("antspy") + 1 :])
        case ["curl", *_]:  # of what a command above it serves
            assert "127.0.0.1" in command or "--unix-socket" in command
        case _:
            pytest.fail(f"nobody knows what this is: {command}")


@pytest.mark.timeout(STARTS_OTHERS + LIMIT)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(path: Path) -> None:
    limit = STARTS_OTHERS if path.name.startswith("with_") else LIMIT
    ended = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=limit)
    if "ModuleNotFoundError" in ended.stderr and not COMPLETE:
        pytest.skip(ended.stderr.splitlines()[-1])
    assert ended.returncode == 0, ended.stderr

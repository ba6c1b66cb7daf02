"""What the documentation shows is true: docstrings, the README's blocks, the examples."""

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import antspy
import pytest
from support import COMPLETE, LIMIT, Program

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MODULES = [
    module.name
    for module in pkgutil.walk_packages(antspy.__path__, "antspy.")
    # The study, the backend for joblib and the pool on a cluster need an extra, and have tests of their own.
    if not module.name.startswith(("antspy.study", "antspy.joblib", "antspy.dask", "antspy.__main__"))
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [block for page in PAGES for block in BLOCK.findall(page.read_text(encoding="utf-8"))]
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


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_python_block_of_a_page_runs(number: int) -> None:
    code, out, err = Program(BLOCKS[number]).end()
    if "ModuleNotFoundError" in err and not COMPLETE:
        pytest.skip(err.splitlines()[-1])
    assert code == 0, f"{BLOCKS[number]}\n{out}\n{err}"


@pytest.mark.timeout(STARTS_OTHERS + LIMIT)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(path: Path) -> None:
    limit = STARTS_OTHERS if path.name.startswith("with_") else LIMIT
    ended = subprocess.run([sys.executable, path], capture_output=True, text=True, timeout=limit)
    if "ModuleNotFoundError" in ended.stderr and not COMPLETE:
        pytest.skip(ended.stderr.splitlines()[-1])
    assert ended.returncode == 0, ended.stderr

"""Which tests run wherever antspy is installed."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path


def plain_tests(tests: Path) -> list[str]:
    """The names of test files that need nothing but pytest and what lies beside them."""
    beside = {path.stem for path in tests.glob("*.py")}
    own = {"antspy", "pytest", *beside, *sys.stdlib_module_names}
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(tests.glob("test_*.py"))}
    # A test that needs more of the source tree calls that ROOT.
    return [name for name, text in texts.items() if "ROOT" not in text and own.issuperset(imported(text))]


def imported(text: str) -> Iterator[str]:
    """The packages that a file imports at its beginning."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]

"""What SECURITY.md says of the package's own code."""

import ast
from pathlib import Path

import antspy
import pytest

PACKAGE = Path(antspy.__file__).parent

DESERIALIZERS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "yaml"}
EVALUATORS = {"eval", "exec", "compile", "__import__"}
NETWORK = {"socket", "socketserver", "http", "urllib", "multiprocessing"}

SERVES = {
    "study": "a server of its own, on 127.0.0.1, and loads it: `antspy study`",
    "watch": "a Unix socket that only its owner can open: `serve_stats`; and who asks there: `antspy top`",
}
"""What has to do with sockets, and what for."""


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def called(tree: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name)}


def files() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert PACKAGE / "pool.py" in found
    return found


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_nothing_is_unpickled_or_evaluated_or_fetched(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not imported(tree) & DESERIALIZERS
    assert not called(tree) & EVALUATORS
    if file.relative_to(PACKAGE).parts[0] not in SERVES:
        assert not imported(tree) & NETWORK

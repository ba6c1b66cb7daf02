"""What mypy and pyright make of the public names, in `tests/typing/` and by `reveal_type`."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mypy", reason="types are checked on one Python only")
ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.timeout(300)

PRELUDE = """
import antspy
from antspy import Future, MultiPool, Pool, PoolWithFunc, ThreadPoolExecutor, WaitGroup

def greet(name: str, *, loud: bool = False) -> str:
    return name

async def calls(pool: Pool, future: Future[str], one: PoolWithFunc[str], multi: MultiPool) -> None:
"""

REVEALED = {
    "pool.submit(greet, 'ant', loud=True)": "Future[str]",
    "pool.submit(greet, 'ant').result()": "str",
    "pool.submit(int, 'ff', base=16)": "Future[int]",
    "await pool.submit(greet, 'ant')": "str",
    "pool.go(greet, 'ant')": "None",
    "pool.map(len, ['a', 'b'])": "Iterator[int]",
    "pool.capacity": "int | None",
    "pool.wait(1)": "bool",
    "await pool.asubmit(greet, 'ant')": "Future[str]",
    "pool.arun(greet, 'ant')": "LoopFuture[str]",
    "await pool.arun(greet, 'ant')": "str",
    "pool.amap(len, ['a', 'b'])": "AsyncGenerator[int, None]",
    "future": "Future[str]",
    "await future": "str",
    "future.exception()": "BaseException | None",
    "PoolWithFunc(greet, 3)": "PoolWithFunc[str]",
    "one.submit('ant')": "Future[str]",
    "one.invoke('ant')": "None",
    "await one.options(name='ant').submit('ant')": "str",
    "pool.options(priority='high')": "PoolView",
    "pool.options(priority='high').submit(greet, 'ant')": "Future[str]",
    "pool.subpool(2)": "SubPool",
    "pool.subpool(2).submit(greet, 'ant')": "Future[str]",
    "pool.group()": "Group",
    "pool.group().submit(greet, 'ant')": "Future[str]",
    "multi.submit(greet, 'ant')": "Future[str]",
    "multi.pools": "tuple[Pool, ...]",
    "ThreadPoolExecutor(3).submit(greet, 'ant')": "Future[str]",
    "WaitGroup(pool).go(greet, 'ant')": "None",
    "WaitGroup(pool).wait()": "bool",
    "antspy.submit(greet, 'ant')": "Future[str]",
    "await antspy.submit(greet, 'ant')": "str",
    "antspy.map(len, ['a'])": "Iterator[int]",
    "antspy.group()": "Group",
    "antspy.default_pool()": "Pool",
}
"""What `reveal_type` says of each call, without the names of modules."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that asks for the types of all these calls, one a line."""
    path = tmp_path_factory.mktemp("typing") / "revealed.py"
    path.write_text(PRELUDE + "".join(f"    reveal_type({call})\n" for call in REVEALED), encoding="utf-8")
    return path


def named(lines: dict[int, str]) -> dict[str, str]:
    """What was revealed on each line of the program, by the call that is there."""
    first = PRELUDE.count("\n") + 1
    plain = {line: re.sub(r"\b(\w+\.)+", "", shown) for line, shown in lines.items()}
    return {call: plain.get(line, "nothing") for line, call in enumerate(REVEALED, start=first)}


def mypy(*arguments: str | Path) -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def pyright(*arguments: str | Path) -> dict[str, Any]:
    """What pyright says as JSON. It looks for packages where `python` leads it: to this environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        # Else it asks a registry whether there is a newer one.
        env={**os.environ, "PATH": path, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
    )
    assert ended.stdout.startswith("{"), ended.stdout + ended.stderr
    said: dict[str, Any] = json.loads(ended.stdout)
    return said


@pytest.fixture(scope="module")
def has_pyright() -> None:
    """Skip where pyright cannot be had: it comes with a Node.js, for which a machine may be too old."""
    if find_spec("pyright") is None:
        missing = "pyright is not installed"
    else:
        command = [sys.executable, "-m", "pyright", "--version"]
        tried = subprocess.run(command, capture_output=True, text=True)
        if tried.returncode == 0:
            return
        missing = f"pyright does not run: {tried.stdout}{tried.stderr}"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def test_mypy_finds_the_mistakes_that_are_announced_and_no_others() -> None:
    mypy("python/antspy", "tests/typing")


def test_mypy_reveals_what_users_see(program: Path) -> None:
    revealed = re.findall(r':(\d+): note: Revealed type is "(.*)"', mypy(program))
    assert named({int(line): shown for line, shown in revealed}) == REVEALED


@pytest.mark.usefixtures("has_pyright")
def test_pyright_finds_the_mistakes_that_are_announced_and_no_others() -> None:
    said = pyright("--warnings")
    assert said["generalDiagnostics"] == []
    assert said["summary"]["filesAnalyzed"] >= len(list((ROOT / "tests" / "typing").glob("check_*.py")))


@pytest.mark.usefixtures("has_pyright")
def test_pyright_reveals_what_users_see(program: Path) -> None:
    lines = {}
    for diagnostic in pyright(program)["generalDiagnostics"]:
        revealed = re.fullmatch(r'Type of ".*" is "(.*)"', diagnostic["message"], re.DOTALL)
        assert revealed, diagnostic
        lines[diagnostic["range"]["start"]["line"] + 1] = revealed[1]
    assert named(lines) == REVEALED


@pytest.mark.usefixtures("has_pyright")
def test_every_public_name_has_a_type() -> None:
    found = pyright("--verifytypes", "antspy", "--ignoreexternal")["typeCompleteness"]
    public = [symbol for symbol in found["symbols"] if symbol["isExported"]]
    # Its base class is joblib's, which has no types.
    public = [symbol for symbol in public if symbol["name"] != "antspy.joblib.AntspyBackend"]
    assert {"antspy.Pool", "antspy.submit"} <= {symbol["name"] for symbol in public}
    # Ambiguous: taken over from an assignment, as `submit` in `antspy.default`. Checkers agree on those.
    known = [symbol["name"] for symbol in public if symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]]
    assert known == [symbol["name"] for symbol in public]

"""Runs the tests on the Python that runs this: `python3.12 tools/this_python.py [pytest] [cpython] [soak]`.

In an environment of its own under `target/`, with the package built for it. What the tests need and is not to
be had as a wheel there is left out, and those that use it skip themselves.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}{sys.abiflags}"
HOME = ROOT / "target" / "pythons" / VERSION
PYTHON = HOME / "environment" / "bin" / "python"

COMMANDS: dict[str, list[str]] = {
    "pytest": ["-m", "pytest"],
    "cpython": ["tests/cpython/runner.py"],
    "soak": ["soak/soak.py", "--out", str(HOME / "soak"), "ends", "forks", "signals"],
    "parallel": [
        *("-m", "pytest", "--parallel-threads=4"),
        *(f"--ignore=tests/{folder}" for folder in ("model", "integrations")),
    ],
}
"""`soak`: those of its parts that Pythons differ in. `parallel`: each test in four threads at once, by
pytest-run-parallel."""

USUAL = ["pytest", "cpython"]
"""What is run where nothing is named."""

NOT_NEEDED = ("gevent", "maturin", "pyperf", "ruff", "trove", "twine")
"""What no test needs."""


def run(*command: object) -> int:
    # Cargo keeps what it has built for one Python.
    settings = {"CARGO_TARGET_DIR": str(HOME / "cargo"), **os.environ}
    return subprocess.run([*map(str, command)], cwd=ROOT, env=settings).returncode


def pip(*arguments: object) -> bool:
    return run(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments) == 0


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for names in project["optional-dependencies"].values() for one in names]
    return [one for one in extras if not one.startswith(NOT_NEEDED)]


def install(parts: list[str]) -> None:
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", HOME / "environment"], check=True)
    wheels = ["--only-binary", ":all:"]
    if {"pytest", "parallel"} & set(parts) and not pip(*wheels, *requirements()):
        for requirement in requirements():
            if not pip(*wheels, requirement):
                print(f"CPython {VERSION}: no wheel of {requirement}: what needs it is skipped", flush=True)
    if "parallel" in parts and not pip("pytest-run-parallel>=0.6"):
        raise SystemExit(f"CPython {VERSION}: pytest-run-parallel is needed")
    if not pip("--no-deps", "--force-reinstall", ROOT):
        raise SystemExit(f"CPython {VERSION}: the package could not be built")


def main(parts: list[str]) -> int:
    install(parts)
    codes = [run(PYTHON, *COMMANDS[part]) for part in parts]
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or USUAL))

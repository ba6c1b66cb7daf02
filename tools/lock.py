"""Writes `requirements/*.txt`: every package that the study and the tests install, by version and hash.

    python tools/lock.py [--upgrade]

For all Pythons and systems at once. Without `--upgrade` it changes only what `pyproject.toml` asks for. It
needs uv.
"""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

USED = ["study", "top", "prometheus", "opentelemetry", "dask"]
LOCKS = {"study": ["study"], "development": [*USED, "docs", "dev", "integrations"]}
"""Which extras each has; the build's own requirements are in all."""


def main(options: list[str]) -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    build = "\n".join(project["build-system"]["requires"])
    oldest = project["project"]["requires-python"].removeprefix(">=")
    for name, extras in LOCKS.items():
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", *options]
        command += ["--python-version", oldest, "--no-annotate", "--custom-compile-command", "make lock"]
        command += [argument for extra in extras for argument in ("--extra", extra)]
        command += ["--output-file", f"requirements/{name}.txt", "pyproject.toml", "-"]
        if code := subprocess.run(command, cwd=ROOT, input=build, text=True).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

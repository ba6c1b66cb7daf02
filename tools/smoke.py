"""A first look at an installed antspy. `wheels.py` runs it in an environment that has nothing else."""

import asyncio
import importlib.metadata
import subprocess
import sys
import sysconfig
import warnings
from pathlib import Path

warnings.simplefilter("error")  # of a debug build, or about the interpreter lock

import antspy  # noqa: E402


async def in_a_coroutine(pool: antspy.Pool) -> int:
    return await pool.submit(sum, range(10))


def main() -> None:
    package = Path(antspy.__file__).parent
    assert package.is_relative_to(sys.prefix), f"{package} is not in {sys.prefix}"
    assert antspy.__version__ == importlib.metadata.version("antspy")
    assert (package / "py.typed").exists()
    assert (package / "_antspy.pyi").exists()
    with antspy.Pool(2) as pool:
        assert pool.submit(pow, 2, 10).result(timeout=10) == 1024
        assert list(pool.map(abs, range(-100, 0), timeout=10)) == list(range(100, 0, -1))
        assert asyncio.run(in_a_coroutine(pool)) == 45
        seen: list[int] = []
        with antspy.WaitGroup(pool) as group:
            for number in range(100):
                group.go(seen.append, number)
        assert sorted(seen) == list(range(100))
        failed = pool.submit(int, "ant").exception(timeout=10)
        assert isinstance(failed, ValueError)
    assert pool.running == 0
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert not sys._is_gil_enabled(), "importing antspy has brought the interpreter lock back"  # type: ignore[attr-defined, unused-ignore]
    command = Path(sysconfig.get_path("scripts")) / "antspy"
    study = subprocess.run([command, "study"], capture_output=True, text=True)
    # It says what it lacks: this environment has none of it.
    assert (study.returncode, study.stderr.split(": ")[0]) == (2, "antspy study"), study
    print(f"  {antspy.__version__} in Python {sys.version.split()[0]}: {package}")


if __name__ == "__main__":
    main()

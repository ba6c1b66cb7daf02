"""Coverage counts the lines that run in workers, whichever way it measures."""

import json
import sys
from pathlib import Path

import pytest
from script_support import lines, run, write
from support import library

library("coverage")

SYSMON = pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12")
CORES = pytest.mark.parametrize("core", ["ctrace", pytest.param("sysmon", marks=SYSMON)])


def measured(folder: Path) -> dict[str, set[int]]:
    """Return which lines of the program have run, and which have not."""
    report = "json", "-q", "--data-file=data", "-o", "report.json", "--include=program.py"
    run(folder, "-m", "coverage", *report)
    files = json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
    return {kind: set(files["program.py"][f"{kind}_lines"]) for kind in ("executed", "missing")}


@CORES
@pytest.mark.parametrize("name", [None, "fetch users", "two\nlines, and a surrogate \udc80", "test_x"])
def test_coverage_counts_the_lines_of_tasks(core: str, name: str | None, tmp_path: Path) -> None:
    program = write(
        tmp_path,
        f"""
        from antspy import Pool

        def start():
            return 7  # has run

        def stop(state):
            print(state)  # has run

        def fetch(number):
            if number < 2:  # has run
                return -number  # has run
            return number  # has not

        with Pool(2, initializer=start, finalizer=stop) as pool:
            view = pool.options(name={name!r})
            view.go(fetch, 0)
            view.submit(fetch, 1).result()
            list(view.map(lambda number: fetch(number), range(2)))
        """,
    )
    run(tmp_path, "-m", "coverage", "run", "--data-file=data", "program.py", COVERAGE_CORE=core)
    seen = measured(tmp_path)
    assert seen["executed"] >= lines(program, "has run")
    assert seen["missing"] == lines(program, "has not")


@CORES
def test_coverage_that_starts_after_the_pool_counts_the_lines_of_new_workers(
    core: str, tmp_path: Path
) -> None:
    program = write(
        tmp_path,
        """
        import threading
        import coverage
        from antspy import Pool

        def old():
            barrier.wait(10)  # old worker

        def new():
            barrier.wait(10)  # new worker

        barrier = threading.Barrier(2)
        with Pool(2) as pool:
            pool.submit(int).result()
            measure = coverage.Coverage(data_file="data", include=["program.py"])
            measure.start()
            futures = [pool.submit(old), pool.submit(new)]
            for future in futures:
                future.result()
            measure.stop()
            measure.save()
        """,
    )
    run(tmp_path, "program.py", COVERAGE_CORE=core)
    executed = measured(tmp_path)["executed"]
    assert executed >= lines(program, "new worker")
    # What was installed by `sys.settrace` is a running thread's own affair; `sys.monitoring` is all threads'.
    assert bool(executed & lines(program, "old worker")) == (core == "sysmon")

"""`antspy study --against go`: ants in Go on the same jobs, and the study without Go."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from antspy.cli import EXTRA
from support import LIMIT, library

for name in (*EXTRA, "pycurl"):
    library(name)
from antspy.study import go_program  # noqa: E402
from antspy.study.options import Capacity, Unbounded, Variant  # noqa: E402
from antspy.study.result import Result  # noqa: E402
from antspy.study.rival import Rival  # noqa: E402
from study_support import JOBS, PATHS, calls, measured, row  # noqa: E402

GO = shutil.which("go")
needs_go = pytest.mark.skipif(GO is None, reason="go is not on PATH")
BUILD_LIMIT = 300.0
"""Seconds for Go's first build on a machine, which compiles its library, too."""
pytestmark = pytest.mark.timeout(BUILD_LIMIT)

SMALL = ["--jobs", "200", "--capacities", "none,default,50", "--port", "0", "--delay", "0.02"]


def study(out: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "antspy", "study", *SMALL, "--out", str(out), *arguments]
    env = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=BUILD_LIMIT, env=env)


def written(out: Path) -> dict[str, Any]:
    assert (out / "study.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    return dict(json.loads((out / "study.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def program() -> Path:
    """The Go side, built."""
    return go_program.build_go_program()


@needs_go
def test_each_row_stands_beside_that_of_ants(tmp_path: Path, program: Path) -> None:
    ended = study(tmp_path, "--against", "go")
    assert ended.returncode == 0, ended.stderr
    outcome = written(tmp_path)
    ours, against = outcome["configurations"], outcome["against"]
    theirs = against["configurations"]
    assert against["missing"] is None
    assert "ants 2.12.0" in against["client"]
    assert [row["name"] for row in theirs] == [row["name"] for row in ours] == ["no pool", "default", "50"]
    for mine, other, ratio in zip(ours, theirs, against["ratios"], strict=True):
        assert mine.keys() == other.keys()
        assert (mine["failed"], other["jobs"], other["failed"]) == (0, 200, 0)
        assert other["elapsed_ms"] >= 20
        assert other["peak_rss_mb"] >= other["start_rss_mb"] > 1
        assert ratio["name"] == mine["name"]
        assert ratio["elapsed"] == pytest.approx(mine["elapsed_ms"] / other["elapsed_ms"], abs=0.001)
        assert ratio["peak_rss"] == pytest.approx(mine["peak_rss_mb"] / other["peak_rss_mb"], abs=0.001)
    none, default, fifty = theirs
    assert none["capacity"] is none["running"] is none["free"] is None
    assert default["capacity"] == 2147483647
    assert (fifty["capacity"], fifty["running"], fifty["free"]) == (50, 50, 0)
    assert fifty["elapsed_ms"] >= 80  # 200 jobs of 20 ms, 50 at a time
    assert against["client"] in ended.stdout
    table = ended.stdout.partition("beside ants in Go")[2]
    assert f"{theirs[0]['elapsed_ms']:,.0f}" in table
    assert f"{against['ratios'][0]['elapsed']:.2f}" in table


@needs_go
def test_a_pool_that_tunes_itself_has_no_like_in_go(tmp_path: Path, program: Path) -> None:
    ended = study(tmp_path, "--against", "go", "--capacities", "5,adaptive")
    assert ended.returncode == 0, ended.stderr
    outcome = written(tmp_path)
    assert [row["name"] for row in outcome["configurations"]] == ["5", "adaptive"]
    assert [row["name"] for row in outcome["against"]["configurations"]] == ["5"]
    five, adaptive = outcome["against"]["ratios"]
    assert five["elapsed"] > 0
    assert (adaptive["elapsed"], adaptive["peak_rss"]) == (None, None)


@needs_go
@pytest.mark.parametrize("variant", list(Variant))
@pytest.mark.parametrize("capacity", [5, Unbounded.DEFAULT, Unbounded.NONE])
def test_each_variant_does_the_same_jobs(capacity: Capacity, variant: Variant, program: Path) -> None:
    with calls() as server:
        result = measured([str(program)], row(server.server_port, capacity, variant))
    assert (result["jobs"], result["failed"]) == (JOBS, 0)
    assert sorted(server.paths) == PATHS


@needs_go
@pytest.mark.parametrize("close", [False, True])
def test_connections_are_kept_unless_the_server_closes_them(close: bool, program: Path) -> None:
    with calls(close=close) as server:
        assert measured([str(program)], row(server.server_port))["failed"] == 0
    assert len(server.connections) == JOBS if close else 1 <= len(server.connections) <= 5


@needs_go
@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_that_is_not_200_is_a_failed_job(status: int, program: Path) -> None:
    with calls(status) as server:
        result = measured([str(program)], row(server.server_port))
    assert result["reasons"] == {f"status {status}": JOBS}


@needs_go
def test_without_a_server_each_job_fails_for_one_reason(program: Path) -> None:
    with calls() as server:
        pass
    result = measured([str(program)], row(server.server_port))
    assert result["reasons"] == {"connection refused": JOBS}


@needs_go
def test_the_go_side_ends_with_its_parent(program: Path) -> None:
    with calls() as server:
        endless = replace(row(server.server_port), jobs=10**9)
        process = subprocess.Popen(
            [str(program), endless.to_json()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()  # it runs
        process.communicate(timeout=LIMIT)  # closes its standard input
        assert process.returncode == 1


@needs_go
def test_the_go_sources_are_formatted_and_vetted() -> None:
    assert GO is not None
    for command in (["gofmt", "-l", "."], [GO, "vet", "./..."]):
        ended = subprocess.run(command, cwd=go_program.SOURCES, capture_output=True, text=True)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def without_go(out: Path, why: str, **environment: str) -> None:
    """The study runs, and says what is missing."""
    ended = study(out, "--against", "go", **environment)
    assert ended.returncode == 0, ended.stderr
    outcome = written(out)
    assert [row["failed"] for row in outcome["configurations"]] == [0, 0, 0]
    against = outcome["against"]
    assert why in against["missing"]
    assert f"Without ants in Go: {against['missing']}" in ended.stdout
    assert against["configurations"] == []
    assert {ratio["elapsed"] for ratio in against["ratios"]} == {None}


def test_without_go_it_says_so(tmp_path: Path) -> None:
    without_go(tmp_path, "go is not on PATH", PATH=str(tmp_path))


@needs_go
def test_without_the_modules_it_says_so(tmp_path: Path) -> None:
    assert GO is not None
    kept = subprocess.run([GO, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    without_go(
        tmp_path,
        "GOPROXY=off",
        GOCACHE=kept,
        GOPROXY="off",
        GOMODCACHE=str(tmp_path / "modules"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
    )


def test_a_row_with_failed_jobs_has_no_ratio() -> None:
    rival = Rival(results=[Result("10", jobs=5, failed=0, elapsed_ms=100, peak_rss_mb=50)])
    whole = rival.ratio(Result("10", jobs=5, failed=0, elapsed_ms=90, peak_rss_mb=60))
    assert (whole.elapsed, whole.peak_rss) == (0.9, 1.2)
    failed = rival.ratio(Result("10", jobs=5, failed=1, elapsed_ms=90, peak_rss_mb=60))
    assert (failed.elapsed, failed.peak_rss) == (None, None)

"""`antspy study --cluster local`: a pool on a cluster does the same jobs beside the pool of one process."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from antspy.cli import EXTRA, make_parser, study_options
from support import library

for name in (*EXTRA, "pycurl", "distributed"):
    library(name)
from antspy.study.child import python  # noqa: E402
from antspy.study.cluster_work import ClusterWork  # noqa: E402
from antspy.study.options import CLUSTER_JOBS, JOBS, Capacity, Options, Unbounded, Variant  # noqa: E402
from study_support import JOBS as CALLS  # noqa: E402
from study_support import PATHS, calls, measured, row  # noqa: E402

LONG = 90.0
"""Seconds for a study that starts clusters."""
SMALL = ["--jobs", "60", "--capacities", "none,default,5", "--port", "0", "--delay", "0.02"]


def study(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "antspy", "study", *SMALL, "--out", str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG)


@pytest.mark.timeout(LONG + 10)
def test_each_row_of_a_pool_stands_beside_that_of_a_cluster(tmp_path: Path) -> None:
    ended = study(tmp_path, "--cluster", "local")
    assert ended.returncode == 0, ended.stderr
    outcome = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert outcome["options"]["cluster"] == "local"
    assert outcome["against"] is None
    ours, cluster = outcome["configurations"], outcome["cluster"]
    assert "Dask distributed" in cluster["client"]
    assert [row["name"] for row in ours] == ["no pool", "default", "5"]
    assert [row["name"] for row in cluster["configurations"]] == ["default", "5"]
    for theirs in cluster["configurations"]:
        assert (theirs["jobs"], theirs["failed"]) == (60, 0)
        assert theirs["elapsed_ms"] >= 20
        assert theirs["peak_rss_mb"] > 2 * ours[0]["peak_rss_mb"]  # of three processes
    default, five = cluster["configurations"]
    assert default["capacity"] == 2147483647
    assert (five["capacity"], five["running"]) == (5, 5)
    assert five["elapsed_ms"] >= 240  # 60 jobs of 20 ms, 5 at a time
    none, *ratios = cluster["ratios"]
    assert none["elapsed"] is None
    for mine, theirs, ratio in zip(ours[1:], cluster["configurations"], ratios, strict=True):
        assert ratio["elapsed"] == pytest.approx(mine["elapsed_ms"] / theirs["elapsed_ms"], abs=0.001)
    table = ended.stdout.partition("beside a ClusterPool")[2]
    assert f"{five['elapsed_ms']:,.0f}" in table
    assert "CPython's own" in table


@pytest.mark.parametrize(
    ("capacity", "variant"),
    [(5, Variant.TUNE), (Unbounded.ADAPTIVE, Variant.REBOOT)],
)
def test_each_variant_does_the_same_jobs(capacity: Capacity, variant: Variant) -> None:
    with calls() as server:
        result = measured(python("cluster_measurement"), row(server.server_port, capacity, variant))
    assert (result["jobs"], result["failed"], result["notes"]) == (CALLS, 0, [])
    assert sorted(server.paths) == PATHS


def test_jobs_that_fail_are_counted_by_their_reason() -> None:
    with calls(500) as server:
        result = measured(python("cluster_measurement"), row(server.server_port))
    assert result["reasons"] == {"status 500": CALLS}
    assert len(server.connections) < CALLS  # each thread of a worker keeps its own


def test_without_a_number_of_jobs_a_cluster_gets_fewer() -> None:
    def parse(*arguments: str) -> Options:
        given = vars(make_parser().parse_args(["study", *arguments]))
        del given["command"]
        return study_options(given)

    assert parse().jobs == JOBS
    assert parse("--cluster", "local").jobs == CLUSTER_JOBS
    assert parse("--cluster", "local", "--jobs", "7").jobs == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cluster", "remote"], "--cluster"),
        (["--cluster", "local", "--against", "go"], "--cluster: not together with --against"),
        (["--cluster", "local", "--variant", "func"], "--cluster: there is no variant func"),
        (["--cluster", "local", "--variant", "channels"], "--cluster: there is no variant channels"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    ended = study(tmp_path, *arguments)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert message in line


def test_a_job_on_its_way_takes_nothing_of_this_process_with_it() -> None:
    work = ClusterWork(row(1), [])
    assert len(pickle.dumps(work.request)) < 300

"""The study, run for real on a small number of jobs: its table, its files, its variants, its faults."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from antspy.cli import EXTRA
from support import library

for name in (*EXTRA, "pycurl"):
    library(name)
pytestmark = pytest.mark.timeout(120)

COMMAND = [sys.executable, "-m", "antspy", "study"]
PNG = b"\x89PNG\r\n\x1a\n"
SERVER = re.compile(r"process (\d+), port (\d+)")


def study(*arguments: str, limit: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=limit)


def begin(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
    )


def server_of(process: subprocess.Popen[str]) -> tuple[int, int]:
    """The server's process and port, as the command prints them once it has been measured."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := SERVER.search(line):
            return int(found[1]), int(found[2])
    raise AssertionError("the command ended before it named its server")


def written(out: Path) -> dict[str, Any]:
    assert (out / "study.png").read_bytes().startswith(PNG)
    return dict(json.loads((out / "study.json").read_text(encoding="utf-8")))


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_four_configurations_become_a_table_a_picture_and_json(tmp_path: Path) -> None:
    ended = study("--jobs", "300", "--port", "0", "--delay", "0.02", "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    outcome = written(tmp_path)
    assert outcome["against"] is None
    assert "ants in Go" not in ended.stdout
    rows = outcome["configurations"]
    assert [row["name"] for row in rows] == ["no pool", "default", "10000", "1000"]
    for row in rows:
        assert (row["jobs"], row["failed"]) == (300, 0)
        assert row["elapsed_ms"] >= 20
        assert row["peak_rss_mb"] > 1
        assert row["name"] in ended.stdout
    none, default, *sized = rows
    assert none["capacity"] is none["running"] is none["free"] is None
    assert default["capacity"] == 2147483647
    for row in (default, *sized):
        assert 0 < row["running"] <= 300
        assert row["free"] == row["capacity"] - row["running"]
    assert re.search(r"[\d,]+ requests/s", ended.stdout)


@pytest.mark.parametrize("variant", ["func", "two", "prealloc", "tune", "reboot", "channels"])
def test_every_variant_does_all_jobs(variant: str, tmp_path: Path) -> None:
    arguments = ["--jobs", "101", "--capacities", "20,adaptive", "--port", "0", "--delay", "0.01"]
    ended = study(*arguments, "--variant", variant, "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    for row in written(tmp_path)["configurations"]:
        assert (row["jobs"], row["failed"]) == (101, 0)


def test_a_pool_that_tunes_itself_has_a_row(tmp_path: Path) -> None:
    arguments = ["--jobs", "2000", "--capacities", "2,adaptive", "--port", "0", "--delay", "0.01"]
    ended = study(*arguments, "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    fixed, adaptive = written(tmp_path)["configurations"]
    assert (adaptive["name"], adaptive["failed"]) == ("adaptive", 0)
    assert 2 < adaptive["capacity"] <= 2000
    assert adaptive["elapsed_ms"] < fixed["elapsed_ms"]  # which takes 10 s


@pytest.mark.parametrize("client", ["pycurl", "http.client"])
def test_there_are_other_clients(client: str, tmp_path: Path) -> None:
    arguments = ["--jobs", "50", "--capacities", "10", "--port", "0", "--delay", "0.01"]
    ended = study(*arguments, "--client", client, "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert client in ended.stdout.lower()
    assert written(tmp_path)["configurations"][0]["failed"] == 0


def test_a_server_that_dies_makes_failed_jobs_not_a_hang(tmp_path: Path) -> None:
    arguments = ["--jobs", "400", "--capacities", "4", "--port", "0", "--delay", "0.1"]
    process = begin(*arguments, "--out", str(tmp_path))
    server, _ = server_of(process)  # 10 s of jobs are about to begin
    os.kill(server, signal.SIGKILL)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 1, (out, error)
    (row,) = written(tmp_path)["configurations"]
    assert row["failed"] > 0


def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    arguments = ["--jobs", "2000", "--capacities", "2", "--port", "0", "--delay", "0.1"]
    process = begin(*arguments, "--out", str(tmp_path))
    server, port = server_of(process)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert not is_alive(server)
    with socket.create_server(("127.0.0.1", port)):  # nobody listens any more
        pass


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = study("--port", str(port), "--out", str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [f"antspy study: --port {port}: in use"]


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("--variant", "three"),
        ("--client", "telnet"),
        ("--against", "rust"),
        ("--jobs", "0"),
        ("--jobs", "many"),
        ("--capacities", "none,-1"),
        ("--capacities", "1000,1000"),
        ("--port", "65536"),
        ("--delay", "nan"),
        ("--delay", "-1"),
    ],
)
def test_what_makes_no_sense_is_one_line_that_names_it(argument: str, value: str) -> None:
    ended = study(f"{argument}={value}")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert argument in line
    assert value.split(",")[-1] in line


def test_too_few_open_files_are_one_line(tmp_path: Path) -> None:
    limited = f"ulimit -n 40; exec {' '.join(COMMAND)} --port 0 --jobs 10 --out {tmp_path}"
    ended = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2, (ended.stdout, ended.stderr)
    assert len(ended.stderr.splitlines()) == 1
    assert "open files" in ended.stderr

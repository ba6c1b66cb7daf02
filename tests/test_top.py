"""`antspy top`: what it shows of a running process, and what it says if it cannot."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from antspy.watch.options import Options
from antspy.watch.report import compare
from support import LIMIT, Program

pytest.importorskip("rich")
if sys.platform == "win32":
    pytest.skip("needs Unix sockets", allow_module_level=True)

from antspy.watch.top import duration, page
from rich.console import Console

SERVICE = """
    import antspy, sys, threading
    end = threading.Event()

    def held():
        inner()

    def inner():
        end.wait(60)

    with antspy.Pool(2, queue_size=5, thread_name_prefix="[red]held") as pool:
        with antspy.serve_stats({path!r}):
            print(pool.submit(abs, -1).result(), flush=True)
            for _ in range(4):
                pool.go(held)
            print("serves", flush=True)
            sys.stdin.readline()
            end.set()
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Path]:
    """The socket of a process with two tasks that run and two in the queue."""
    path = tmp_path / "stats"
    program = Program(SERVICE.format(path=str(path)))
    program.wait_line("1")
    program.wait_line("serves")
    yield path
    program.write("\n")
    assert program.end()[0] == 0


def top(*arguments: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "antspy", "top", *map(str, arguments)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
    assert ended.returncode == code, ended.stderr
    return ended.stdout if code == 0 else ended.stderr


def test_it_shows_pools_and_their_oldest_tasks(service: Path) -> None:
    lines = top(service, "--interval", 0.1).splitlines()
    assert "antspy" in lines[0]
    head = next(line for line in lines if "limit" in line)
    row = next(line for line in lines if line.startswith("[red]held "))
    shown = dict(zip(head.split(), row.split(), strict=False))
    assert [shown[name] for name in ("limit", "busy", "idle", "queued", "blocked")] == [
        "2",
        "2",
        "0",
        "2",
        "0",
    ]
    assert (shown["tasks/s"], shown["failed"]) == ("0.0", "0")
    assert sum(" held" in line and "[red]held_" in line for line in lines) == 2
    assert not any("antspy-default" in line for line in lines), "nobody has used it"


def test_a_task_that_runs_for_long_is_marked_and_its_stack_shown(service: Path) -> None:
    shown = top(service, "--once", "--interval", 0.05, "--stacks", "--stuck", 0, "--slowest", 1)
    assert shown.count("held  stuck?") == 1
    stack = [line.rpartition(" in ")[2].strip() for line in shown.splitlines() if "File " in line]
    assert stack[:3] == ["held", "inner", "wait"]


def test_the_document_itself(service: Path) -> None:
    document = json.loads(top(service, "--json", "--slowest", 1, "--stacks"))
    (pool,) = [pool for pool in document["pools"] if pool["name"] == "[red]held"]
    assert (pool["queued"], len(pool["tasks"])) == (2, 1)
    assert pool["tasks"][0]["stack"]


def test_it_says_what_is_wrong(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert top(nowhere, code=2) == f"antspy top: {nowhere}: No such file or directory\n"
    assert top(code=2) == "antspy top: the following arguments are required: PATH\n"
    for option, value, must in [
        ("--interval", "0", "must be a number of seconds from 0.05 to 3600"),
        ("--interval", "x", "must be a number of seconds from 0.05 to 3600"),
        ("--slowest", "-1", "must be a whole number from 0 to 1000000"),
        ("--slowest", "many", "must be a whole number from 0 to 1000000"),
        ("--stuck", "nan", "must be a number of seconds from 0 to 1e+09"),
        ("--web", "65536", "must be a whole number from 0 to 65535"),
    ]:
        said = top(nowhere, option, value, code=2)
        assert said.startswith(f"antspy top: argument {option}: {must}"), said
        assert said.endswith(f", not {value!r}\n")


@pytest.mark.parametrize("width", [80, 109, 110, 160])
def test_every_column_is_whole_at_usual_widths(width: int) -> None:
    times = {"sum": 1.0, "buckets": [[0.536870912, 10]]}
    names = ("busy", "idle", "queued", "waiting", "submitted", "completed", "failed")
    pool = {
        "id": 1,
        "name": "fetchers",
        "capacity": 10_000,
        **dict.fromkeys(names, 10_000),
        "closed": False,
        "paused": True,
        "queue_time": times,
        "run_time": times,
        "tasks": [],
    }
    process = {"pid": 1, "program": "a/service.py", "python": "3.11.7", "antspy": "0", "threads": 1}
    document = {"time": 0.0, "monotonic": 0.0, "process": process, "pools": [pool]}
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(page(Options("x"), document, compare(None, document), width))
    assert "…" not in console.export_text()
    console.file.close()


def test_nothing_of_the_program_is_obeyed_by_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    evil = "\x1b]0;t\x07\x1b[2J\n"
    program = Program(
        SERVICE.format(path=str(path)).replace("[red]held", evil.encode("unicode_escape").decode())
    )
    program.wait_line("1")
    program.wait_line("serves")
    printed = top(path, "--interval", 0.05, "--stacks")
    program.write("\n")
    assert program.end()[0] == 0
    assert r"\x1b]0;t\x07\x1b[2J\n_0" in printed
    assert not {"\x1b", "\x07"} & set(printed)


def test_a_time_has_three_digits_and_a_unit() -> None:
    times = [0, 5e-9, 0.9e-6, 1.25e-6, 0.05, 0.5, 9.99, 59.9, 60, 3599.9, 3600, 100_000]
    assert [duration(time) for time in times] == [
        *("0ns", "5ns", "900ns", "1.25µs", "50.0ms", "500ms", "9.99s", "59.9s"),
        *("1:00", "59:59", "1:00:00", "27:46:40"),
    ]


def bucket(bound: float, count: int) -> dict[str, object]:
    return {"sum": bound * count, "buckets": [[bound, count]]}


def test_rates_and_quantiles_are_those_of_the_time_between() -> None:
    def document(time: float, pid: int, completed: int, slow: int) -> dict[str, object]:
        run = {"sum": 0.0, "buckets": [[0.001, 100], [1.0, slow]]}
        pool = {
            "id": 1,
            "name": "a",
            "completed": completed,
            "failed": slow,
            "queue_time": bucket(0.5, 0),
            "run_time": run,
        }
        return {"monotonic": time, "process": {"pid": pid}, "pools": [pool]}

    first, second = document(10.0, 1, 100, 0), document(12.0, 1, 110, 4)
    (report,) = compare(first, second)
    assert (report.rate, report.failures) == (7.0, 4)
    assert (report.run_time.p50, report.run_time.p99) == (1.0, 1.0)
    assert report.queue_time.p50 is None
    (alone,) = compare(None, second)
    assert (alone.rate, alone.run_time.p50, alone.run_time.p99) == (None, 0.001, 1.0)
    (other,) = compare(document(10.0, 2, 100, 0), second)
    assert other.rate is None, "of another process"


def test_pools_of_one_name_are_told_apart() -> None:
    pool = {"name": "a", "completed": 0, "failed": 0, "queue_time": bucket(1, 1), "run_time": bucket(1, 1)}
    pools = [{**pool, "id": number} for number in range(3)]
    before = {"monotonic": 1.0, "process": {"pid": 1}, "pools": pools}
    after = {"monotonic": 2.0, "process": {"pid": 1}, "pools": [pools[0], {**pools[2], "completed": 5}]}
    assert [report.pool["name"] for report in compare(None, before)] == ["a", "a (2)", "a (3)"]
    assert [report.rate for report in compare(before, after)] == [0.0, 5.0]


def live(path: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Start it on a terminal of its own; return it and the terminal's other end."""
    import pty

    ours, its = pty.openpty()
    command = [sys.executable, "-m", "antspy", "top", str(path), "--interval", "0.05"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=subprocess.PIPE, env=environment)
    os.close(its)
    return process, ours


def read_until(terminal: int, wanted: bytes, times: int) -> None:
    shown = b""
    while shown.count(wanted) < times:
        shown += os.read(terminal, 65536)


def test_on_a_terminal_it_is_drawn_again_until_ctrl_c(service: Path) -> None:
    process, terminal = live(service)
    read_until(terminal, b"[red]held", 6)  # each time once in the first table, and in the second
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass
    assert (process.wait(LIMIT), process.stderr and process.stderr.read()) == (0, b"")
    os.close(terminal)


def test_it_says_that_the_process_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "stats"
    program = Program(SERVICE.format(path=str(path)))
    program.wait_line("1")
    program.wait_line("serves")
    process, terminal = live(path)
    read_until(terminal, b"[red]held", 3)
    program.write("\n")
    assert program.end()[0] == 0
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass
    error = process.stderr.read() if process.stderr else b""
    assert process.wait(LIMIT) == 2
    assert error.decode().startswith(f"antspy top: {path}: ")
    os.close(terminal)

"""The benchmarks: each peer does each work, and what is measured is what is shown."""

import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import library

ROOT = Path(__file__).parent.parent
BENCHES = ROOT / "benches"
pyperf = library("pyperf")
for needed in ("gevent", "joblib", "matplotlib", "httptools"):
    library(needed)
adaptive = importlib.import_module("adaptive")
adaptive_picture = importlib.import_module("adaptive_picture")
catalogue = importlib.import_module("catalogue")
instructions = importlib.import_module("instructions")
report = importlib.import_module("report")
results = importlib.import_module("results")
run = importlib.import_module("run")
go_ants = importlib.import_module("vs.go_ants")
peers = importlib.import_module("vs.peers")

CASES = {
    case.name: (work, case)
    for work in catalogue.WORKS.values()
    for case in work.cases(True)
    if case.peer != go_ants.GoAnts.name
}
ROUND_TRIP = ("round_trip: antspy, capacity 8", "round_trip: ThreadPoolExecutor, capacity 8")
SLOW = 300
"""Seconds for a test that builds something."""


def small(case: Any) -> Any:
    """The same with little to do, and a place for each task where all are to be inside at once."""
    crowd = case.work in ("start", "parked")
    return replace(case, tasks=4 if crowd else 24, capacity=min(case.capacity, 4))


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("jobs")])
def test_a_peer_does_its_work(name: str) -> None:
    work, case = CASES[name]
    measured = work.measure(small(case))
    assert measured > 0 or work.unit.pyperf == "byte"  # so few need no memory of the system


@pytest.mark.parametrize("load", adaptive.LOADS, ids=lambda load: load.name)
def test_a_load_is_run_by_a_fixed_capacity_and_by_one_that_finds_itself(load: Any) -> None:
    least = load.fixed[0]
    fixed = adaptive.measured(load, least, load.phases - 1, 0.5)
    assert (set(fixed.capacities), fixed.ended[-1] > 0) == ({least}, True)
    tuned = adaptive.measured(load, 0, 0, 0.5)
    assert tuned.capacities[0] == load.minimum
    assert tuned.times[-1] == pytest.approx(0.5 * load.phases, abs=0.3)


def test_what_the_loads_come_to_is_a_table_and_a_plot(tmp_path: Path) -> None:
    times = [number / 20 for number in range(12 * 20)]
    # From 8 tasks a second to 16 after 4 s, at capacities that double.
    ended = [int(8 * at + max(0.0, 8 * (at - 4))) for at in times]
    found = adaptive.Run(times, [2 if at < 4 else 4 for at in times], ended)
    comparison = adaptive.Comparison(adaptive.LOADS[1], 12.0, [{2: 8.0, 4: 16.0}], found)
    assert comparison.best(0) == (4, 16.0)
    assert comparison.reached(0) == pytest.approx(4.8, abs=0.3)
    assert "| 4 | 16 | 16 | 1.00 | 4 (4 to 4) |" in adaptive.table([comparison])
    adaptive_picture.draw([comparison], tmp_path / "adaptive.png")
    assert (tmp_path / "adaptive.png").stat().st_size > 10_000


@pytest.mark.timeout(SLOW)
def test_the_job_of_the_study_is_done() -> None:
    # In a process of its own: it takes away stdout.
    program = f"""
        import sys
        sys.path.insert(0, {str(BENCHES)!r})
        from dataclasses import replace
        from catalogue import WORKS
        work = WORKS["jobs"]
        case = replace(next(work.cases(True)), tasks=8, capacity=4)
        assert work.measure(case) >= 0.2  # twice the server's delay
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


@pytest.mark.parametrize("quick", [False, True])
def test_a_case_is_found_by_its_name(quick: bool) -> None:
    names = set()
    for work in catalogue.WORKS.values():
        for case in work.cases(quick):
            assert catalogue.find(case.name, quick) == (work, case)
            assert case.peer in peers.NAMES
            names.add(case.name)
    assert len(names) == sum(len(list(work.cases(quick))) for work in catalogue.WORKS.values())


def test_each_row_of_a_table_has_antspy_in_it() -> None:
    for work in catalogue.WORKS.values():
        settings = {case.setting for case in work.cases(False)}
        assert settings == {case.setting for case in work.cases(False) if case.peer == "antspy"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of two real cases."""
    folder = tmp_path_factory.mktemp("results")
    for name in ROUND_TRIP:
        command = [sys.executable, str(BENCHES / "measure.py"), name, "--quick", "--values", "2"]
        command += ["--warmups", "0", "--append", str(folder / "round_trip.json")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.mark.timeout(SLOW)
def test_the_report_shows_the_medians_and_their_ratio(measured: Path) -> None:
    report.write(measured)
    suite = pyperf.BenchmarkSuite.load(str(measured / "round_trip.json"))
    ours, standard = (suite.get_benchmark(name).median() for name in ROUND_TRIP)
    table = (measured / "report.md").read_text(encoding="utf-8")
    cells = f"{report.short(ours * 1e9)} | {report.short(standard * 1e9)} ({report.short(standard / ours)})"
    assert f"| capacity 8 | {cells} |" in table
    verdict = "yes" if ours / standard <= 0.1 else "**no**"
    goal = "round trip: of ThreadPoolExecutor"
    assert f"| {goal} | at most 0.1 | {report.short(ours / standard)} | {verdict} |" in table
    assert "load average" in table
    assert (measured / "report.png").read_bytes().startswith(b"\x89PNG")


def test_there_is_no_report_without_results(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no results"):
        report.write(tmp_path)


def test_what_is_missing_is_skipped_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(peers.Gevent, "library", "no_such_library")
    run.Session(tmp_path, True).run([])
    assert capsys.readouterr().out.splitlines() == [
        "gevent: skipped, no_such_library is not installed",
        "ants in Go: skipped, there is no Go",
    ]


def test_an_unknown_work_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["sleep"])
    assert "no work is called 'sleep'" in capsys.readouterr().err


def test_when_the_time_is_up_nothing_is_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = run.Session(tmp_path, True)
    session.deadline = 0
    work = catalogue.WORKS["queued"]
    session.run_work(work, list(work.cases(True)))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{case.name}: skipped, the time is up" for case in work.cases(True)]


def test_a_case_that_takes_too_long_is_ended_and_not_tried_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = run.Session(tmp_path, True)
    session.patience = 1
    work, case = CASES["sleeps: antspy, 20,000 at capacity 1,000"]  # 2 s at best
    session.measure(work, case)
    session.measure(work, case)
    assert capsys.readouterr().out.splitlines() == [f"{case.name}: did not end within 1 s"]
    assert not results.file_of(tmp_path, work).exists()


def test_what_the_program_in_go_says_becomes_a_figure(tmp_path: Path) -> None:
    measured = go_ants.parse('{"values":[0.5,0.25,1],"ants_version":"v2.12.1","go_version":"go1.26.8"}\n')
    work = catalogue.WORKS["go_wait"]
    case = next(case for case in work.cases(True) if case.peer == go_ants.GoAnts.name)
    results.add_foreign(tmp_path, work, case, measured)
    results.add_foreign(tmp_path, work, case, measured)
    (figure,) = results.load(tmp_path)
    assert (figure.work, figure.peer, figure.setting) == (work, "ants in Go", case.setting)
    assert figure.median == pytest.approx(0.5 / case.tasks)
    suite = pyperf.BenchmarkSuite.load(str(results.file_of(tmp_path, work)))
    bench = suite.get_benchmark(case.name)
    assert bench.get_nvalue() == 6
    assert bench.get_metadata()["ants_version"] == "v2.12.1"


@pytest.mark.parametrize("line", ['{"values":[]}', '{"values":[0]}', '{"values":["1"]}'])
def test_values_that_are_none_are_refused(line: str) -> None:
    with pytest.raises(ValueError, match="values must be numbers greater than 0"):
        go_ants.parse(line)


@pytest.mark.timeout(SLOW)
def test_the_program_in_go_does_all_works(tmp_path: Path) -> None:
    if go_ants.GoAnts.missing():
        pytest.skip("there is no Go")
    if subprocess.run(["go", "mod", "download"], cwd=go_ants.SOURCE).returncode:
        pytest.skip("the modules of the program in Go cannot be had")
    program = go_ants.GoAnts.build(tmp_path)
    with importlib.import_module("works.jobs").server() as port:
        for work in catalogue.WORKS.values():
            for case in work.cases(True):
                if case.peer == go_ants.GoAnts.name:
                    url = f"http://127.0.0.1:{port}/two/"
                    parked = case.work == "parked"  # needs enough of them to be seen
                    measured = program.measure(case if parked else small(case), 2, 1, 60, url)
                    assert len(measured.values) == 2
                    assert measured.metadata["ants_version"] == "v2.12.1"


def test_without_valgrind_instructions_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert instructions.main([]) == 0
    assert "skipped, there is no valgrind" in capsys.readouterr().out


@pytest.mark.parametrize(("figure", "well"), [(105, True), (106, False), (50, True)])
def test_instructions_may_grow_by_5_percent(figure: float, well: bool) -> None:
    lines, judged = instructions.compare({"here": {"go": figure}}, {"here": {"go": 100}})
    assert judged is well
    assert ("more than 5% more" in lines[1]) is not well


def test_instructions_of_another_toolchain_are_not_compared() -> None:
    lines, well = instructions.compare({"here": {"go": 106}}, {"there": {"go": 100}})
    assert well
    assert "no baseline" in lines[1]


def test_instructions_are_those_of_the_second_n() -> None:
    n, noise = instructions.TASKS, 7_000_000
    totals = [9 * noise, 10 * n, 30 * n, noise + 10 * n, 30 * n, 10 * n, 30 * n]
    assert instructions.per_task(totals) == 20


def test_the_baseline_has_all_kinds() -> None:
    baseline = json.loads(instructions.BASELINE.read_text())
    kinds = [tuple(sorted(figures)) for figures in baseline.values()]
    assert set(kinds) == {tuple(sorted(instructions.CORE)), tuple(sorted(instructions.PACKAGE))}


@pytest.mark.timeout(SLOW)
@pytest.mark.skipif(not (sys.platform == "linux" and shutil.which("valgrind")), reason="there is no valgrind")
def test_a_longer_path_has_more_instructions() -> None:
    source = (BENCHES / "dispatch.py").read_text(encoding="utf-8")
    longer = source.replace("        call(nop)\n", "        call(nop)\n        nop()\n")
    assert longer != source
    _, clock = instructions.build()
    with tempfile.TemporaryDirectory() as folder:
        counts = []
        for name, text in (("short", source), ("long", longer)):
            program = Path(folder) / f"{name}.py"
            program.write_text(text, encoding="utf-8")
            counts.append(instructions.count([sys.executable, str(program)], clock, instructions.PACKAGE))
    short, long = counts
    assert short["go"] + 10 < long["go"] < short["go"] * 1.2
    assert short["submit and result"] == pytest.approx(long["submit and result"], rel=0.01)

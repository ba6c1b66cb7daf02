"""Run the benchmarks, and write their report.

    python benches/run.py [--quick] [--minutes MINUTES] [--out FOLDER] [WORK ...]

Each case is measured in a fresh process, one after the other, and again in each round; ants in Go before and
after those in Python. The results are kept as pyperf JSON, a file for each work, with `report.md` and
`report.png` made from them (`report.py`).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import report
import results
from case import Case
from catalogue import WORKS
from vs.go_ants import GoAnts
from vs.peers import PYTHON_PEERS
from work import Work
from works.jobs import server

HERE = Path(__file__).parent
MINUTES = {False: 40.0, True: 5.0}
"""After which no case is begun; by whether it must be quick."""
CASE_SECONDS = {False: 150, True: 40}
"""How long one case may take."""
QUICK_VALUES = 2


class Session:
    """One run of the benchmarks."""

    def __init__(self, folder: Path, quick: bool, minutes: float | None = None) -> None:
        self.folder = folder
        self.quick = quick
        self.deadline = time.monotonic() + 60 * (minutes or MINUTES[quick])
        self.patience = CASE_SECONDS[quick]
        self.go: GoAnts | None = None
        self.late: set[str] = set()
        """Cases that took too long: they are not tried again."""

    def run(self, works: list[Work]) -> None:
        missing = {peer.name: why for peer in PYTHON_PEERS.values() if (why := peer.missing())}
        if why := GoAnts.missing():
            missing[GoAnts.name] = why
        for peer, why in missing.items():
            print(f"{peer}: skipped, {why}", flush=True)
        with tempfile.TemporaryDirectory() as build:
            if GoAnts.name not in missing:
                self.go = GoAnts.build(Path(build))
            for work in works:
                cases = [case for case in work.cases(self.quick) if case.peer not in missing]
                self.run_work(work, cases)

    def values(self, work: Work) -> int:
        return min(work.values, QUICK_VALUES) if self.quick else work.values

    def run_work(self, work: Work, cases: list[Case]) -> None:
        results.file_of(self.folder, work).unlink(missing_ok=True)
        foreign = [case for case in cases if case.peer == GoAnts.name]
        ours = [case for case in cases if case.peer != GoAnts.name]
        for _ in range(1 if self.quick else work.rounds):
            for case in (*foreign, *ours):
                self.measure(work, case)
        for case in foreign:
            self.measure(work, case)

    def measure(self, work: Work, case: Case) -> None:
        if case.name in self.late:
            return
        if time.monotonic() > self.deadline:
            print(f"{case.name}: skipped, the time is up", flush=True)
            return
        try:
            if case.peer == GoAnts.name:
                self.measure_foreign(work, case)
            else:
                self.measure_here(work, case)
        except subprocess.TimeoutExpired:
            self.late.add(case.name)
            print(f"{case.name}: did not end within {self.patience} s", flush=True)
        except subprocess.CalledProcessError as error:
            print(f"{case.name}: failed, exit code {error.returncode}", flush=True)

    def measure_here(self, work: Work, case: Case) -> None:
        command = [sys.executable, str(HERE / "measure.py"), case.name]
        command += ["--append", str(results.file_of(self.folder, work)), "--timeout", str(self.patience)]
        command += ["--values", str(self.values(work)), "--warmups", str(work.warmups), "--quiet"]
        if self.quick:
            command.append("--quick")
        # pyperf ends its worker after its own timeout, with this code.
        code = subprocess.run(command).returncode
        if code == 124:
            raise subprocess.TimeoutExpired(command, self.patience)
        if code:
            raise subprocess.CalledProcessError(code, command)

    def measure_foreign(self, work: Work, case: Case) -> None:
        assert self.go is not None
        with ExitStack() as stack:
            url = ""
            if work is WORKS["jobs"]:
                url = f"http://127.0.0.1:{stack.enter_context(server())}/two/"
            measured = self.go.measure(case, self.values(work), work.warmups, self.patience, url)
        results.add_foreign(self.folder, work, case, measured)
        inner_loops = work.unit.inner_loops(case)
        value = min(measured.values) / inner_loops * work.unit.factor
        print(f"{case.name}: {value:,.4g} {work.unit.words}", flush=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Run the benchmarks, and write their report.")
    parser.add_argument("--quick", action="store_true", help="one round, with less to do")
    parser.add_argument("--minutes", type=float, help="after which no case is begun: 40, or 5")
    parser.add_argument("--out", type=Path, default=results.DEFAULT, help="the folder of the results")
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"some of: {', '.join(WORKS)}; all")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.works if name not in WORKS]
    if unknown:
        parser.error(f"no work is called {unknown[0]!r}; there are {', '.join(WORKS)}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    works = [work for name, work in WORKS.items() if not chosen.works or name in chosen.works]
    start = time.monotonic()
    Session(chosen.out, chosen.quick, chosen.minutes).run(works)
    report.write(chosen.out)
    print(f"{(time.monotonic() - start) / 60:.1f} minutes; the report: {chosen.out / 'report.md'}")


if __name__ == "__main__":
    main(sys.argv[1:])

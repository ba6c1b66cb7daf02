"""The soak: does again and again what could lose a task, and keeps the account of all of them.

    python soak/soak.py [--short] [--out FOLDER] [PART ...]

Each part runs in a process of its own: a crash or a hang of one is its own. The report is printed, and kept
as `soak.json` and `soak.md`. `make test` does the short form of each (`tests/test_soak.py`).
"""

import argparse
import json
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from part import SHORT_SECONDS, Account, Part
from parts import PARTS


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without one")
    parser.add_argument("--short", action="store_true", help="as `make test` does")
    parser.add_argument("--out", type=Path, default=Path("soak-results"), help="where the report is kept")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # in the process of a part: its account
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    parts = [PARTS[name] for name in arguments.parts or PARTS]
    if arguments.into:
        return run_here(parts[0], arguments.short, arguments.into)
    return run_all(parts, arguments.short, arguments.out)


def run_here(part: Part, short: bool, into: Path) -> int:
    account = part.run(part.amount.short if short else part.amount.long)
    into.write_text(json.dumps(asdict(account)))
    return 0


def run_all(parts: list[Part], short: bool, out: Path) -> int:
    report: list[dict[str, object]] = []
    for part in parts:
        if why := part.missing():
            print(f"{part.name}: skipped, {why}", flush=True)
            report.append({"part": part.name, "what": part.what, "skipped": why})
            continue
        start = time.monotonic()
        account = run_apart(part, short)
        seconds = round(time.monotonic() - start, 1)
        print(f"{part.name}: {line(account)} in {seconds} s", flush=True)
        for problem in account.problems:
            print(f"  {problem}", flush=True)
        report.append({"part": part.name, "what": part.what, "seconds": seconds, **asdict(account)})
    out.mkdir(parents=True, exist_ok=True)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    form = "short" if short else "long"
    out.joinpath("soak.json").write_text(
        json.dumps({"python": python, "form": form, "parts": report}, indent=1)
    )
    out.joinpath("soak.md").write_text(table(report, f"{python}, {form} form"))
    faulty = [one["part"] for one in report if one.get("lost") or one.get("twice") or one.get("problems")]
    print(f"FAILED: {', '.join(map(str, faulty))}" if faulty else "none lost, none run twice")
    return int(bool(faulty))


def line(account: Account) -> str:
    counts = f"{account.rounds:,} rounds, {account.tasks:,} tasks, {account.faults:,} faults"
    figures = "".join(f"; {name} {value}" for name, value in account.figures.items())
    return f"{counts}: {account.lost:,} lost, {account.twice:,} run twice{figures}"


def run_apart(part: Part, short: bool) -> Account:
    """Run a part in a process of its own; whatever becomes of it, there is an account."""
    limit = SHORT_SECONDS if short else 60 * part.minutes
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder, "account.json")
        command = [sys.executable, "-X", "faulthandler", __file__, part.name, "--into", str(into)]
        with subprocess.Popen(command + ["--short"] * short) as process:
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGABRT)  # faulthandler shows where it hangs
                process.wait()
                return Account(problems=[f"not over after {limit:,.0f} s"])
        if code:
            return Account(problems=[f"ended with code {code}"])
        return Account(**json.loads(into.read_text()))


def table(report: list[dict[str, object]], title: str) -> str:
    rows = [
        f"{title}\n",
        "| part | rounds | tasks | faults | lost | run twice | else |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in report:
        name = f"{one['part']}: {one['what']}"
        if "skipped" in one:
            rows.append(f"| {name} | | | | | | skipped: {one['skipped']} |")
            continue
        counts = " | ".join(f"{one[count]:,}" for count in ("rounds", "tasks", "faults", "lost", "twice"))
        figures, problems = one["figures"], one["problems"]
        assert isinstance(figures, dict)
        assert isinstance(problems, list)
        rest = [f"{figure} {value}" for figure, value in figures.items()] + [f"**{it}**" for it in problems]
        rows.append(f"| {name} | {counts} | {'; '.join(rest)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())

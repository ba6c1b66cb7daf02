"""Make a table and a plot from the results: `python benches/report.py [FOLDER]`.

`report.md` has a table for each work: a row for each setting, a column for each peer, in each cell the
median and how many times antspy's that is. `report.png` shows the same on logarithmic scales.
"""

import sys
from pathlib import Path

import goals
import results
from catalogue import WORKS
from picture import draw
from results import Figure
from vs.ours import Ours
from vs.peers import NAMES
from work import Work


def write(folder: Path) -> None:
    figures = results.load(folder)
    if not figures:
        raise SystemExit(f"no results in {folder}: `make bench` makes them")
    (folder / "report.md").write_text(markdown(figures, results.machine(folder)), encoding="utf-8")
    draw(figures, folder / "report.png")


def markdown(figures: list[Figure], machine: list[str]) -> str:
    parts = ["# Benchmarks\n", "\n".join(f"{line}  " for line in machine), "", goal_table(figures)]
    for work in WORKS.values():
        if own := [figure for figure in figures if figure.work is work]:
            parts += [f"\n## {work.title} ({work.name})\n", work_table(work, own)]
    return "\n".join(parts) + "\n"


def goal_table(figures: list[Figure]) -> str:
    rows = [
        f"| {goal.title} | {goal.wanted} | {short(value)} | {'yes' if goal.reached(value) else '**no**'} |"
        for goal, value in goals.judge(figures)
    ]
    return "\n".join(["| goal | wanted | measured | reached |", "|---|---|---|---|", *rows])


def work_table(work: Work, figures: list[Figure]) -> str:
    peers = [name for name in NAMES if any(figure.peer == name for figure in figures)]
    cells = {(figure.setting, figure.peer): figure for figure in figures}
    settings = list(dict.fromkeys(figure.setting for figure in figures))
    lines = [f"| {work.unit.words} | {' | '.join(peers)} |", "|---" * (len(peers) + 1) + "|"]
    for setting in ordered(work, settings):
        own = cells.get((setting, Ours.name))
        row = [cell(cells.get((setting, peer)), own) for peer in peers]
        lines.append(f"| {setting} | {' | '.join(row)} |")
    return "\n".join(lines)


def ordered(work: Work, settings: list[str]) -> list[str]:
    """As the suite has them: results are kept in the order in which peers were measured."""
    known = [case.setting for quick in (False, True) for case in work.cases(quick)]
    return sorted(settings, key=known.index)


def cell(figure: Figure | None, own: Figure | None) -> str:
    if figure is None:
        return ""
    value = short(figure.median * figure.work.unit.factor)
    if own is None or figure is own:
        return value
    return f"{value} ({short(figure.median / own.median)})"


def short(value: float) -> str:
    """Three figures."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else results.DEFAULT
    write(where)
    print((where / "report.md").read_text(encoding="utf-8"))

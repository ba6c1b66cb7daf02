"""The table on the terminal, and what must be known to read it."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from antspy.study.configuration import row_name, what_it_is
from antspy.study.machine import describe
from antspy.study.options import Unbounded
from antspy.study.outcome import Outcome
from antspy.study.result import Result
from antspy.study.rival import Rival


def print_table(outcome: Outcome, console: Console) -> None:
    console.print(make_table(outcome.results))
    if outcome.rival and outcome.rival.results:
        console.print(make_comparison(outcome.results, outcome.rival))
    for line in (*failures(outcome), *remarks(outcome)):
        console.print(line, markup=False)


def make_table(results: list[Result]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("configuration", no_wrap=True)
    for heading in ("elapsed ms", "peak RSS MB", "capacity", "running", "free", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        table.add_row(
            result.name,
            f"{result.elapsed_ms:,.0f}",
            megabytes(result),
            number(result.capacity),
            number(result.running),
            number(result.free),
            failed(result),
        )
    return table


def make_comparison(results: list[Result], rival: Rival) -> Table:
    """Our figures beside the rival's, and ours divided by theirs."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(f"beside {rival.name}", no_wrap=True)
    for heading in ("elapsed ms", rival.short, "ratio", "peak RSS MB", rival.short, "ratio", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    for ours in results:
        if theirs := rival.result(ours.name):
            ratio = rival.ratio(ours)
            table.add_row(
                ours.name,
                f"{ours.elapsed_ms:,.0f}",
                f"{theirs.elapsed_ms:,.0f}",
                times(ratio.elapsed),
                megabytes(ours),
                megabytes(theirs),
                times(ratio.peak_rss),
                failed(theirs),
            )
    return table


def megabytes(result: Result) -> str:
    return "?" if result.peak_rss_mb is None else f"{result.peak_rss_mb:,.0f}"


def failed(result: Result) -> str:
    return f"[red]{result.failed:,}[/red]" if result.failed else "0"


def times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def number(value: int | None) -> str:
    return "" if value is None else str(value)


def failures(outcome: Outcome) -> list[str]:
    """Each reason for which jobs failed, with their number, and what else went wrong."""
    lines = []
    rows = [(result.name, result) for result in outcome.results]
    if outcome.rival:
        rows += [(f"{result.name}, {outcome.rival.name}", result) for result in outcome.rival.results]
    for name, result in rows:
        for why, count in result.reasons.items():
            lines.append(f"{name}: {count:,} of {result.jobs:,} jobs failed: {why}")
        lines += [f"{name}: {note}" for note in result.notes]
    return [*lines, *outcome.notes]


def remarks(outcome: Outcome) -> list[str]:
    """What was measured, where, and with what."""
    options, rival = outcome.options, outcome.rival
    none = row_name(Unbounded.NONE)
    goroutines = [f"{none}, {rival.name}"] if rival and rival.result(none) else []
    return [
        *(f"{row.name}: {what}" for row in outcome.configurations if (what := what_it_is(row))),
        *(f"{name}: a goroutine for each job" for name in goroutines),
        f"Jobs: {options.jobs:,}, each one GET that the server answers after {options.delay:g} s; "
        f"variant {options.variant}",
        f"Client: {outcome.client}, a connection for each worker, kept alive",
        *([rival.line()] if rival else []),
        outcome.server_line(),
        "Peak RSS: of the process that ran the configuration, in units of 1,048,576 bytes"
        + ("; of a cluster: of all its processes, each at its own peak" if options.cluster else ""),
        f"Switch interval: {outcome.switch_interval:g} s in every configuration"
        + (", but for those of a cluster: CPython's own" if options.cluster else ""),
        f"Machine: {describe(outcome.machine)}",
    ]

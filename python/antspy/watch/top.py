"""`antspy top`: the pools of a running process, live in a terminal."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..name import shown
from .client import Client
from .options import Options
from .report import Report, compare, limit, running
from .snapshot import Document

COUNTS = ("limit", "busy", "idle", "queued", "blocked", "tasks/s", "failed")
COLUMNS = (*COUNTS, "queue\np50", "queue\np99", "run\np50", "run\np99")
NARROW = tuple(name for name in COLUMNS if name != "idle" and not name.endswith("p50"))
"""Those for which 80 characters have room."""
WIDE = 110


def show(options: Options, client: Client) -> int:
    """Show it until Ctrl-C; once where there is no terminal, or if so asked.

    Raises:
        WatchError: The process is not there, or no longer.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)  # whoever reads it is in no need of short lines
    earlier = client.ask(slowest=0)
    if options.once or not console.is_terminal:
        time.sleep(options.interval)
        later = printable(client.ask(options.stacks, options.slowest))
        console.print(page(options, later, compare(earlier, later), console.width))
        return 0
    with suppress(KeyboardInterrupt), Live(console=console, screen=True, auto_refresh=False) as view:
        while True:
            later = printable(client.ask(options.stacks, options.slowest))
            view.update(page(options, later, compare(earlier, later), console.width), refresh=True)
            earlier = later
            time.sleep(options.interval)
    return 0


def printable(told: Any) -> Any:
    """Return the document with nothing in its texts that the terminal would obey: they are the program's."""
    match told:
        case str():
            return shown(told)
        case list():
            return [printable(one) for one in told]
        case dict():
            return {name: printable(one) for name, one in told.items()}
    return told


def page(options: Options, document: Document, reports: list[Report], width: int) -> RenderableType:
    """Return all that is shown of a document in `width` columns."""
    process = document["process"]
    title = Text.assemble(
        (Path(process["program"]).name or "python", "bold"),
        f"  pid {process['pid']}  Python {process['python']}  antspy {process['antspy']}",
        f"  {process['threads']} threads  {time.strftime('%H:%M:%S', time.localtime(document['time']))}",
    )
    parts: list[RenderableType] = [title, Text(), pools_table(reports, wide=width >= WIDE)]
    if tasks := running(reports):
        parts += [Text(), tasks_table(options, tasks)]
    return Group(*parts)


def pools_table(reports: list[Report], wide: bool) -> Table:
    """Return a row for each pool that has been used; without some of the columns if it is not `wide`."""
    table = Table(box=None, pad_edge=False, padding=(0, 2 if wide else 1, 0, 0), header_style="dim")
    table.add_column("pool", no_wrap=True)
    for name in COLUMNS if wide else NARROW:
        table.add_column(name, justify="right", no_wrap=True)
    for report in reports:
        pool = report.pool
        if not report.used:
            continue
        state = " (closed)" if pool["closed"] else " (paused)" if pool["paused"] else ""
        cells: dict[str, str | Text] = {
            "limit": "none" if (most := limit(pool["capacity"])) is None else f"{most:,}",
            "busy": f"{pool['busy']:,}",
            "idle": f"{pool['idle']:,}",
            "queued": marked(pool["queued"], "yellow"),
            "blocked": marked(pool["waiting"], "yellow"),
            "tasks/s": "" if report.rate is None else f"{report.rate:,.{0 if report.rate >= 100 else 1}f}",
            "failed": marked(pool["failed"], "red" if report.failures else "default"),
            "queue\np50": duration(report.queue_time.p50),
            "queue\np99": duration(report.queue_time.p99),
            "run\np50": duration(report.run_time.p50),
            "run\np99": duration(report.run_time.p99),
        }
        table.add_row(escape(pool["name"]) + state, *(cells[name] for name in (COLUMNS if wide else NARROW)))
    return table


def tasks_table(options: Options, tasks: list[tuple[str, dict[str, Any]]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("runs for", justify="right")
    table.add_column("worker", no_wrap=True)
    table.add_column("task")
    for _, task in tasks[: options.slowest]:
        seconds = task["seconds"]
        age = Text((">" if task["at_least"] else "") + duration(seconds))
        name = Text(task["name"])
        if seconds >= options.stuck:
            age.stylize("bold red")
            name.append("  stuck?", "bold red")
        if "stack" in task:
            lines = task["stack"] or ["(no Python code: it is in a function in C)"]
            name.append("".join(f"\n  {line}" for line in lines), "dim")
        table.add_row(age, Text(task["worker"]), name)
    return table


def marked(count: int, style: str) -> Text:
    return Text(f"{count:,}", style if count else "default")


def duration(seconds: float | None) -> str:
    """Write a time with three digits and a unit; nothing if there is none.

    >>> duration(0.000512), duration(1.5), duration(75), duration(7200)
    ('512µs', '1.50s', '1:15', '2:00:00')
    """
    if seconds is None:
        return ""
    if seconds >= 60:
        minutes, rest = divmod(int(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            value = seconds / scale
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return f"{seconds * 1e9:.0f}ns"

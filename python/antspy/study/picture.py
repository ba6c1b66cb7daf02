"""study.png: elapsed time and memory beside each other, with what ran beside it here (`--against`,
`--cluster`), else with the figures that the Go study published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from antspy.study import published
from antspy.study.machine import describe
from antspy.study.outcome import Outcome
from antspy.study.rival import Rival

HERE_COLOUR, GO_COLOUR, FAILED_COLOUR = "#1f6f8b", "#c9ced6", "#b3261e"
BAR_HEIGHT = 0.38
ROOM_FOR_FIGURES = 1.25
"""How far the axis goes beyond its longest bar."""

Lengths = list[float | None]


@dataclass(frozen=True)
class Reference:
    """What the rows stand beside. Ratios there are where both were measured in one run."""

    label: str
    memory: str
    elapsed_s: Lengths
    memory_mb: Lengths
    elapsed_ratios: Lengths | None = None
    memory_ratios: Lengths | None = None


def draw(outcome: Outcome, path: Path) -> None:
    results, options, rival = outcome.results, outcome.options, outcome.rival
    go = measured_here(outcome, rival) if rival and rival.results else published_by_the_study(outcome)

    figure = Figure(figsize=(11, 2.4 + 0.8 * len(results)), layout="constrained")
    FigureCanvasAgg(figure)
    elapsed, memory = figure.subplots(1, 2, sharey=True)
    elapsed.set_title("elapsed, seconds (logarithmic)", fontsize=10)
    memory.set_title(f"memory, MB ({go.memory})", fontsize=10)
    where = "in one process" if options.cluster else "here"
    labels = (f"antspy, {where}: {options.jobs:,} jobs", go.label)
    draw_bars(
        elapsed,
        labels,
        here=[result.elapsed_ms / 1000 for result in results],
        go=go.elapsed_s,
        logarithmic=True,
    )
    draw_bars(memory, labels, here=[result.peak_rss_mb for result in results], go=go.memory_mb)
    draw_ratios(elapsed, go.elapsed_ratios)
    draw_ratios(memory, go.memory_ratios)
    elapsed.set_yticks(range(len(results)), [result.name for result in results])
    elapsed.invert_yaxis()
    for place, result in enumerate(results):
        theirs = rival.result(result.name) if rival else None
        failed = [f"{result.failed:,} failed"] if result.failed else []
        if rival and theirs and theirs.failed:
            failed.append(f"{theirs.failed:,} failed {rival.short}")
        if failed:
            elapsed.annotate(
                "\n".join(failed),
                xy=(0, place),
                xycoords=("axes fraction", "data"),
                xytext=(-7, -14),
                textcoords="offset points",
                ha="right",
                va="center",
                color=FAILED_COLOUR,
                fontsize=8,
            )

    figure.legend(*elapsed.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(
        f"{options.jobs:,} jobs, each one GET answered after {options.delay:g} s; "
        f"variant {options.variant}; {outcome.client}\n"
        f"{describe(outcome.machine)}; {outcome.date[:10]}" + (f"\n{rival.line()}" if rival else ""),
        fontsize=10,
    )
    figure.savefig(path, dpi=150)


def measured_here(outcome: Outcome, rival: Rival) -> Reference:
    theirs = [rival.result(result.name) for result in outcome.results]
    ratios = [rival.ratio(result) for result in outcome.results]
    return Reference(
        label=f"{rival.name}, here: the same jobs and server, by turns",
        memory="peak RSS; of a cluster all its processes" if outcome.options.cluster else "peak RSS",
        elapsed_s=[row.elapsed_ms / 1000 if row else None for row in theirs],
        memory_mb=[row.peak_rss_mb if row else None for row in theirs],
        elapsed_ratios=[ratio.elapsed for ratio in ratios],
        memory_ratios=[ratio.peak_rss for ratio in ratios],
    )


def published_by_the_study(outcome: Outcome) -> Reference:
    table = {row.name: row for row in published.TABLE}
    rows = [table.get(result.name) for result in outcome.results]
    return Reference(
        label=f"Go, published: {published.JOBS:,} jobs, another machine",
        memory="here peak RSS, in Go TotalAlloc",
        elapsed_s=[row.elapsed_ms / 1000 if row else None for row in rows],
        memory_mb=[row.memory_mb if row else None for row in rows],
    )


def draw_ratios(axes: Axes, ratios: Lengths | None) -> None:
    """A column at the right: ours by theirs, where both are known."""
    if ratios is None:
        return
    across = axes.get_yaxis_transform()  # x in parts of the width, y in rows
    axes.text(1.0, -0.62, "ratio", ha="right", va="center", fontsize=9, transform=across)
    for place, ratio in enumerate(ratios):
        text = "" if ratio is None else f"{ratio:.2f}"
        axes.text(1.0, place, text, ha="right", va="center", fontsize=9, weight="bold", transform=across)


def draw_bars(
    axes: Axes, labels: tuple[str, str], here: Lengths, go: Lengths, *, logarithmic: bool = False
) -> None:
    """Horizontal bars, ours above Go's, each with its figure at its end."""
    drawn = [length for length in (*here, *go) if length]
    if logarithmic:
        # From a power of ten below the shortest bar: on this scale no bar can begin at zero.
        axes.set_xscale("log")
        start = 10.0**-2
        while start * 10 < min(drawn, default=1.0):
            start *= 10
        axes.set_xlim(start, max(drawn, default=1.0) * ROOM_FOR_FIGURES**4)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(0, max(drawn, default=1.0) * ROOM_FOR_FIGURES)
    for lengths, label, colour, offset in (
        (here, labels[0], HERE_COLOUR, -BAR_HEIGHT / 2),
        (go, labels[1], GO_COLOUR, BAR_HEIGHT / 2),
    ):
        known = [(place + offset, length) for place, length in enumerate(lengths) if length]
        if known:
            places, widths = zip(*known, strict=True)
            bars = axes.barh(places, widths, height=BAR_HEIGHT, color=colour, label=label)
            axes.bar_label(bars, labels=[figures(width) for width in widths], padding=3, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def figures(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

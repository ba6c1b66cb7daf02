"""study.png: elapsed time and memory beside each other, the published Go figures as reference."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from antspy.study import published
from antspy.study.machine import describe
from antspy.study.outcome import Outcome

HERE_COLOUR, GO_COLOUR, FAILED_COLOUR = "#1f6f8b", "#c9ced6", "#b3261e"
BAR_HEIGHT = 0.38
ROOM_FOR_FIGURES = 1.25
"""How far the axis goes beyond its longest bar."""

Lengths = list[float | None]


def draw(outcome: Outcome, path: Path) -> None:
    results, options = outcome.results, outcome.options
    go = {row.name: row for row in published.TABLE}
    rows = [go.get(result.name) for result in results]

    figure = Figure(figsize=(11, 2.4 + 0.8 * len(results)), layout="constrained")
    FigureCanvasAgg(figure)
    elapsed, memory = figure.subplots(1, 2, sharey=True)
    elapsed.set_title("elapsed, seconds (logarithmic)", fontsize=10)
    memory.set_title("memory, MB (here peak RSS, in Go TotalAlloc)", fontsize=10)
    here_label = f"here: {options.jobs:,} jobs"
    go_label = f"Go, published: {published.JOBS:,} jobs, another machine"
    draw_bars(
        elapsed,
        (here_label, go_label),
        here=[result.elapsed_ms / 1000 for result in results],
        go=[row.elapsed_ms / 1000 if row else None for row in rows],
        logarithmic=True,
    )
    draw_bars(
        memory,
        (here_label, go_label),
        here=[result.peak_rss_mb for result in results],
        go=[row.memory_mb if row else None for row in rows],
    )
    elapsed.set_yticks(range(len(results)), [result.name for result in results])
    elapsed.invert_yaxis()
    for place, result in enumerate(results):
        if result.failed:
            elapsed.annotate(
                f"{result.failed:,} failed",
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
        f"{describe(outcome.machine)}; {outcome.date[:10]}",
        fontsize=10,
    )
    figure.savefig(path, dpi=150)


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

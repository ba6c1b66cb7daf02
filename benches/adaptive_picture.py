"""The plot of `adaptive.py`: each load's capacity over time, and its throughput beside the fixed ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

if TYPE_CHECKING:
    from adaptive import Comparison

OURS, FIXED, LINE = "#b3261e", "#1f6f8b", "#9aa5b1"
SMOOTH = 10
"""Looks at the pool over which a throughput is a mean."""


def draw(comparisons: list[Comparison], path: Path) -> None:
    canvas = Figure(figsize=(9.5, 2.8 * len(comparisons)), layout="constrained")
    FigureCanvasAgg(canvas)
    rows = canvas.subplots(len(comparisons), 3, squeeze=False, width_ratios=(4, 4, 3))
    for comparison, (capacity, throughput, sweep) in zip(comparisons, rows, strict=True):
        draw_capacity(capacity, comparison)
        draw_throughput(throughput, comparison)
        draw_sweep(sweep, comparison)
        for axes in (capacity, throughput, sweep):
            axes.spines[["top", "right"]].set_visible(False)
            axes.tick_params(labelsize=8)
            axes.margins(y=0.1)
            axes.set_ylim(bottom=0)
    canvas.legend(*rows[0][1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    canvas.savefig(path, dpi=100)


def draw_capacity(axes: Axes, comparison: Comparison) -> None:
    run = comparison.adaptive
    axes.step(run.times, run.capacities, where="post", color=OURS, linewidth=1.2)
    axes.set_title(f"{comparison.load.title}:\ncapacity over seconds", fontsize=9)


def draw_throughput(axes: Axes, comparison: Comparison) -> None:
    run = comparison.adaptive
    pairs = list(zip(run.times, run.ended, strict=True))
    means = [
        (after[0], (after[1] - before[1]) / (after[0] - before[0]))
        for before, after in zip(pairs, pairs[SMOOTH:], strict=False)
    ]
    axes.plot(
        [at for at, _ in means], [mean for _, mean in means], color=OURS, linewidth=1.2, label="adaptive"
    )
    for phase in range(comparison.load.phases):
        best = comparison.best(phase)[1]
        start = phase * comparison.seconds
        for height, style, name in (
            (best, "solid", "best fixed capacity"),
            (0.9 * best, "dotted", "90 % of that"),
        ):
            times = [start, start + comparison.seconds]
            axes.plot(times, [height] * 2, linestyle=style, color=LINE, label=name if phase == 0 else None)
    axes.set_title("tasks a second\nover seconds", fontsize=9)


def draw_sweep(axes: Axes, comparison: Comparison) -> None:
    for phase, fixed in enumerate(comparison.fixed):
        style = "-" if phase == 0 else "--"
        axes.plot(
            list(fixed), list(fixed.values()), style, marker="o", markersize=3, color=FIXED, linewidth=1
        )
    for phase in range(comparison.load.phases):
        throughput, capacity, _, _ = comparison.settled(phase)
        axes.plot([capacity], [throughput], "x", color=OURS, markersize=8, markeredgewidth=2)
    axes.set_xscale("log")
    axes.set_xticks(list(comparison.fixed[0]), [str(capacity) for capacity in comparison.fixed[0]])
    axes.tick_params("x", labelrotation=45)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title("tasks a second at\nfixed capacities; x: adaptive", fontsize=9)

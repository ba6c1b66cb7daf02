"""The plot: a panel for each work, bars where peers are compared, lines where something grows."""

from collections.abc import Iterable
from math import floor, log10
from pathlib import Path

from catalogue import WORKS
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import NullFormatter
from results import Figure
from vs.floor import Floor
from vs.ours import Ours
from vs.peers import NAMES
from vs.threads import Threads

COLUMNS = 3
COLOURS = dict(
    zip(
        NAMES,
        ("#b3261e", "#1f6f8b", "#6a8caf", "#9aa5b1", "#5b8c5a", "#8a6fb0", "#c48b3f", "#444444", "#00a0a0"),
        strict=True,
    )
)
ROOM_FOR_FIGURES = 2
NO_CAPACITY = (Floor.name, Threads.name)
"""They are measured beside those of a capacity, and have none."""
LAYOUT = ConstrainedLayoutEngine(h_pad=0.15)
"""With inches above and below a panel."""
GROWS = ("growth_tasks", "growth_capacity", "submitters")
"""Works whose settings are numbers, each larger than the one before."""


def draw(figures: list[Figure], path: Path) -> None:
    works = [work for work in WORKS.values() if any(figure.work is work for figure in figures)]
    columns = 1 if len(works) < COLUMNS else COLUMNS  # two fit on a page of text, one above the other
    rows = -(-len(works) // columns)
    canvas = Canvas(figsize=(7 if columns == 1 else 6 * columns, 3.6 * rows), layout=LAYOUT)
    FigureCanvasAgg(canvas)
    panels = canvas.subplots(rows, columns, squeeze=False).flat
    for work, axes in zip(works, panels, strict=False):
        own = [figure for figure in figures if figure.work is work]
        axes.set_title(f"{work.title}, {work.unit.words}", fontsize=9)
        if work.name in GROWS:
            lines(axes, own)
        else:
            bars(axes, own)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
    for axes in list(panels):
        axes.set_axis_off()
    canvas.savefig(path, dpi=110)


def bars(axes: Axes, figures: list[Figure]) -> None:
    """One for each case, the shortest on top, with its figure."""
    figures = sorted(figures, key=lambda figure: figure.median, reverse=True)
    lengths = [figure.median * figure.work.unit.factor for figure in figures]
    colours = [COLOURS[figure.peer] for figure in figures]
    drawn = axes.barh([label(figure) for figure in figures], lengths, color=colours)
    axes.bar_label(
        drawn,
        labels=[f"{length:,.3g}" if length < 100 else f"{length:,.0f}" for length in lengths],
        fontsize=6,
        padding=2,
    )
    axes.set_xscale("log")
    axes.set_xlim(10.0 ** floor(log10(min(lengths))), max(lengths) * ROOM_FOR_FIGURES)
    axes.xaxis.set_minor_formatter(NullFormatter())
    for tick, figure in zip(axes.get_yticklabels(), figures, strict=True):
        tick.set_fontweight("bold" if figure.peer == Ours.name else "normal")


def label(figure: Figure) -> str:
    if figure.peer in NO_CAPACITY and figure.setting.startswith("capacity "):
        return figure.peer
    return f"{figure.peer}, {figure.setting}"


def lines(axes: Axes, figures: list[Figure]) -> None:
    for peer in NAMES:
        points = sorted((number(figure.setting), figure) for figure in figures if figure.peer == peer)
        if points:
            costs = [figure.median * figure.work.unit.factor for _, figure in points]
            axes.plot([x for x, _ in points], costs, marker="o", color=COLOURS[peer], label=peer)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=7, frameon=False)


def number(setting: str) -> int:
    """The number in it: '10,000 tasks', 'capacity 8', 'from 2 threads'."""
    digits: Iterable[str] = (word.replace(",", "") for word in setting.split())
    return next(int(word) for word in digits if word.isdigit())

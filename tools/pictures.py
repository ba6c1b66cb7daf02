"""Draw the pictures of `docs/design.md`: `python tools/pictures.py`. Each is a file in `docs/pictures/`.

They have a background of their own, and one set of colours for light pages and one for dark ones, so they can
be read wherever they are shown.
"""

from collections.abc import Callable
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
STYLE = """\
  svg { --paper: #fbfcfc; --ink: #22303a; --faint: #66757f; --line: #5b6b76; --box: #eef2f4; --good: #d5ede8;
        --busy: #fbe6c6; --bad: #f7d9d6; --edge: #9fb0ba }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #1d2228; --ink: #e6edf1; --faint: #a3b1ba; --line: #93a3ae; --box: #2c343c;
          --good: #1f4a44; --busy: #574218; --bad: #5a2d2a; --edge: #5a6a75 }
  }
  .paper { fill: var(--paper) }
  text { font: 15px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; dominant-baseline: central }
  .small { font-size: 13px; fill: var(--faint) }
  .code { font-family: ui-monospace, monospace; font-size: 13.5px }
  .left { text-anchor: start }
  .right { text-anchor: end }
  .box { fill: var(--box); stroke: var(--edge) }
  .good { fill: var(--good); stroke: var(--edge) }
  .busy { fill: var(--busy); stroke: var(--edge) }
  .bad { fill: var(--bad); stroke: var(--edge) }
  .frame { fill: none; stroke: var(--edge); stroke-dasharray: 5 4 }
  .arrow { fill: none; stroke: var(--line); stroke-width: 1.6; marker-end: url(#tip) }
  .tip { fill: var(--line) }
"""


class Picture:
    """Boxes, arrows and words; one unit is a pixel."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path class="tip" d="M0 0L10 5L0 10z"/></marker></defs>',
            f'<rect class="paper" width="{width}" height="{height}" rx="10"/>',
        ]

    def box(self, x: int, y: int, width: int, height: int, text: str, kind: str = "box") -> None:
        """A box around the point (x, y); several lines of text are parted by `|`, and a line in `code` so."""
        left, top = x - width / 2, y - height / 2
        self._parts.append(
            f'<rect class="{kind}" x="{left:g}" y="{top:g}" width="{width}" height="{height}" rx="7"/>'
        )
        lines = text.split("|") if text else []
        for number, line in enumerate(lines):
            self.text(x, y + 19 * number - 9.5 * (len(lines) - 1), line, "" if number == 0 else "small")

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        if text.startswith("`"):
            text, kind = text.strip("`"), f"{kind} code"
        self._parts.append(f'<text class="{kind.strip()}" x="{x:g}" y="{y:g}">{escape(text)}</text>')

    def arrow(self, *points: tuple[int, int]) -> None:
        path = "L".join(f"{x} {y}" for x, y in points)
        self._parts.append(f'<path class="arrow" d="M{path}"/>')

    def __str__(self) -> str:
        return "\n".join([*self._parts, "</svg>"]) + "\n"


def task() -> Picture:
    picture = Picture(860, 590, "The life of a task")
    box, arrow, text = picture.box, picture.arrow, picture.text
    box(150, 45, 220, 44, "`submit, go, map, asubmit`")
    arrow((150, 67), (150, 103))
    box(150, 125, 150, 44, "is there a place?")
    text(140, 163, "yes", "small right")
    text(241, 115, "no", "small")
    arrow((150, 147), (150, 198))
    # What a full pool does.
    arrow((225, 125), (268, 125))
    box(430, 125, 320, 176, "", "frame")
    text(430, 26, "what overflow= says", "small")
    for number, (policy, outcome, kind) in enumerate(
        [
            ("raise", "PoolOverloadError", "bad"),
            ("discard", "its future is cancelled", "bad"),
            ("caller_runs", "its submitter runs it", "good"),
            ("block", "stands in line", "busy"),
        ]
    ):
        y = 65 + 40 * number
        text(284, y, f"`{policy}`", "left")
        box(485, y, 190, 32, outcome, kind)
    arrow((580, 185), (640, 185))
    text(650, 176, "time is up, Ctrl-C, pool closed:", "small left")
    text(650, 194, "refused with an exception", "small left")
    arrow((485, 201), (485, 230), (232, 230))
    text(358, 241, "its turn: a place came free", "small")
    # Accepted.
    box(150, 220, 160, 44, "accepted|a place is taken", "good")
    arrow((150, 242), (150, 288))
    box(150, 310, 160, 44, "queued|in one of three lanes", "good")
    arrow((150, 332), (150, 378))
    text(162, 355, "a worker takes it, or who waits for it runs it", "small left")
    box(150, 400, 160, 44, "running|in its context", "busy")
    arrow((230, 310), (478, 310))
    text(354, 299, "cancelled, too late, broken pool", "small")
    box(620, 310, 280, 44, "does not run|whoever ends it gives its place back", "bad")
    # Its end.
    arrow((150, 422), (150, 473))
    text(162, 448, "returns or raises", "small left")
    box(150, 510, 160, 70, "the place is free", "good")
    arrow((230, 510), (298, 510))
    box(380, 510, 160, 70, "the worker is idle", "good")
    arrow((460, 510), (528, 510))
    box(
        685,
        510,
        310,
        70,
        "its end is told|result, exception or cancellation:|future, handler, group, event loop",
        "good",
    )
    arrow((620, 332), (620, 473))
    text(430, 565, "in this order: who has the result finds the place free and the worker idle", "small")
    return picture


def worker() -> Picture:
    picture = Picture(860, 510, "A worker's states")
    box, arrow, text = picture.box, picture.arrow, picture.text
    text(150, 24, "started", "small")
    arrow((150, 36), (150, 63))
    box(150, 90, 200, 50, "Preparing|runs its initializer, if any")
    arrow((150, 115), (150, 173))
    text(160, 144, "for work", "small left")
    arrow((250, 90), (640, 90), (640, 173))
    text(440, 79, "by prealloc", "small")
    box(150, 200, 200, 50, "Searching|on its way to the queue", "good")
    arrow((250, 190), (608, 190))
    text(430, 179, "finds a task; if there is more, the next is woken", "small")
    arrow((610, 212), (252, 212))
    text(430, 225, "the next start is not due yet (rate)", "small")
    box(710, 200, 200, 50, "Busy|runs task after task", "busy")
    arrow((780, 175), (780, 135), (690, 135), (690, 173))
    text(735, 122, "the next task", "small")
    # No work for now.
    box(430, 300, 240, 50, "Standby|comes if the others fall behind")
    arrow((200, 225), (200, 290), (308, 290))
    text(210, 260, "others run through the queue", "small left")
    arrow((310, 312), (170, 312), (170, 227))
    text(240, 325, "needed", "small")
    box(430, 390, 240, 50, "Idle|asleep; the newest wakes first", "good")
    arrow((430, 325), (430, 363))
    text(440, 345, "they have got through", "small left")
    arrow((750, 225), (750, 390), (552, 390))
    text(650, 379, "the queue is empty", "small")
    arrow((310, 390), (130, 390), (130, 227))
    text(220, 379, "woken for a task", "small")
    # The end.
    box(430, 475, 240, 44, "Leaving|runs its finalizer, if any", "bad")
    arrow((430, 415), (430, 451))
    text(440, 433, "expired, closed, tuned down", "small left")
    arrow((790, 225), (790, 475), (552, 475))
    text(670, 464, "closed and empty, tuned down", "small")
    arrow((310, 475), (240, 475))
    text(230, 475, "its thread ends", "small right")
    return picture


def line() -> Picture:
    picture = Picture(860, 345, "The line of threads and coroutines")
    box, arrow, text = picture.box, picture.arrow, picture.text
    text(295, 28, "the line: first come, first served, in each of three lanes", "small")
    for number, (name, waits, kind) in enumerate(
        [
            ("coroutine", "its task", "good"),
            ("thread", "asleep", "busy"),
            ("coroutine", "its task", "good"),
            ("coroutine", "its task", "good"),
            ("thread", "asleep", "busy"),
        ]
    ):
        box(75 + 110 * number, 80, 100, 56, f"{name}|{waits}", kind)
    arrow((565, 80), (632, 80))
    text(598, 69, "goes in", "small")
    box(735, 105, 200, 150, "", "frame")
    text(735, 18, "the pool", "small")
    box(735, 58, 170, 36, "queue")
    box(735, 107, 170, 36, "worker", "busy")
    box(735, 152, 170, 36, "worker", "busy")
    arrow((735, 180), (735, 205), (412, 205))
    text(575, 194, "a task has ended: its place is free", "small")
    box(300, 205, 220, 50, "who is first in line?|granted under the lock")
    arrow((300, 180), (300, 145), (515, 145), (515, 110))
    text(408, 134, "its turn", "small")
    for number, told in enumerate(
        [
            "A thread sleeps. The place is its own from its turn on: it wakes, and brings its task in.",
            "A coroutine's loop may come late. So its task stands in line itself, and goes in at its turn.",
            "Who gives up (a timeout, Ctrl-C, a cancelled await) leaves the line, or gives the place back.",
        ]
    ):
        text(30, 268 + 24 * number, told, "small left")
    return picture


PICTURES: dict[str, Callable[[], Picture]] = {"task.svg": task, "worker.svg": worker, "line.svg": line}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        (FOLDER / name).write_text(str(draw()), encoding="utf-8")

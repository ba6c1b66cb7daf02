"""The command line of `antspy top`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Options:
    """What `antspy top` is told."""

    path: str
    interval: float = 1.0
    """Seconds from one look to the next."""
    slowest: int = 10
    """How many running tasks are shown."""
    stuck: float = 30.0
    """Seconds after which a task is said to be stuck."""
    stacks: bool = False
    once: bool = False
    json: bool = False
    web: int | None = None
    """The port of the web page; 0: any free one."""
    host: str = "127.0.0.1"


def add_command(commands: Any, command: str) -> None:
    """Add the sub-command to the parser of `antspy`."""
    parser = commands.add_parser(
        command,
        help="show what the pools of a running process do",
        description="Shows what the pools of a process do that has called antspy.serve_stats(PATH).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("path", metavar="PATH", help="what the process has called antspy.serve_stats() with")
    add(
        "--interval",
        type=seconds(0.05, 3600.0),
        default=Options.interval,
        metavar="SECONDS",
        help="from one look to the next",
    )
    add(
        "--slowest",
        type=whole(0, 10**6),
        default=Options.slowest,
        metavar="N",
        help="running tasks shown",
    )
    add(
        "--stuck",
        type=seconds(0.0, 1e9),
        default=Options.stuck,
        metavar="SECONDS",
        help="after which a task that still runs is marked as stuck",
    )
    add("--stacks", action="store_true", help="with the Python stack of each of these tasks")
    add(
        "--once",
        action="store_true",
        help="look once, for one interval; so it does without a terminal",
    )
    add("--json", action="store_true", help="print the document itself, once")
    add(
        "--web",
        type=whole(0, 65535),
        metavar="PORT",
        help="serve a page with plots; 0: any free port",
    )
    add("--host", default=Options.host, help="with --web: the address to serve it on")


def seconds(least: float, most: float) -> Callable[[str], float]:
    """Return what reads a number of seconds from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            message = f"must be a number of seconds from {least:g} to {most:g}, not {text!r}"
            raise argparse.ArgumentTypeError(message)
        return value

    return parse


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number from `least` to `most`."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse

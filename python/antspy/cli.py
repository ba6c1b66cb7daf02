"""The command line: `antspy study` and `antspy top`, also `python -m antspy ...`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from antspy.study.options import (
    CLUSTER_JOBS,
    JOBS,
    Against,
    Client,
    Cluster,
    Options,
    StudyError,
    Variant,
    parse_capacities,
    parse_delay,
    parse_jobs,
    parse_port,
)
from antspy.watch import options as watch
from antspy.watch.client import WatchError

EXTRA = ("rich", "matplotlib", "uvloop", "httptools")
"""What `pip install 'antspy[study]'` brings, beside the client pycurl."""

INTERRUPTED = 130
"""128 and the number of SIGINT, as shells report a command that Ctrl-C ended."""

T = TypeVar("T")


class UsageError(Exception):
    """What was asked for makes no sense: of which command, and why."""


class Parser(argparse.ArgumentParser):
    """argparse, with one line for an error instead of the usage and a line."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def main(argv: Sequence[str] | None = None) -> int:
    try:
        arguments = vars(make_parser().parse_args(argv))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    command = arguments.pop("command")
    try:
        return COMMANDS[command](arguments)
    except (StudyError, WatchError) as error:
        print(f"antspy {command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"antspy {command}: interrupted", file=sys.stderr)
        return INTERRUPTED


def study(arguments: dict[str, Any]) -> int:
    options = study_options(arguments)
    require(options)
    from antspy.study.study import run_study

    return run_study(options)


def study_options(arguments: dict[str, Any]) -> Options:
    kinds = {"variant": Variant, "client": Client, "against": Against, "cluster": Cluster}
    if "jobs" not in arguments:
        arguments["jobs"] = CLUSTER_JOBS if arguments["cluster"] else JOBS
    chosen = {name: kind(arguments[name]) for name, kind in kinds.items() if arguments[name] is not None}
    return Options(**arguments | chosen)


def top(arguments: dict[str, Any]) -> int:
    from antspy.watch.command import run

    return run(watch.Options(**arguments))


COMMANDS = {"study": study, "top": top}


def make_parser() -> Parser:
    parser = Parser(prog="antspy", description="A bounded worker pool for Python.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    watch.add_command(commands, "top")
    study = commands.add_parser(
        "study",
        help="compare no pool, the default pool and pools of fixed capacity",
        description="Runs the same jobs, each one GET to a local server, in each configuration, "
        "every one in a process of its own. Prints the table, writes study.json and study.png.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    default = Options()
    add = study.add_argument
    add(
        "--jobs",
        type=checked(parse_jobs),
        default=argparse.SUPPRESS,
        metavar="N",
        help=f"jobs in each configuration (default: {JOBS}, with --cluster {CLUSTER_JOBS})",
    )
    add(
        "--capacities",
        type=checked(parse_capacities),
        default=",".join(str(capacity) for capacity in default.capacities),
        metavar="LIST",
        help="none: a thread for each job; default: the default pool; adaptive: a pool that tunes itself; "
        "numbers: pools",
    )
    add(
        "--port",
        type=checked(parse_port),
        default=default.port,
        metavar="PORT",
        help="the server's port; 0: any free one",
    )
    add(
        "--delay",
        type=checked(parse_delay),
        default=default.delay,
        metavar="SECONDS",
        help="how long the server waits before it answers",
    )
    add(
        "--variant",
        choices=[str(variant) for variant in Variant],
        default=str(default.variant),
        help="how the jobs are handed out",
    )
    add(
        "--client",
        choices=[str(client) for client in Client],
        default=str(default.client),
        help="who makes the requests",
    )
    add(
        "--against",
        choices=[str(against) for against in Against],
        default=default.against,
        help="after each configuration run ants in Go on the same jobs, and compare (needs Go)",
    )
    add(
        "--cluster",
        choices=[str(cluster) for cluster in Cluster],
        default=default.cluster,
        help="after each configuration run a ClusterPool on the same jobs, and compare (needs antspy[dask])",
    )
    add(
        "--out",
        type=Path,
        default=default.out,
        metavar="DIRECTORY",
        help="where study.json and study.png go",
    )
    return parser


def checked(parse_value: Callable[[str], T]) -> Callable[[str], T]:
    """argparse shows the text of no other error class than its own."""

    def parse_argument(text: str) -> T:
        try:
            return parse_value(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument


def require(options: Options) -> None:
    """Says what is missing before anything is started."""
    if sys.platform == "win32":
        raise StudyError("runs on Linux and macOS")
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise StudyError(f"{', '.join(missing)} not installed: pip install 'antspy[study]'")
    if options.cluster is not None:
        if options.against is not None:
            raise StudyError("--cluster: not together with --against: a row stands beside one other")
        if options.variant in (Variant.FUNC, Variant.CHANNELS):
            raise StudyError(f"--cluster: there is no variant {options.variant} of a pool on a cluster")
        if find_spec("distributed") is None:
            raise StudyError("--cluster: distributed not installed: pip install 'antspy[dask]'")
    if options.client is Client.PYCURL and find_spec("pycurl") is None:
        raise StudyError(
            "--client pycurl: not installed: pip install 'antspy[study]', or choose --client http.client"
        )

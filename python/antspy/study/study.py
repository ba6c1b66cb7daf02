"""The study from its first process to its last."""

from __future__ import annotations

import errno
import socket
import time
from datetime import datetime
from itertools import product

from rich.console import Console

from antspy.study.child import Child, ChildEnded, python
from antspy.study.client import ANSWER_TIMEOUT, CONNECT_TIMEOUT
from antspy.study.configuration import HOST, Configuration, configurations
from antspy.study.go_program import NoGo, build_go_program
from antspy.study.limits import SPARE_FILES, check_open_files, raise_open_files
from antspy.study.machine import machine_facts
from antspy.study.message import Message
from antspy.study.options import Options, StudyError
from antspy.study.outcome import Outcome
from antspy.study.picture import draw
from antspy.study.progress import Progress
from antspy.study.result import Result
from antspy.study.rival import CLUSTER, RIVAL, Rival
from antspy.study.server import BACKLOG
from antspy.study.server_rate import CONNECTIONS, DURATION
from antspy.study.settle import settle
from antspy.study.table import print_table

START_PATIENCE = 30.0
"""Seconds in which a new process must say its first word."""

STANDSTILL = 2 * (CONNECT_TIMEOUT + ANSWER_TIMEOUT)
"""Seconds, beside the delay, in which some job must end: the client's own timeouts are shorter."""

END_PATIENCE = 90.0
"""Seconds for a process to release its pool and to end, after it told its result."""


def run_study(options: Options, progress: Progress | None = None) -> int:
    """The whole command, after its arguments are read; returns the exit code."""
    out = Console(soft_wrap=True, highlight=False)
    open_files = raise_open_files()
    check_open_files(options, open_files)
    make_directory(options)
    date = datetime.now().astimezone().isoformat(timespec="seconds")
    rival, command = prepare_rival(options, out)
    listener = listen(options.port)
    port = int(listener.getsockname()[1])
    with start_server(listener, options.delay) as server:
        listener.close()  # the server has its own: when that is gone, connections are refused
        library = first_message(server, "the server")["library"]
        rate = server_rate(port, open_files)
        outcome = Outcome(
            options=options,
            port=port,
            date=date,
            machine=machine_facts(open_files),
            server_library=library,
            server_rate=rate,
            configurations=configurations(options, port),
            rival=rival,
        )
        out.print(f"{outcome.server_line()}; process {server.process.pid}, port {port}")
        run_configurations(outcome, server, command, progress or Progress())
    print_table(outcome, out)
    json_file, png_file = options.out / "study.json", options.out / "study.png"
    outcome.write_json(json_file)
    draw(outcome, png_file)
    out.print(f"Written: {json_file}, {png_file}")
    return 1 if outcome.broken else 0


def make_directory(options: Options) -> None:
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"--out {options.out}: {error.strerror}") from error


def prepare_rival(options: Options, out: Console) -> tuple[Rival | None, list[str]]:
    """What runs beside the pool in one process, and its command. It is built before anything is measured;
    where that cannot be done, the study goes on without it, and says so."""
    if options.cluster is not None:
        return Rival(CLUSTER, "on it"), python("cluster_measurement")
    if options.against is None:
        return None, []
    out.print(f"{RIVAL}: looked for, and built if it is new here (a minute, the first time)")
    try:
        return Rival(), [str(build_go_program())]
    except NoGo as why:
        rival = Rival(missing=str(why))
        out.print(rival.line(), markup=False)
        return rival, []


def listen(port: int) -> socket.socket:
    """Opens the port here, where an error is one line, and before anything is started."""
    try:
        return socket.create_server((HOST, port), backlog=BACKLOG)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        raise StudyError(f"--port {port}: {'in use' if in_use else error.strerror}") from error


def start_server(listener: socket.socket, delay: float) -> Child:
    descriptor = listener.fileno()
    return Child(python("server", str(descriptor), str(delay)), pass_fds=[descriptor])


def server_rate(port: int, open_files: int) -> float:
    connections = min(CONNECTIONS, open_files - SPARE_FILES)
    with Child(python("server_rate", str(port), str(connections))) as client:
        return float(first_message(client, "measuring the server")["rate"])


def first_message(child: Child, what: str) -> Message:
    try:
        return next(child.messages(START_PATIENCE + DURATION))
    except ChildEnded as end:
        raise StudyError(f"{what}: {end}") from end


def run_configurations(outcome: Outcome, server: Child, rival_command: list[str], progress: Progress) -> None:
    """One after the other, so that none disturbs another; a server that ended is not replaced."""
    sides: list[tuple[str, list[str], Outcome | Rival]] = [("", python("measurement"), outcome)]
    if outcome.rival and rival_command:
        sides.append((outcome.rival.name, rival_command, outcome.rival))
    server_alive = True
    with progress:
        # By turns: a row and its rival have the machine as it is in the same minute.
        for row, (name, command, side) in product(outcome.configurations, sides):
            if isinstance(side, Rival) and not row.has_rival(side.name):
                continue
            settle(row.port)
            progress.begin(row, name)
            result, client = run_configuration(row, command, progress)
            side.results.append(result)
            side.client = client or side.client
            outcome.broken |= not client
            progress.end(result)
            if server_alive and not server.alive:
                server_alive = False
                outcome.broken = True
                outcome.notes.append(f"the server, during {row.name!r}: {server.epitaph()}")


def run_configuration(row: Configuration, command: list[str], progress: Progress) -> tuple[Result, str]:
    """In a process of its own, heard until its result, or until it ends or stands still; with the client that
    it tells of, or none if it did not live to tell."""
    start = moved = time.perf_counter()
    last: Message = {"done": 0, "failed": 0}
    with Child([*command, row.to_json()]) as child:
        try:
            for message in child.messages(STANDSTILL + row.delay):
                if "result" in message:
                    return finish(child, Result(**message["result"])), str(message["client"])
                if message["done"] != last["done"]:
                    moved = time.perf_counter()
                elif time.perf_counter() - moved > STANDSTILL + row.delay:
                    raise ChildEnded(f"no job was done for {STANDSTILL + row.delay:g} s")
                last = message
                progress.update(message)
        except ChildEnded as end:
            return cut_short(row, last, str(end), time.perf_counter() - start), ""
    raise AssertionError("messages() ends with a result or with ChildEnded")


def finish(child: Child, result: Result) -> Result:
    """Lets the process release its pool and end: not measured, but told when it fails."""
    child.join(END_PATIENCE)
    if child.alive:
        result.notes.append(f"its process did not end within {END_PATIENCE:g} s of its result")
    elif child.process.returncode != 0:
        result.notes.append(f"after its result {child.epitaph()}")
    return result


def cut_short(row: Configuration, last: Message, why: str, seconds: float) -> Result:
    """For a process that did not live to tell its result: what is not known as done has failed."""
    missing = row.jobs - last["done"]
    reasons = {why: missing, "failed before that": last["failed"]}
    return Result(
        name=row.name,
        jobs=row.jobs,
        failed=missing + last["failed"],
        elapsed_ms=round(seconds * 1000, 1),
        peak_rss_mb=None,
        reasons={reason: count for reason, count in reasons.items() if count},
    )

"""The limits of the operating system that can bound a run.

The narrowest is that of open files: a connection is one in the server's process, one or more in the client's.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable

from antspy.study.options import ADAPTIVE_LIMIT, Options, StudyError, Unbounded

SPARE_FILES = 64
"""Open files of a process beside its connections: libraries, pipes, the listening socket."""


def raise_open_files() -> int:
    """Raises the soft limit of open files to the hard one, for this process and its children; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = [hard]
    if hard == resource.RLIM_INFINITY:  # macOS says "unlimited" and refuses it
        wanted = [1_048_576, 65_536, 10_240]
    for limit in wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            break
        except (ValueError, OSError):
            continue
    return open_files_limit()


def open_files_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def open_files_used(action: Callable[[], object]) -> int:
    """How many more files are open after the action than before."""
    before = len(os.listdir("/dev/fd"))
    action()
    return len(os.listdir("/dev/fd")) - before


def check_open_files(options: Options, limit: int) -> None:
    """Refuses what the limit cannot hold, at one file for each connection."""
    usable = limit - SPARE_FILES
    if usable < 1:
        raise StudyError(
            f"too few open files: the limit (ulimit -n) is {limit}, the study needs more than {SPARE_FILES}"
        )
    for capacity in options.capacities:
        if capacity is Unbounded.ADAPTIVE:
            connections = min(ADAPTIVE_LIMIT, options.jobs)
        elif isinstance(capacity, Unbounded):
            continue
        else:
            connections = min(capacity, options.jobs)
        if connections > usable:
            raise StudyError(
                f"--capacities {capacity}: too few open files: {connections} connections at once "
                f"need {connections + SPARE_FILES}, the limit (ulimit -n) is {limit}"
            )


def thread_limits() -> dict[str, int | str | None]:
    """What bounds the number of threads here; None where the system does not tell."""
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    return {
        "user_processes": None if processes == resource.RLIM_INFINITY else processes,
        "pid_max": kernel_number("/proc/sys/kernel/pid_max"),
        "threads_max": kernel_number("/proc/sys/kernel/threads-max"),
        "max_map_count": kernel_number("/proc/sys/vm/max_map_count"),
        "cgroup_pids_max": kernel_number("/sys/fs/cgroup/pids.max"),
    }


def connection_limits() -> dict[str, int | str | None]:
    """What bounds the number of connections, beside the open files."""
    ports = kernel_text("/proc/sys/net/ipv4/ip_local_port_range")
    return {
        "somaxconn": kernel_number("/proc/sys/net/core/somaxconn"),
        "local_ports": "-".join(ports.split()) if ports else None,
    }


def kernel_number(path: str) -> int | str | None:
    text = kernel_text(path)
    return int(text) if text and text.isdigit() else text


def kernel_text(path: str) -> str | None:
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return None

"""The machine's facts, which stand beside the figures."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

import antspy
from antspy.study.limits import connection_limits, thread_limits
from antspy.study.result import MEGABYTE


def machine_facts(open_files: int) -> dict[str, Any]:
    return {
        "cores": usable_cores(),
        "memory_mb": memory_mb(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "distribution": distribution(),
        "processor": processor(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "antspy": antspy.__version__,
        "limits": {"open_files": open_files, **thread_limits(), **connection_limits()},
    }


def describe(facts: dict[str, Any]) -> str:
    """The machine in one line."""
    memory = f"{facts['memory_mb'] / 1024:.0f} GB memory, " if facts["memory_mb"] else ""
    python = facts["python"] + ("" if facts["gil"] else " (free-threaded)")
    antspy_version = f"antspy {facts['antspy']}"
    return f"{facts['cores']} cores, {memory}{facts['system']}, {python}, {antspy_version}"


def usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_mb() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
    except (ValueError, OSError):
        return None


def distribution() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return platform.mac_ver()[0] or None


def processor() -> str | None:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or None

"""Puts antspy's classes in the place of the standard library's, in this process.

Imported at the start of each interpreter of the runner's environment: see `environment.py`.
"""

import concurrent.futures
import concurrent.futures._base
import concurrent.futures.process  # before anything is replaced: it must go on with what it knows
import concurrent.futures.thread
import contextlib
import sys

import antspy

with contextlib.suppress(ImportError):  # 3.14 and later: the same
    import concurrent.futures.interpreter  # noqa: F401


def install(folder: str) -> None:
    if folder:
        sys.path.insert(0, folder)
    for module in (concurrent.futures, concurrent.futures.thread):
        module.ThreadPoolExecutor = antspy.ThreadPoolExecutor  # type: ignore[misc]
    for module in (concurrent.futures, concurrent.futures._base):
        module.Future = antspy.Future  # type: ignore[misc]

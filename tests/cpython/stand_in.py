"""Puts antspy's classes in the place of the standard library's, in this process.

Imported at the start of each interpreter of the runner's environment: see `sandbox.py`.
"""

import contextlib
import importlib
import sys

import antspy

# Those that derive from the classes must be there before these are replaced. 3.14 has the second.
for _name in ("process", "interpreter"):
    with contextlib.suppress(ImportError):
        importlib.import_module(f"concurrent.futures.{_name}")


def install(folder: str) -> None:
    if folder:
        sys.path.insert(0, folder)
    for module in ("concurrent.futures", "concurrent.futures.thread"):
        vars(sys.modules[module])["ThreadPoolExecutor"] = antspy.ThreadPoolExecutor
    for module in ("concurrent.futures", "concurrent.futures._base"):
        vars(sys.modules[module])["Future"] = antspy.Future

"""The libraries that are tested with, and which of them must be there."""

import importlib
import sys
from typing import Any

import pytest

COMPLETE = sys.version_info[:2] == (3, 11)
"""Whether this Python must have all of them: then one that is missing fails its tests."""


def library(name: str) -> Any:
    """Import a library; without it skip the tests of this file, but where it must be there."""
    if COMPLETE:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed: it may have no wheel for this Python")

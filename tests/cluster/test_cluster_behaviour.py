"""The pool's own tests, with `ClusterPool` in the place of `Pool`, on a real cluster of two processes.

See `on_cluster.py` for how, and `differences.py` for what is left out and why.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import library

library("distributed")

from differences import DIFFERENCES  # noqa: E402

HERE = Path(__file__).parent
FILES = [
    *(
        "test_asubmit",
        "test_group",
        "test_lifecycle",
        "test_map",
        "test_places",
        "test_pool",
        "test_priority",
    ),
    *("test_stats", "test_subpool", "test_tune", "test_view", "test_wait"),
]
TIME = 150.0
"""Seconds for all. They take 38 on two cores that others use, too."""


@pytest.mark.timeout(TIME + 10)
def test_a_pool_on_a_cluster_behaves_as_any_pool() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "on_cluster", "-q", "--timeout=60"]
    ended = subprocess.run(
        [*command, *(str(HERE.parent / f"{name}.py") for name in FILES)],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent)))},
        capture_output=True,
        text=True,
        timeout=TIME,
    )
    assert ended.returncode == 0, ended.stdout[-10_000:]
    passed = re.search(r"(\d+) passed", ended.stdout)
    served = re.search(r"(\d+) calls came back from the cluster", ended.stdout)
    assert passed
    assert int(passed[1]) > 200
    assert served
    assert int(served[1]) > 500


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
def test_a_difference_is_one_of_a_test_that_is_there(name: str) -> None:
    module, _, test = name.partition("::")
    assert module in FILES
    text = (HERE.parent / f"{module}.py").read_text(encoding="utf-8")
    assert f"def {test.partition('[')[0]}(" in text

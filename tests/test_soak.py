"""The short form of each part of the soak."""

import subprocess
import sys
from pathlib import Path

import pytest
from part import SHORT_SECONDS
from parts import PARTS
from support import LIMIT

ROOT = Path(__file__).parents[1]
SOAK = ROOT / "soak" / "soak.py"


@pytest.mark.timeout(SHORT_SECONDS + LIMIT)
@pytest.mark.parametrize("name", [name for name, part in PARTS.items() if part.amount.short])
def test_none_is_lost_and_none_runs_twice(name: str, tmp_path: Path) -> None:
    if why := PARTS[name].missing():
        pytest.skip(why)
    command = [sys.executable, str(SOAK), "--short", "--out", str(tmp_path), name]
    soak = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    assert soak.returncode == 0, soak.stdout

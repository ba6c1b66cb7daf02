"""The pictures of the design are those that `tools/pictures.py` draws, and are well-formed."""

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"


def test_each_is_as_it_is_drawn_and_shown() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "tools", "pictures.py")
        program.parent.mkdir()
        program.write_bytes((ROOT / "tools" / "pictures.py").read_bytes())
        Path(folder, "docs").mkdir()
        subprocess.run([sys.executable, program], check=True, timeout=20)
        drawn = {path.name: path.read_bytes() for path in Path(folder, "docs", "pictures").glob("*.svg")}
    assert len(drawn) == 3
    assert drawn == {path.name: path.read_bytes() for path in FOLDER.glob("*.svg")}
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    for name, picture in drawn.items():
        ElementTree.fromstring(picture)
        assert f"](pictures/{name})" in page

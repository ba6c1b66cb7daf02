"""`unsafe` is counted: `CONTRIBUTING.md` says how much there is, and why one may be added.

That each block says why it is sound is clippy's to look at (`undocumented_unsafe_blocks`).
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
KINDS = {
    "blocks": re.compile(r"\bunsafe \{"),
    "functions": re.compile(r'\bunsafe (?:extern "\S+" )?fn \S'),
    "implementations": re.compile(r"\bunsafe impl\b"),
}


def code(path: Path) -> str:
    """Return the source without its comments."""
    return re.sub(r"//.*", "", path.read_text(encoding="utf-8"))


def test_the_guide_says_how_much_of_it_there_is() -> None:
    sources = [code(path) for path in sorted((ROOT / "src").rglob("*.rs"))]
    counts = {kind: sum(len(unsafe.findall(text)) for text in sources) for kind, unsafe in KINDS.items()}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    guide = " ".join((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split())
    assert f"there are {said}" in guide, f"CONTRIBUTING.md must say: there are {said}"


def test_the_core_has_none() -> None:
    assert "#![forbid(unsafe_code)]" in (ROOT / "src" / "core" / "mod.rs").read_text(encoding="utf-8")

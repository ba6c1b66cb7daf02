"""A hook of mkdocs: puts a section of README where a page of the site asks for it.

A page asks by a line such as `<!-- README: Integrations -->`.
"""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
ASKED = re.compile(r"^<!-- README: (.+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    return ASKED.sub(lambda asked: section(asked[1]), markdown)


def section(title: str) -> str:
    """Return what README has below that heading, with links as the site has them."""
    _, _, rest = README.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    if not rest:
        raise ValueError(f"README has no section {title!r}")
    text = rest.partition("\n## ")[0].strip()
    text = re.sub(r"\[[^]]*\]\((examples/[^)]*)\)", r"`\1`", text)  # which are not on the site
    return text.replace("](docs/", "](")

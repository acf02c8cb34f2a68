"""Links between the pages lead somewhere, down to the heading."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATTERNS = ("*.md", "docs/*.md", "configs/*.md", "examples/*.md", "examples/*/*.md")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def pages() -> list[Path]:
    return sorted(page for pattern in PATTERNS for page in ROOT.glob(pattern))


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


def test_links_resolve() -> None:
    assert {str(page.relative_to(ROOT)): links for page in pages() if (links := broken_links(page))} == {}


def test_index_lists_every_page_of_the_docs() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in {"README.md"}]
    assert [name for name in missing if f"({name})" not in index] == []


def test_readme_of_configs_lists_every_file() -> None:
    text = (ROOT / "configs" / "README.md").read_text("utf-8")
    assert [path.name for path in (ROOT / "configs").glob("*.yaml") if f"({path.name})" not in text] == []

"""The documents, and what they show: the words in backquotes, and the lines of their blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "docs" / "results").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), *RESULTS]
CARDS = sorted((ROOT / "engine" / "models").glob("*.md"))


def over(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(ROOT)))


each_page = over([*PAGES, *CARDS])


def in_backquotes(page: Path) -> list[str]:
    """Return what stands in single backquotes outside of blocks, on one line each."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(words.split()) for words in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]


def in_blocks(page: Path) -> Iterator[str]:
    """Yield the lines of blocks, fenced or indented; one that ends in a backslash goes on."""
    is_block, begun = False, ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            is_block = not is_block
        elif is_block or line.startswith("    "):
            begun += line.strip()
            if not begun.endswith("\\"):
                yield begun
                begun = ""
            begun = begun.removesuffix("\\")


def commands(page: Path, program: str) -> list[list[str]]:
    """Return the words of each command of a program that a page shows, up to a comment, a pipe or another command."""
    shown = [words for words in in_backquotes(page) if words.startswith(f"{program} ")]
    for line in in_blocks(page):
        shown += re.findall(rf"(?:^|&& |\(){program} .*", line)
    return [re.split(r"\s#|\s\||\s&&|\s>\s|;", one.removeprefix("&& ").removeprefix("("))[0].split()[1:] for one in shown]

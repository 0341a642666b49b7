"""What a reader meets in the documents: tables that fit a page, and links that lead somewhere."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from tests.docs.pages import PAGES, RESULTS, ROOT, each_page, over

MOST_COLUMNS, MOST_COLUMNS_OF_RESULTS = 5, 7
LONGEST_LINE = 150
TEST_FILE = re.compile(r"`(tests/[\w/]+\.py)`")
TEST_NAME = re.compile(r"`\.\.\.(_[\w.]+)`")


def columns(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def headings(page: Path) -> list[list[str]]:
    """Return those of each table of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [columns(line) for line, rule in pairwise(lines) if re.fullmatch(r"\|[|:\- ]+\|", rule)]


def anchors(page: Path) -> set[str]:
    """Return what a link to a part of a page may end in."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


@each_page
def test_no_table_is_wider_than_a_page(page: Path):
    """The full ones are in ``docs/results``, and linked."""
    most = MOST_COLUMNS_OF_RESULTS if page in RESULTS else MOST_COLUMNS
    wide = [heads[0] for heads in headings(page) if len(heads) > most]
    assert wide == []


@over(PAGES)
def test_no_line_of_the_source_is_too_long_to_be_compared(page: Path):
    """But for tables, which cannot be wrapped."""
    long = [line for line in page.read_text(encoding="utf-8").splitlines() if len(line) > LONGEST_LINE and "|" not in line]
    assert long == []


def links(page: Path) -> list[str]:
    """Return those that lead to another page, or to a part of this one."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def test_the_index_leads_to_every_page():
    index = ROOT / "docs" / "README.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert {page for page in PAGES if page.is_relative_to(index.parent)} - reached == {index}


@each_page
def test_links_lead_to_a_file_and_to_a_part_of_it(page: Path):
    for link in links(page):
        place, _, part = link.partition("#")
        target = page.parent / place if place else page
        assert target.exists(), link
        assert not part or part in anchors(target), link


@each_page
def test_each_test_that_is_named_is_in_the_file_that_is_named_before_it(page: Path):
    for line in page.read_text(encoding="utf-8").splitlines():
        before, *named = TEST_FILE.split(line)
        for file, words in zip(named[::2], named[1::2], strict=True):
            source = (ROOT / file).read_text(encoding="utf-8")
            for ending in TEST_NAME.findall(words):
                assert re.search(rf"^def test\w*{ending}\(", source, re.MULTILINE), f"{ending} is not in {file}"
        assert not TEST_NAME.search(before), f"no file is named: {line}"

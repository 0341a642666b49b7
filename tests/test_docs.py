"""What a reader meets in the documents: tables that fit a page, links that lead somewhere, and commands that can be typed."""

from __future__ import annotations

import re
from itertools import pairwise, takewhile
from pathlib import Path

import pytest

from engine.cli.app import COMMANDS, build_app
from tests.cli.command import here

ROOT = Path(__file__).parents[1]
RESULTS = sorted((ROOT / "docs" / "results").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "engine" / "models").glob("*.md"))
MOST_COLUMNS, MOST_COLUMNS_OF_RESULTS = 5, 7
TEST_FILE = re.compile(r"`(tests/[\w/]+\.py)`")
TEST_NAME = re.compile(r"`\.\.\.(_\w+)`")


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


@pytest.mark.parametrize("page", [*PAGES, *RESULTS], ids=lambda page: page.name)
def test_no_table_is_wider_than_a_page(page: Path):
    """The full ones are in ``docs/results``, and linked."""
    most = MOST_COLUMNS_OF_RESULTS if page in RESULTS else MOST_COLUMNS
    wide = [heads[0] for heads in headings(page) if len(heads) > most]
    assert wide == []


@pytest.mark.parametrize("page", [*PAGES, *RESULTS], ids=lambda page: page.name)
def test_links_lead_to_a_file_and_to_a_part_of_it(page: Path):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, part = link.partition("#")
        target = page.parent / place if place else page
        assert target.exists(), link
        assert not part or part in anchors(target), link


def commands(page: Path) -> list[list[str]]:
    """Return the words of each command of ours that a page shows, in a block or in backquotes, up to a comment or a pipe."""
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"`facestream\s([^`]+)`", text)
    is_block = False
    for line in text.splitlines():
        if line.startswith("```"):
            is_block = not is_block
        elif is_block or line.startswith("    "):
            shown += re.findall(r"^\s*facestream\s(.+)$", line)
    return [re.split(r"\s#|\s\||\s&&|\s>\s", one)[0].split() for one in shown]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_that_is_shown_is_there_with_its_options(page: Path, capsys: pytest.CaptureFixture[str]):
    wrong = []
    for words in commands(page):
        if words and words[0] in COMMANDS:
            app, names = build_app(words[:1]), list[str]()
            for name in takewhile(re.compile("[a-z][a-z-]*").fullmatch, words):
                if name not in app:
                    break
                app, names = app[name], [*names, name]
            helps = "".join(here(capsys, *names, word).out for word in ("--help", "--help-more")).split()
            known = {"--help", "--help-more", *(word.strip(",.") for word in helps)}
            options = (re.match("--[a-z][a-z0-9-]*", word) for word in words)
            wrong += [f"{' '.join(names)} {option.group()}" for option in options if option and option.group() not in known]
        elif words and re.fullmatch("[a-z]+", words[0]):
            wrong.append(words[0])
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_test_that_is_named_is_in_the_file_that_is_named_before_it(page: Path):
    for line in page.read_text(encoding="utf-8").splitlines():
        _, *named = TEST_FILE.split(line)
        for file, words in zip(named[::2], named[1::2], strict=True):
            source = (ROOT / file).read_text(encoding="utf-8")
            for ending in TEST_NAME.findall(words):
                assert re.search(rf"^def test\w*{ending}\(", source, re.MULTILINE), f"{ending} is not in {file}"
        assert named or not TEST_NAME.search(line), f"no file is named: {line}"

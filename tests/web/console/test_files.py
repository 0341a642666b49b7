"""The console's files: few, small, and needing nobody else's."""

from __future__ import annotations

import re

import pytest

from tests.web.console.fake_server import CONSOLE

FILES = sorted(CONSOLE.iterdir())
MODULES = [file for file in FILES if file.suffix == ".js"]
MOST_BYTES = 150_000


def test_all_files_together_are_small():
    assert 50_000 < sum(file.stat().st_size for file in FILES) <= MOST_BYTES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_has_one_subject_and_no_foreign_address(file):
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    found = re.findall(r"(?:https?:)?//[a-z0-9-]+\.[a-z]+[^\s\"'`]*", text)
    assert [address for address in found if address != "http://www.w3.org/2000/svg"] == []


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_nothing_makes_markup_or_code_of_text(file):
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b", text) == []


def test_each_module_is_there_and_used():
    imported = {name for file in MODULES for name in re.findall(r"from \"\./(\w+\.js)\"", file.read_text(encoding="utf-8"))}
    page = (CONSOLE / "index.html").read_text(encoding="utf-8")
    linked = set(re.findall(r"/console/([\w.]+)", page))
    names = {file.name for file in FILES}
    assert imported | linked <= names
    assert names - imported - linked - {"index.html"} == set()


def test_every_stage_has_a_name():
    said = r"(?:\.stage\(|\.record\(|queue_depths\[)\"(\w+)\""
    sources = [file.read_text(encoding="utf-8") for file in CONSOLE.parents[1].rglob("*.py")]
    stages = {name for text in sources for name in re.findall(said, text)}
    named = (CONSOLE / "words.js").read_text(encoding="utf-8").partition("const STAGES = {")[2].partition("};")[0]
    assert {"preview", "track"} <= stages
    assert stages - set(re.findall(r"(\w+): \"", named)) == set()


def test_the_page_has_nothing_inline():
    page = (CONSOLE / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page) == []

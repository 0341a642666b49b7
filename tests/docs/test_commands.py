"""Commands that the documents show can be typed: each command and option is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import pytest
from cyclopts import App

from engine.cli.app import COMMANDS, build_app
from tests.cli.command import here
from tests.docs.pages import commands, each_page, in_blocks
from trt_build.cli import app as trt_build_app


def unknown(app: App, words: list[str], help_of: Callable[[list[str]], str]) -> Iterator[str]:
    """Yield what is wrong with a command's words, those of ``app`` first."""
    names = list[str]()
    for name in takewhile(re.compile("[a-z][a-z-]*").fullmatch, words):
        if name in app:
            app, names = app[name], [*names, name]
        elif app.default_command is None:
            yield " ".join([*names, name])
            return
        else:
            break
    known = {"--help", "--help-more", *(word.strip(",.") for word in help_of(names).split())}
    for option in filter(None, (re.match("--[a-z][a-z0-9-]*", word) for word in words)):
        if option.group() not in known:
            yield f"{' '.join(names)} {option.group()}"


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Help by command: many pages show the same ones."""
    return {}


@each_page
def test_each_facestream_command_is_there_with_its_options(
    page: Path, told: dict[str, str], capsys: pytest.CaptureFixture[str]
):
    def help_of(names: list[str]) -> str:
        command = " ".join(["facestream", *names])
        if command not in told:
            told[command] = "".join(here(capsys, *names, word).out for word in ("--help", "--help-more"))
        return told[command]

    wrong = list[str]()
    for words in commands(page, "facestream"):
        if words[0] in COMMANDS:
            wrong += unknown(build_app(words[:1]), words, help_of)
        elif re.fullmatch("[a-z]+", words[0]):
            wrong.append(words[0])
    assert wrong == []


@each_page
def test_no_command_of_a_page_writes_where_an_earlier_one_has_written(page: Path):
    """Whoever typed a page line by line was told at the second that the directory already holds a run."""
    written = dict[str, str]()
    for line in in_blocks(page):
        for command in re.findall(r"facestream (?:run|annotate|clip|export|enhance) [^#|&]*", line):
            place = re.search(r"(?:--out|-o) (\S+)", command)
            if place and not re.search("--overwrite|--resume", command):
                assert written.setdefault(place[1], command) == command


@each_page
def test_each_trt_build_command_is_there_with_its_options(page: Path, told: dict[str, str], capsys: pytest.CaptureFixture[str]):
    def help_of(names: list[str]) -> str:
        command = " ".join(["trt-build", *names])
        if command not in told:
            capsys.readouterr()
            trt_build_app([*names, "--help"], result_action="return_value")
            told[command] = capsys.readouterr().out
        return told[command]

    wrong = [fault for words in commands(page, "trt-build") for fault in unknown(trt_build_app, words, help_of)]
    assert wrong == []

"""What ``docs/architecture.md`` names is there, so that whoever follows its walks finds each place; and no file is too long."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import engine

ENGINE = Path(engine.__file__).parent
PAGE = ENGINE.parent / "docs" / "architecture.md"
MOST_LINES = 300
"""A file has one subject; a longer one has several."""
SOURCES = {path: path.read_text(encoding="utf-8") for path in ENGINE.rglob("*.py")}


def test_each_file_and_method_on_the_page_exists():
    page = PAGE.read_text(encoding="utf-8")
    files = set(re.findall(r"`([a-z_]+/[a-z_]+\.py)`", page))
    methods = set(re.findall(r"`([A-Z]\w+)\.(\w+)[`(]", page))
    assert len(files) > 8
    assert len(methods) > 8
    assert sorted(name for name in files if not (ENGINE / name).exists()) == []
    assert sorted(f"{owner}.{name}" for owner, name in methods if not is_defined(owner, name)) == []


def test_each_walk_begins_with_its_question():
    assert len(re.findall(r"^\*\*(.+\?)\*\*", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == 5


def test_each_package_says_what_it_is_and_has_its_place_on_the_page():
    packages = {path.parent.relative_to(ENGINE).as_posix(): path for path in ENGINE.glob("*/__init__.py")}
    assert sorted(name for name, path in packages.items() if not ast.get_docstring(ast.parse(SOURCES[path]))) == []
    named = set(re.findall(r"`([a-z_]+)/", PAGE.read_text(encoding="utf-8")))
    assert sorted(packages.keys() - named) == []


def is_defined(owner: str, name: str) -> bool:
    classes = [text for text in SOURCES.values() if re.search(rf"^class {owner}\b", text, re.MULTILINE)]
    return any(re.search(rf"^    (def {name}\(|{name}:)|^        self\.{name} =", text, re.MULTILINE) for text in classes)


def test_the_shells_of_the_workers_only_give_a_core_to_an_actor():
    shells = ("camera", "recording", "perceive", "enhance", "publish")
    assert [name for name in shells if SOURCES[ENGINE / "workers" / f"{name}.py"].count("\n") >= 100] == []


@pytest.mark.parametrize("folder", ["engine", "trt_build", "tests"])
def test_no_file_is_too_long(folder: str):
    files = sorted((ENGINE.parent / folder).rglob("*.py"))
    assert files
    assert [str(path) for path in files if path.read_text(encoding="utf-8").count("\n") > MOST_LINES] == []

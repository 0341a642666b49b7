"""What the documents name is there: settings, files, modules, extras, targets of make and variables of the environment."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from engine import client
from engine.config import Config
from tests.docs.pages import ROOT, each_page, in_backquotes, in_blocks

SECTIONS = {field.name for field in msgspec.structs.fields(Config)}
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"])
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
FOLDERS = ("engine", "trt_build", "tests", "configs", "deploy", "docs")
PLACE = re.compile(rf"(?<![\w/.$-])(?:{'|'.join(FOLDERS)})/[\w./-]+")
MODULE = re.compile(r"python3? -m ((?:engine|trt_build|tests)[\w.]*)")


def setting(words: str) -> dict[str, Any] | None:
    """Return ``section.key: value`` and ``section: {key: value}`` as a configuration has them; None: it is something else."""
    if found := re.fullmatch(r"([a-z_]+)\.([a-z_]+)(?:: (\S+|\[.+\]|\{.+\}))?", words):
        section, key, value = found.groups()
        return {section: {key: yaml.safe_load(value) if value else None}} if section in SECTIONS else None
    if re.match(r"[a-z_]+: \{", words) and isinstance(tree := yaml.safe_load(words), dict) and set(tree) <= SECTIONS:
        return tree
    return None


@each_page
def test_each_setting_is_there_and_takes_its_value(page: Path):
    for words in in_backquotes(page):
        if (tree := setting(words)) is None:
            continue
        for section, keys in tree.items():
            assert set(keys) <= {field.name for field in msgspec.structs.fields(getattr(Config(), section))}, words
            msgspec.convert({section: {key: value for key, value in keys.items() if value is not None}}, Config)


def words_of(page: Path) -> list[str]:
    return [*in_backquotes(page), *in_blocks(page)]


@each_page
def test_each_file_and_module_is_there(page: Path):
    for words in words_of(page):
        for place in PLACE.findall(words):
            path = ROOT / place.rstrip(".")
            assert path.exists() or path.with_suffix(".py").exists() or any(path.parent.glob(f"{path.name}*")), place
        for module in MODULE.findall(words):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@each_page
def test_each_extra_target_and_variable_is_there(page: Path, sources: str):
    for words in words_of(page):
        extras = {one for few in re.findall(r"facestream(?:-\*\.whl)?\[([\w,-]+)\]", words) for one in few.split(",")}
        assert extras <= {*EXTRAS, "NAME"}
        assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", words)) <= TARGETS
        for variable in re.findall(r"FACESTREAM_[A-Z0-9_]+", words):
            assert variable in sources, variable


@each_page
def test_each_name_of_ours_that_a_program_imports_is_there(page: Path):
    for program in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(program)):
            if isinstance(node, ast.ImportFrom) and node.module == "facestream":
                assert {one.name for one in node.names} <= set(client.__all__)


@pytest.fixture(scope="module")
def sources() -> str:
    files = [file for folder in ("engine", "trt_build", "tests") for file in (ROOT / folder).rglob("*.py")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)

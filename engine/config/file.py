"""Reads a configuration. Layers, the later wins: the defaults, the profile, the YAML file, the command line."""

from __future__ import annotations

import codecs
import math
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from engine.config import PROFILES, Config
from engine.config.errors import explain, key_that_stands_twice, sentence
from engine.config.section import Section
from engine.config.yaml_words import unusable
from engine.errors import ConfigError

Kind = TypeVar("Kind", bound=Section)
_IN_ORDER = (("crop", "min_size_px", "max_size_px"), ("verify", "unknown_cosine", "known_cosine"))
"""Of each section two keys, of which the first may not exceed the second."""
_DEEPEST = 20
"""Far deeper than any key; a list of YAML can hold itself."""
_MOST_BYTES, _MOST_VALUES = 1_000_000, 100_000
_NO_TEXT = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")
"""What no file has either: names of files are bytes, and Python has those that are no text as U+DC80 to U+DCFF."""
_UNFIT_TEXT = re.compile("[\0-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
"""What no address or name has, and no file that somebody calls so; no terminal should be shown it."""
_FOUND = "uri"
"""The key of recordings, which are called whatever they are called."""
_INSTEAD = "; a recording or camera is given with --source"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # the library has no types
    """PyYAML takes 1e-3 for a text, unlike YAML 1.2 and everybody who writes it."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), "-+0123456789")


def load_config(path: Path | None = None, overrides: dict[str, Any] | None = None) -> Config:
    """Read a YAML file, put profile and overrides around it, and check the result.

    Args:
        path: the YAML file; None for defaults only.
        overrides: nested mapping, as ``{"detect": {"every": 2}}``; wins over the file.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or a key or value in it is wrong; the message names the file, the
            line, the key and what is allowed.
    """
    text, tree = _read(path, Config)
    overrides = overrides or {}
    written = merge(_profile(tree.get("profile"), path, text), tree)
    config = _convert(written, path, text)
    if not overrides:
        return config
    # The file is right by itself, so whatever is wrong now came with the overrides.
    chosen = _profile(overrides.get("profile") or tree.get("profile"), None, "")
    return _convert(merge(merge(chosen, tree), {**overrides, "profile": chosen["profile"]}), None, "")


def read_yaml(path: Path, kind: type[Kind]) -> Kind:
    """Read a YAML file that is not a configuration, as carefully as one.

    Raises:
        ConfigError: see ``load_config``.
    """
    text, tree = _read(path, kind)
    if unfit := _unfit(tree, []):
        raise ConfigError(sentence(*unfit, path, text))
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(explain(str(error), kind, path, text)) from error


def _profile(name: object, path: Path | None, text: str) -> dict[str, Any]:
    """Return a profile's values with its name; ``balanced`` where none is named."""
    name = name or "balanced"
    if not isinstance(name, str) or name not in PROFILES:
        what = f"unknown profile {name!r}; allowed: {', '.join(PROFILES)}"
        raise ConfigError(sentence(["profile"], what, path, text))
    return {**PROFILES[name], "profile": name}


def _convert(tree: dict[str, Any], path: Path | None, text: str) -> Config:
    if unfit := _unfit(tree, []):
        raise ConfigError(sentence(*unfit, path, text))
    try:
        config = msgspec.convert(tree, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(explain(str(error), Config, path, text)) from error
    for section, lower, upper in _IN_ORDER:
        values = getattr(config, section)
        least, most = getattr(values, lower), getattr(values, upper)
        if least is not None and most is not None and least > most:
            # Blame the key that is written, and of two the first.
            key, other = (lower, upper) if lower in tree.get(section, {}) else (upper, lower)
            word = "more" if key == lower else "less"
            what = f"{getattr(values, key):g} is {word} than {section}.{other}, which is {getattr(values, other):g}"
            raise ConfigError(sentence([section, key], what, path, text))
    return config


def _unfit(tree: dict[str, Any] | list[Any], steps: list[str | int]) -> tuple[list[str | int], str] | None:
    """Return the path of a value that no key can have, and why; None where there is none."""
    if len(steps) > _DEEPEST:
        return None
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if why := _why_unfit(value, _NO_TEXT if key == _FOUND else _UNFIT_TEXT):
            return [*steps, key], why
        if isinstance(value, dict | list) and (found := _unfit(value, [*steps, key])):
            return found
    return None


def _why_unfit(value: object, unfit_text: re.Pattern[str]) -> str:
    match value:
        case float() if not math.isfinite(value):
            return "expected a finite number"
        case int() if not -(2**63) <= value < 2**63:
            return "expected a number of 64 bits at most"
        case str() if unfit := unfit_text.search(value):
            return f"expected text without {unfit.group()!r}"
        case str() if value.startswith("~"):
            try:
                Path(value).expanduser()
            except RuntimeError:
                return f"expected a path, and there is no user of the name in {value!r}"
    return ""


def _is_too_much(tree: object) -> bool:
    """Whether there are more values than any configuration has: a few lines of YAML that name each other make billions."""
    waiting, seen = [tree], 0
    while waiting and seen <= _MOST_VALUES:
        seen += 1
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting += list(one.values() if isinstance(one, dict) else one)[:_MOST_VALUES]
    return seen > _MOST_VALUES


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the nested mapping ``over`` laid on it; neither is changed."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def text_of(data: bytes, path: Path) -> str:
    """Return what a file says: in UTF-8, or in UTF-16 with the mark with which editors of Windows let it begin.

    Raises:
        ConfigError: it is no text, or too long for a configuration; ``path`` stands for it in the message.
    """
    coding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    if coding == "utf-8" and b"\0" in data:
        raise ConfigError(f"{path} is a binary file, not a configuration{_INSTEAD}")
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path} has more than {_MOST_BYTES:,} bytes, and is not a configuration{_INSTEAD}")
    try:
        return data.decode(coding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}, line {line} is not in {coding.upper()}: save the file as UTF-8") from error


def _read(path: Path | None, kind: type[Section]) -> tuple[str, dict[str, Any]]:
    if path is None:
        return "", {}
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        text = text_of(data, path)
        tree = yaml.load(text, _Loader)
        if _is_too_much(tree):
            raise ConfigError(f"{path} holds more than {_MOST_VALUES:,} values, or one that holds itself")
        twice = key_that_stands_twice(text)
    except OSError as error:
        instead = _INSTEAD if ":/" in str(path) else ""
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}{instead}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line, what = unusable(error, text)
        raise ConfigError(f"{path}{f', line {line}' if line else ''} is not usable YAML: {what}") from error
    if twice:
        raise ConfigError(f"{path}, line {twice[1]}: {twice[0]}: this key appears twice")
    if tree is None:
        return text, {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path} must be a mapping with the keys {', '.join(kind.__struct_fields__)}")
    # A section whose keys are all commented out is empty, which means the defaults.
    return text, {key: value for key, value in tree.items() if value is not None}

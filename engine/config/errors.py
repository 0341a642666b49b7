"""Turns a validation error of msgspec into a sentence that names the key, its line and what is allowed."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from engine.config.yaml_words import odd_in_key

_ERROR = re.compile(r"^(?P<what>.*?)(?: - at `(?P<key>key` in `)?(?P<path>\$.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<key>.*)`$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<key>.*)`$")
_GOT = re.compile(r", got .*$")
_BOUND = re.compile(r" [<>]=? [-\d.e+]+(, got .*)?$")
_ITEM = "[...]"
"""What msgspec calls a value of a mapping whose keys are free."""
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_WORDS = {
    "object": "a section of keys",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_OTHER_WORDS = {
    "cameras": "sources", "streams": "sources", "url": "uri", "user": "credentials", "username": "credentials",
    "password": "credentials",
}  # fmt: skip
"""What other programs call a key."""
_TEXT = "tag:yaml.org,2002:str"
_NOT_TEXT = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null")}

Steps = Sequence[str | int]


def explain(message: str, root: type[msgspec.Struct], file: Path | None, text: str) -> str:
    """Return one sentence for a ``msgspec.ValidationError``.

    Args:
        message: its text, as ``Object contains unknown field `foo` - at `$.crop```.
        root: the struct that was being built.
        file: the YAML file, None when the values came from the command line.
        text: the file's contents, to find the line.
    """
    match = _ERROR.match(message)
    what, path = (match["what"], match["path"] or "$") if match else (message, "$")
    steps: list[str | int] = [name if name else int(index) for name, index in _STEP.findall(path)]
    if path.endswith(_ITEM):
        steps += _item_that_is_no_text(text, steps)
    if match and match["key"]:
        return sentence(steps, "a key here is not text: write it as in the documentation", file, text)
    if unknown := _UNKNOWN.search(what):
        return sentence([*steps, unknown["key"]], _unknown_key(unknown["key"], _type_at(root, steps), root), file, text)
    if missing := _MISSING.search(what):
        return sentence(steps, f"the key {missing['key']} is missing", file, text)
    kind = _type_at(root, steps)
    what = re.sub(r"`([^`]*)`", lambda quoted: _in_words(quoted[1]), what.replace("Invalid enum value", "unknown value"))
    node = _scalar_at(text, steps)
    if what.startswith("unknown value"):
        what += _about_quotes(node, what) if node and node.value in _choices(kind) else ""
    elif node and (value := " ".join(node.value.split())[:60]):
        what = f"{_GOT.sub('', what)}, got {value}{_about_quotes(node, what)}"
    allowed = _allowed(kind)
    if allowed and (bound := _BOUND.search(what)):
        what = f"out of range{bound[1] or ''}"
    return sentence(steps, f"{what[:1].lower()}{what[1:]}{allowed}", file, text)


def sentence(steps: Steps, what: str, file: Path | None, text: str) -> str:
    """Return ``FILE, line N: KEY: WHAT``, or ``command line: KEY: WHAT`` where there is no file."""
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".") or "the top level"
    line = line_of(text, steps) if file else None
    where = f"{file}, line {line}" if line else str(file or "command line")
    return f"{where}: {_printable(key)}: {_printable(what)}"


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def line_of(text: str, steps: Steps) -> int | None:
    """Return the line (from 1) of the deepest key of the path that stands in the text, None where not even the first does."""
    found = _walk(text, steps)
    return found[-1][0].start_mark.line + 1 if found else None


def key_that_stands_twice(text: str) -> tuple[str, int] | None:
    """Return a key that a section has twice, with the line of the second, which YAML would silently let win; else None."""
    waiting, seen = [yaml.compose(text, Loader=yaml.SafeLoader)], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value in keys:
                    return key.value, key.start_mark.line + 1
                keys.add(str(key.value))
                waiting.append(value)
    return None


def _scalar_at(text: str, steps: Steps) -> yaml.ScalarNode | None:
    found = _walk(text, steps)
    node = found[-1][1] if len(found) == len(steps) and found else None
    return node if isinstance(node, yaml.ScalarNode) else None


def _item_that_is_no_text(text: str, steps: Steps) -> list[str | int]:
    found = _walk(text, steps)
    node = found[-1][1] if len(found) == len(steps) and found else None
    items = node.value if isinstance(node, yaml.MappingNode) else []
    return [key.value for key, value in items if value.tag != _TEXT and key.value != "<<"][:1]


def _about_quotes(node: yaml.ScalarNode, what: str) -> str:
    """Return what to do where quotes alone make the difference: ``no``, 12 and 2026-01-01 are no text for YAML."""
    if node.style is None:
        return ": put it in quotes" if "expected text" in what.lower() else ""
    plain = yaml.SafeLoader("").resolve(yaml.ScalarNode, node.value, (True, False))
    return " in quotes: leave them out" if plain in _NOT_TEXT else ""


def _walk(text: str, steps: Steps) -> list[tuple[yaml.Node, yaml.Node]]:
    """Return (key, value) for every step of the path that stands in the text; an item of a list is its own key."""
    node = yaml.compose(text, Loader=yaml.SafeLoader) if text else None
    found: list[tuple[yaml.Node, yaml.Node]] = []
    for step in steps:
        below: tuple[yaml.Node, yaml.Node] | None = None
        if isinstance(node, yaml.MappingNode):
            below = next(((key, value) for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            below = (node.value[step], node.value[step])
        if below is None:
            break
        found.append(below)
        node = below[1]
    return found


def _unknown_key(key: str, owner: Any, root: type[msgspec.Struct]) -> str:
    fields = list(getattr(_section(owner), "__struct_fields__", ()))
    elsewhere = {
        field: f"{section}.{field}"
        for section, kind in typing.get_type_hints(root).items()
        for field in getattr(kind, "__struct_fields__", ())
        if field not in fields
    }
    meant = _OTHER_WORDS.get(key, "")
    near = [meant] if meant in fields else difflib.get_close_matches(key, fields, n=1)
    near = near or [elsewhere[field] for field in difflib.get_close_matches(key, elsewhere, n=1, cutoff=0.75)]
    hint = f"did you mean {near[0]}? " if near else ""
    odd = odd_in_key(key)
    return f"unknown key; {f'{odd}; ' if odd else ''}{hint}allowed here: {', '.join(fields) or 'none'}"


def _in_words(types_quoted: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types_quoted.split(" | "))


def _allowed(kind: Any) -> str:
    """Return what a type allows, as ``; allowed: 1 to 100``; empty where anything of the type is."""
    choices = _choices(kind)
    for option in _options(kind):
        if typing.get_origin(option) is typing.Annotated:
            choices += [_range(meta) for meta in typing.get_args(option)[1:] if isinstance(meta, msgspec.Meta)]
    choices = [choice for choice in choices if choice]
    return f"; allowed: {', '.join(choices)}" if choices else ""


def _choices(kind: Any) -> list[str]:
    """Return the values of a type that has nothing but these, as they are written."""
    literals = (option for option in _options(kind) if typing.get_origin(option) is typing.Literal)
    return [str(choice) for literal in literals for choice in typing.get_args(literal)]


def _range(meta: msgspec.Meta) -> str:
    low = f"{meta.ge:g}" if meta.ge is not None else f"more than {meta.gt:g}" if meta.gt is not None else ""
    high = f"{meta.le:g}" if meta.le is not None else f"less than {meta.lt:g}" if meta.lt is not None else ""
    if low and high:
        return f"{low} to {high}"
    return (low if meta.ge is None else f"{low} or more") if low else f"up to {high}" if high else ""


def _options(kind: Any) -> list[Any]:
    """Return the members of a union, or the type itself."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [member for option in typing.get_args(kind) for member in _options(option)]
    return [kind]


def _type_at(root: type, steps: Steps) -> Any:
    """Return the declared type at a path, None where the path leaves the declared structure."""
    current: Any = root
    for step in steps:
        if isinstance(step, int):
            arguments = typing.get_args(current)
            current = arguments[0] if arguments else None
        else:
            section = _section(current)
            current = typing.get_type_hints(section, include_extras=True).get(step) if section else None
    return current


def _section(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct that a type is or may be, None where it is none."""
    return next((option for option in _options(kind) if hasattr(option, "__struct_fields__")), None)

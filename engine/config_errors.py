"""Turns a validation error of msgspec into a sentence that names the key, its line and what is allowed."""

from __future__ import annotations

import difflib
import re
import types
import typing
from pathlib import Path
from typing import Any

import msgspec
import yaml

_ERROR = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]+)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


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
    unknown = _UNKNOWN.search(what)
    if unknown:
        steps = [*steps, unknown["key"]]
        what = _unknown_key(unknown["key"], _type_at(root, steps[:-1]))
    else:
        what = f"{what[:1].lower()}{what[1:]}{_allowed(_type_at(root, steps))}"
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".") or "the top level"
    line = _line_of(text, steps)
    where = f"{file}, line {line}" if file and line else "command line" if not line and not file else str(file)
    return f"{where}: {key}: {what}"


def _unknown_key(key: str, owner: Any) -> str:
    fields = list(getattr(owner, "__struct_fields__", ()))
    near = difflib.get_close_matches(key, fields, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"unknown key; {hint}allowed here: {', '.join(fields)}"


def _allowed(kind: Any) -> str:
    values = [value for option in _options(kind) if typing.get_origin(option) is typing.Literal for value in typing.get_args(option)]
    return f"; allowed: {', '.join(map(str, values))}" if values else ""


def _options(kind: Any) -> list[Any]:
    """Return the members of a union without their annotations, or the type itself."""
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [member for option in typing.get_args(kind) for member in _options(option)]
    return [kind]


def _type_at(root: type, steps: list[str | int]) -> Any:
    """Return the declared type at a path, None where the path leaves the declared structure."""
    current: Any = root
    for step in steps:
        if isinstance(step, int):
            arguments = typing.get_args(current)
            current = arguments[0] if arguments else None
        elif hasattr(current, "__struct_fields__"):
            current = typing.get_type_hints(current, include_extras=True).get(step)
        else:
            return None
    return current


def _line_of(text: str, steps: list[str | int]) -> int | None:
    """Return the line (from 1) of the deepest key of the path that stands in the text."""
    if not text:
        return None
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    line = None
    for step in steps:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            return line
        line, node = found[0].start_mark.line + 1, found[1]
    return line

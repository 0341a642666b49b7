"""What commands print for programs: one JSON object a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from engine.words.text import readable

JsonOption = Annotated[bool, Parameter(negative=(), help="Print one object per line, for programs.")]


def write_lines(objects: Iterable[Any]) -> None:
    """Write objects to standard output: mappings, structs, or tuples whose fields have names."""
    for one in objects:
        told = one._asdict() if hasattr(one, "_asdict") else one
        sys.stdout.write(as_json(told).decode() + "\n")


def as_json(told: Any) -> bytes:
    """Return an object as JSON; what is not UTF-8 in it, as a path may have, stands as an escape."""
    try:
        return msgspec.json.encode(told)
    except UnicodeEncodeError:
        return msgspec.json.encode(_readable(msgspec.to_builtins(told)))


def _readable(told: Any) -> Any:
    if isinstance(told, dict):
        return {_readable(key): _readable(value) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return [_readable(value) for value in told]
    return readable(told) if isinstance(told, str) else told

"""What commands print for programs: one JSON object a line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

JsonOption = Annotated[bool, Parameter(negative=(), help="One object a line, for programs.")]


def write_lines(objects: Iterable[Any]) -> None:
    """Write objects to standard output: mappings, structs, or tuples whose fields have names."""
    for one in objects:
        told = one._asdict() if hasattr(one, "_asdict") else one
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")

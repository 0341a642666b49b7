"""The wire for those who read it in other languages: a JSON Schema and a page, made from the structs themselves.

``python -m engine.contracts.wire_docs DIR`` writes ``wire.schema.json`` and ``wire.md`` into a folder; in the project it is
``docs``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import msgspec
from msgspec import inspect as shapes

from engine.contracts import messages, replay
from engine.contracts.json_schema import schema_components
from engine.contracts.messages import SCHEMA, End, Face, Message, Stats, Stream, Track
from engine.contracts.replay import ReplayAnswer, ReplayRequest

KINDS: tuple[type[Message], ...] = (Face, Track, Stream, Stats, End)
_TOPICS = {
    "face": "v1/face/<stream>/<track_id>/",
    "track": "v1/track/<stream>/<track_id>/",
    "stream": "v1/stream/<stream>/",
    "stats": "v1/stats/",
    "end": "v1/end/",
}
_WIDTH = 140
_NOTE = (
    "Made by `python -m engine.contracts.wire_docs docs` from the structs of `engine/contracts/messages.py`; do not edit it."
)


def wire_schema() -> bytes:
    """Return a JSON Schema (2020-12) of the header of each kind of message; on the wire it is a MessagePack map."""
    kinds, parts = schema_components(list(KINDS), ref_template="#/$defs/{name}")
    for struct in _structs():
        for field, words in _meanings(struct).items():
            if field in parts.get(struct.__name__, {}).get("properties", {}):
                parts[struct.__name__]["properties"][field]["description"] = words
    for kind in KINDS:
        parts[kind.__name__]["properties"]["schema"] |= {"const": SCHEMA}
        parts[kind.__name__]["required"].append("schema")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        "description": "The header, a MessagePack map, of the multipart message [topic][header][part...].",
        "oneOf": kinds,
        "$defs": parts,
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=1) + b"\n"


def wire_page() -> str:
    """Return the same as a page in Markdown: a table of the fields of each struct."""
    blocks = ["# The wire, version 1", *_paragraphs(messages)]
    blocks.append(
        "In other languages: [examples](examples/README.md) in C++ and Node, and a JSON Schema of the headers, "
        "[wire.schema.json](wire.schema.json)."
    )
    blocks += ["## Every message", _table(Message)]
    common = {field.name for field in msgspec.structs.fields(Message)}
    for message in KINDS:
        kind = str(message.__struct_config__.tag)
        said = f"Topic `{_TOPICS[kind]}`, `kind` is `{kind}`. {_said(message)}"
        blocks += [f"## {message.__name__}", said, _table(message, common)]
    for struct in _structs():
        if struct not in KINDS:
            blocks += [f"## {struct.__name__}", _said(struct), _table(struct)]
    blocks += ["## The replay service", *_paragraphs(replay)]
    for struct in (ReplayRequest, ReplayAnswer):
        blocks += [f"### {struct.__name__}", _said(struct), _table(struct)]
    return "\n\n".join([*map(_wrapped, blocks), _NOTE]) + "\n"


def _paragraphs(module: ModuleType) -> list[str]:
    """Return what a module says of itself, without its first line."""
    words = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[2]
    return [_one_line(paragraph) for paragraph in words.split("\n\n")]


def _wrapped(block: str) -> str:
    """Break the line of a paragraph; the lines of a table stay."""
    is_line = "\n" not in block
    return textwrap.fill(block, _WIDTH, break_long_words=False, break_on_hyphens=False) if is_line else block


def _structs() -> Iterator[type[msgspec.Struct]]:
    """Yield the messages, then all that their fields refer to, in the order of the fields."""
    seen: list[type[msgspec.Struct]] = []
    waiting: list[type[msgspec.Struct]] = list(KINDS)
    while waiting:
        struct = waiting.pop(0)
        if struct in seen:
            continue
        seen.append(struct)
        yield struct
        kind = shapes.type_info(struct)
        assert isinstance(kind, shapes.StructType)
        waiting += [one for field in kind.fields for one in _mentioned(field.type)]


def _mentioned(kind: shapes.Type) -> Iterator[type[msgspec.Struct]]:
    match kind:
        case shapes.StructType():
            yield kind.cls
        case shapes.UnionType():
            for one in kind.types:
                yield from _mentioned(one)
        case shapes.ListType():
            yield from _mentioned(kind.item_type)
        case shapes.DictType():
            yield from _mentioned(kind.value_type)


def _table(struct: type[msgspec.Struct], without: Collection[str] = ()) -> str:
    kind = shapes.type_info(struct)
    assert isinstance(kind, shapes.StructType)
    meanings = _meanings(struct)
    rows = [
        f"| `{field.name}` | {_words(field.type)} | {meanings.get(field.name, '')} |"
        for field in kind.fields
        if field.name not in without
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *(row.replace("  |", " |") for row in rows)])


def _words(kind: shapes.Type) -> str:
    match kind:
        case shapes.StructType():
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
        case shapes.UnionType():
            return " or ".join(_words(one) for one in kind.types)
        case shapes.ListType():
            return f"list of {_words(kind.item_type)}"
        case shapes.VarTupleType():
            return f"list of {_words(kind.item_type)}"
        case shapes.TupleType():
            return f"[{', '.join(_words(one) for one in kind.item_types)}]"
        case shapes.DictType():
            return f"map of text to {_words(kind.value_type)}"
        case shapes.LiteralType():
            return ", ".join(f"`{value}`" if value != "" else "empty" for value in kind.values)
    return {shapes.IntType: "integer", shapes.FloatType: "number", shapes.StrType: "text", shapes.BoolType: "boolean"}.get(
        type(kind), "null"
    )


def _said(struct: type) -> str:
    return _one_line(inspect.cleandoc(struct.__doc__ or ""))


@cache
def _meanings(struct: type) -> Mapping[str, str]:
    """Return what the source says below each field, of the struct and those that it extends."""
    found: dict[str, str] = {}
    for one in reversed(struct.__mro__):
        if one.__module__.startswith("engine."):
            found |= _below(one)
    return found


def _below(struct: type) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(importlib.import_module(struct.__module__)))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == struct.__name__)
    found = {}
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as words)):
                found[name] = _one_line(words)
    return found


def _one_line(words: str) -> str:
    return " ".join(words.replace("``", "`").replace("|", "\\|").split())


def main(arguments: list[str]) -> int:
    """Write both; the only argument is the folder."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m engine.contracts.wire_docs FOLDER\n")
        return 2
    Path(arguments[0], "wire.schema.json").write_bytes(wire_schema())
    Path(arguments[0], "wire.md").write_text(wire_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

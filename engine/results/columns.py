"""The columns of a table of faces or of tracks: those of the messages, with what is nested laid flat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

import msgspec
from msgspec import inspect

from engine.archive.reader import FaceLine, TrackLine
from engine.contracts.findings import Candidate
from engine.contracts.messages import Face, Track
from engine.words.times import utc

Kind = Literal["text", "integer", "number", "yes_no", "json"]
"""``json``: what has parts of its own, which becomes a text only where it is written."""
Line = FaceLine | TrackLine
_SIDES = {
    "box": ("x", "y", "width", "height"),
    "crop_box": ("x", "y", "width", "height"),
    "time_base": ("numerator", "denominator"),
    "log10_lr_bounds": ("low", "high"),
}
_LEFT_OUT = {"parts", "schema"}
"""Of the wire alone."""
_FIRST = (
    "stream", "track_id", "name", "decision", "pts_seconds", "first_pts_seconds", "last_pts_seconds", "recorded_at",
    "first_recorded_at", "last_recorded_at", "best_identity", "best_log10_lr",
)  # fmt: skip
_SIMPLE: dict[type, Kind] = {
    inspect.StrType: "text",
    inspect.LiteralType: "text",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "yes_no",
}


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    kind: Kind
    value: Callable[[Line], Any]
    """Of a line; None where it has none."""


def face_columns() -> list[Column]:
    """Return those of a table of faces."""
    pictures = [_file(part) for part in ("original", "enhanced", "scene")]
    return _led([*_of_message(Face, "face"), _at("recorded_at", "face.recorded_ns"), *_best(), *pictures, *_vector()])


def track_columns() -> list[Column]:
    """Return those of a table of tracks."""
    times = [_at(f"{end}_recorded_at", f"track.{end}_recorded_ns") for end in ("first", "last")]
    pictures = [_file(part) for part in ("track", "agreement")]
    return _led([*_of_message(Track, "track"), *times, *_best(), *pictures, *_vector()])


def said(line: Line) -> Face | Track:
    """Return the message of a line."""
    return line.face if isinstance(line, FaceLine) else line.track


def _led(columns: list[Column]) -> list[Column]:
    """Return the columns, first those that people read."""
    return sorted(columns, key=lambda column: _FIRST.index(column.name) if column.name in _FIRST else len(_FIRST))


def _of_message(message: type[msgspec.Struct], attribute: str) -> Iterator[Column]:
    yield from _fields(inspect.type_info(message), attribute, "")


def _fields(struct: inspect.Type, path: str, prefix: str) -> Iterator[Column]:
    assert isinstance(struct, inspect.StructType), "messages and their parts are structs"
    for field in struct.fields:
        if field.encode_name not in _LEFT_OUT:
            yield from _column(field.encode_name, field.type, f"{path}.{field.encode_name}", prefix)


def _column(name: str, kind: inspect.Type, path: str, prefix: str) -> Iterator[Column]:
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        yield from _fields(kind, path, f"{prefix}{name}_")
    elif isinstance(kind, inspect.TupleType):
        for place, (side, of) in enumerate(zip(_SIDES[name], kind.item_types, strict=True)):
            yield Column(f"{prefix}{name}_{side}", _SIMPLE[type(of)], _item(path, place))
    elif type(kind) in _SIMPLE:
        yield Column(prefix + name, _SIMPLE[type(kind)], _at_path(path))
    else:
        get = _at_path(path)
        yield Column(prefix + name, "json", lambda line: msgspec.to_builtins(get(line)))


def _at_path(path: str) -> Callable[[Line], Any]:
    names = path.split(".")

    def get(line: Line) -> Any:
        value: Any = line
        for name in names:
            value = None if value is None else getattr(value, name)
        return value

    return get


def _item(path: str, place: int) -> Callable[[Line], Any]:
    get = _at_path(path)

    def item(line: Line) -> Any:
        value = get(line)
        return None if value is None else value[place]

    return item


def _at(name: str, path: str) -> Column:
    nanoseconds = attrgetter(path)

    def at(line: Line) -> str | None:
        when = nanoseconds(line)
        return None if when is None else utc(when).isoformat(timespec="milliseconds")

    return Column(name, "text", at)


def _best() -> Iterator[Column]:
    """Yield who it is, where that was decided, and what is said of the best candidate."""
    yield Column("name", "text", _name)
    fields = inspect.type_info(Candidate)
    assert isinstance(fields, inspect.StructType), "a candidate is a struct"
    for field in fields.fields:
        kind: Kind = "text" if field.name == "identity" else "number"
        yield Column(f"best_{field.name}", kind, _of_best(field.name))


def _of_best(field: str) -> Callable[[Line], Any]:
    return lambda line: getattr(said(line).candidates[0], field) if said(line).candidates else None


def _name(line: Line) -> str | None:
    message = said(line)
    return message.candidates[0].identity if message.decision == "known" and message.candidates else None


def _file(part: str) -> Column:
    return Column(f"{part}_file", "text", lambda line: line.files.get(part))


def _vector() -> Iterator[Column]:
    yield Column("vector_file", "text", lambda line: None if line.vector is None else line.vector.file)
    yield Column("vector_row", "integer", lambda line: None if line.vector is None else line.vector.row)

"""A service's answers as tables for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import singledispatch

import yaml
from rich.console import Console
from rich.text import Text

from engine.cli.output.tables import Column, Rows
from engine.cli.run.table import STATE_STYLES
from engine.cli.run.words import how_long, overload_words, printable
from engine.contracts.probed import Probed
from engine.control.answers import Done, Enrolled, Found, People, Quarantine, Settings, Status, Stream, Streams
from engine.perception.overload import LEVELS
from engine.words.numbers import count
from engine.words.times import to_the_minute


@singledispatch
def _lines(result: object) -> list[object]:
    return [Text(str(result))]


def tell(console: Console, result: object) -> None:
    """Print an answer."""
    for line in _lines(result):
        console.print(line, soft_wrap=isinstance(line, Text))


@_lines.register
def _(result: Done) -> list[object]:
    return [Text(printable(result.note) or "done")]


@_lines.register
def _(result: Stream) -> list[object]:
    return [_streams_table([result])]


@_lines.register
def _(result: Streams) -> list[object]:
    table = [_streams_table(result.streams)] if result.streams else []
    return [*table, Text(count(len(result.streams), "stream"))]


@_lines.register
def _(result: Status) -> list[object]:
    live = sum(one.state == "live" for one in result.streams)
    ready = "ready" if result.ready else f"not ready: {result.ready_detail}" if result.ready_detail else "not ready"
    told = [f"{result.state} for {how_long(result.uptime_seconds)}, {printable(ready)}"]
    told.append(f"run {result.run_id}, {live} of {count(len(result.streams), 'stream')} live")
    if words := overload_words(result.overload_level):
        told.append(f"overloaded, level {result.overload_level} of {len(LEVELS) - 1}: {words}, of all streams")
    if drops := {cause: total for cause, total in result.drops.items() if total}:
        told.append("drops: " + ", ".join(f"{total} {cause.replace('_', ' ')}" for cause, total in sorted(drops.items())))
    restarts = sum(worker.restarts for worker in result.workers)
    if restarts:
        told.append(f"{count(restarts, 'worker')} replaced")
    table = [_streams_table(result.streams)] if result.streams else []
    return [*(Text(line) for line in told), *table]


@_lines.register
def _(result: People) -> list[object]:
    rows = [(printable(person.name), str(person.pictures)) for person in result.people]
    table = Rows([Column("name"), Column("pictures", "number")], rows)
    people = count(len(rows), "person", "people")
    return [*([table] if rows else []), Text(f"{people} in {printable(result.gallery)}")]


@_lines.register
def _(result: Enrolled) -> list[object]:
    lines: list[object] = []
    for one in result.pictures:
        quality = f" (face {one.quality.size_px:.0f} px)" if one.quality else ""
        said = "; ".join(filter(None, (one.reason, one.remedy)))
        lines.append(Text(printable(f"{one.name}: {one.outcome}{quality}" + (f": {said}" if said else ""))))
    return lines


@_lines.register
def _(result: Quarantine) -> list[object]:
    columns = [
        Column("picture", "word"),
        Column("name"),
        Column("file"),
        Column("it", "sentence"),
        Column("when (UTC)", "word"),
    ]
    rows = [
        [one.picture[:8], *map(printable, (one.name, one.file, one.reason)), to_the_minute(one.at)] for one in result.pictures
    ]
    return [*([Rows(columns, rows)] if rows else []), Text(f"{count(len(rows), 'picture')} set apart")]


@_lines.register
def _(result: Found) -> list[object]:
    lines: list[object] = [Text(f"{one.cosine:.3f}  {printable(one.identity)}") for one in result.people]
    lines += [Text(f"{one.cosine:.3f}  {one.stream} track {one.track_id} of {one.run_id}") for one in result.tracks]
    return lines or [Text(printable(result.reason) or "nobody")]


@_lines.register
def _(result: Probed) -> list[object]:
    what = f"{printable(result.shown)}: {result.codec}, {result.width_px}x{result.height_px}, {result.fps:.1f} pictures/s"
    faces = ", ".join(f"{face.height:.0f} px" for face in result.faces) or "none"
    return [Text(what), Text(f"faces on one picture: {faces}"), Text(printable(result.advice))]


@_lines.register
def _(result: Settings) -> list[object]:
    return [Text(printable(f"{name} = {_as_yaml(value)}")) for name, value in result.values.items()]


def _as_yaml(value: object) -> str:
    """Return a value as it is written in the configuration, and after `ctl settings set NAME=`."""
    text: str = yaml.safe_dump(value, default_flow_style=True, width=math.inf)
    return text.removesuffix("\n").removesuffix("\n...")


def _streams_table(streams: list[Stream]) -> Rows:
    figures = ("size", "frames/s", "faces", "dropped", "p99 ms")
    columns = [Column("stream"), Column("state"), *(Column(title, "number") for title in figures), Column("address")]
    return Rows(columns, _stream_rows(streams))


def _stream_rows(streams: list[Stream]) -> Iterator[list[str | Text]]:
    for one in streams:
        words = " ".join(filter(None, (one.state, one.reason.replace("_", " "))))
        state = Text(words, style=STATE_STYLES.get(one.state, "dim"))
        if one.detail and one.state != "live":
            state.append(f"\n{printable(one.detail)}", style="dim")
        size = f"{one.width_px}x{one.height_px}" if one.width_px else ""
        p99 = f"{one.latency_p99_ms:.0f}" if one.latency_p99_ms is not None else ""
        figures = (size, f"{one.fps:.1f}" if one.fps else "", str(one.faces), str(one.dropped), p99)
        yield [one.name, state, *figures, printable(one.source.uri)]

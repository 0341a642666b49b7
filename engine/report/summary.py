"""The report's head: what was read, when, and with which models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from engine.archive.record import attempts, workers
from engine.contracts.messages import Stream
from engine.report.table import table
from engine.words.numbers import megabytes
from engine.words.times import utc_words, wall_clock

_FACETS = ("sha256", "licence", "runtime")
_NOTHING = '<p class="empty">not recorded</p>'
_CLOCKS: dict[str, str] = {
    "": "",
    "start_time": "as given",
    "file_name": "by the file's name",
    "creation_time": "by the file's metadata (creation_time), which may be when it was written",
}


def started_and_took(run: Mapping[str, Any]) -> str:
    """Return when a run was begun, in how many attempts, and how long the last one took, as far as its record says.

    Of an archive the record says only when its parts were put together: they were processed before.
    """
    tries = attempts(run)
    begun, started, ended = tries[0].get("started_ns"), run.get("started_ns"), run.get("ended_ns")
    if not isinstance(begun, int) or not isinstance(started, int):
        return ""
    if "archive" in run:
        return f"results put together {utc_words(started)}"
    text = f"processed {utc_words(begun)}"
    resumed = len(tries) > 1
    text += f" in {len(tries)} attempts" if resumed else ""
    took = "the last took" if resumed else "took"
    return f"{text}, {took} {(ended - started) / 1e9:.1f} s" if isinstance(ended, int) else text


def left_unread(run: Mapping[str, Any], streams: Mapping[str, Sequence[Stream]]) -> dict[str, str]:
    """Return which recordings were not read to their end although none failed, each with ``read in part`` or ``not read``.

    Only of a run that was stopped, killed or is going on: that nobody was found in them does not say that nobody is in them.

    Args:
        run: its record.
        streams: the events of each stream.
    """
    if run.get("outcome") == "completed":
        return {}
    last = {name: events[-1] for name, events in streams.items() if events}
    read = {name for name, event in last.items() if event.state == "failed" or event.reason == "end_of_file"}
    unread = sorted(set(run.get("inputs") or {}) - read)
    return {name: "read in part" if name in last else "not read" for name in unread}


def inputs_table(
    inputs: Mapping[str, Mapping[str, Any]], streams: Mapping[str, Sequence[Stream]], found: Mapping[str, tuple[int, int]]
) -> str:
    """Return the inputs with their SHA-256, how each stream ended, and what was found in it.

    Args:
        inputs: of ``run.json``.
        streams: the last events of each.
        found: of each stream how many tracks it has, and how many of them have a name.
    """
    rows = []
    for name in sorted({*inputs, *streams}):
        facts, events = inputs.get(name, {}), streams.get(name, [])
        size = facts.get("size_bytes")
        picture = next((f"{event.width_px} x {event.height_px} px" for event in reversed(events) if event.width_px), "")
        rows.append([
            name, *(f"{count:,}" for count in found.get(name, (0, 0))), facts.get("path", ""),
            megabytes(size) if isinstance(size, int) else "", picture,
            _state(events[-1]) if events else "",
            _beginning(events),
            facts.get("sha256", ""),
        ])  # fmt: skip
    return texts_table(["stream", "tracks", "named", "file", "size", "picture", "last state", "begins", "SHA-256"], rows)


def _state(event: Stream) -> str:
    """Return how a stream stands, why, and what more is known: ``failed (codec): no picture could be decoded``."""
    reason = f" ({event.reason.replace('_', ' ')})" if event.reason else ""
    return f"{event.state}{reason}" + (f": {event.detail}" if event.detail else "")


def _beginning(events: Sequence[Stream]) -> str:
    """Return when a recording begins, and who says so."""
    told = next((event for event in reversed(events) if event.started_ns is not None), None)
    return (
        ""
        if told is None or told.started_ns is None
        else f"{wall_clock(told.started_ns)}, {_CLOCKS.get(told.clock, told.clock)}"
    )


def models_table(run: Mapping[str, Any]) -> str:
    """Return the models that the workers of a run said they had loaded; equal workers give one row.

    A worker's facts are ``{"detector": name, "detector_sha256": ..., "detector_licence": ..., ...}``.
    """
    rows: dict[tuple[str, ...], None] = {}
    for facts in workers(run):
        for role, name in facts.items():
            if any(f"{role}_{facet}" in facts for facet in _FACETS):
                rows[(role, str(name), *(str(facts.get(f"{role}_{facet}", "")) for facet in reversed(_FACETS)))] = None
    return texts_table(["role", "model", "runtime", "licence", "SHA-256"], list(rows))


def naming(run: Mapping[str, Any]) -> str:
    """Return what the workers of a run said a name may claim; a gallery that changed can have given several answers."""
    said = dict.fromkeys(str(facts["names"]) for facts in workers(run) if facts.get("names"))
    return "; ".join(said)


def names_and_values(values: Mapping[str, Any]) -> str:
    """Return a table of two columns."""
    rows = ((name, f"{value:,}" if isinstance(value, int) else str(value)) for name, value in sorted(values.items()))
    cells = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f"<table>{cells}</table>" if cells else _NOTHING


def texts_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return an HTML table of plain texts; columns that are empty in every row are left out."""
    used = [index for index in range(len(titles)) if any(str(row[index]) for row in rows)]
    cells = [[escape(str(row[index])) for index in used] for row in rows]
    return table([titles[index] for index in used], cells) if rows else _NOTHING

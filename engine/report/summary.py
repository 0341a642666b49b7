"""The report's head: what was read, when, and with which models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from engine.archive.record import attempts, workers
from engine.contracts.messages import Stream
from engine.words.numbers import megabytes
from engine.words.times import utc_words, wall_clock

_FACETS = ("sha256", "licence", "runtime")
_CLOCKS: dict[str, str] = {
    "": "",
    "start_time": "as given",
    "file_name": "by the file's name",
    "creation_time": "by the file's metadata (creation_time), which may be when it was written",
}


def started_and_took(run: Mapping[str, Any]) -> str:
    """Return when a run was begun, in how many attempts, and how long the last one took, as far as its record says."""
    tries = attempts(run)
    begun, started, ended = tries[0].get("started_ns"), run.get("started_ns"), run.get("ended_ns")
    if not isinstance(begun, int) or not isinstance(started, int):
        return ""
    text = f"processed {utc_words(begun)}"
    resumed = len(tries) > 1
    text += f" in {len(tries)} attempts" if resumed else ""
    took = "the last took" if resumed else "took"
    return f"{text}, {took} {(ended - started) / 1e9:.1f} s" if isinstance(ended, int) else text


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
            f"{events[-1].state} {events[-1].reason.replace('_', ' ')} {events[-1].detail}".strip() if events else "",
            _beginning(events),
            facts.get("sha256", ""),
        ])  # fmt: skip
    return table(["stream", "tracks", "named", "file", "size", "picture", "last state", "begins", "SHA-256"], rows)


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
    return table(["role", "model", "runtime", "licence", "SHA-256"], [list(row) for row in rows])


def naming(run: Mapping[str, Any]) -> str:
    """Return what the workers of a run said a name may claim; a gallery that changed can have given several answers."""
    said = dict.fromkeys(str(facts["names"]) for facts in workers(run) if facts.get("names"))
    return "; ".join(said)


def names_and_values(values: Mapping[str, Any]) -> str:
    """Return a table of two columns."""
    return table([], [[name, f"{value:,}" if isinstance(value, int) else value] for name, value in sorted(values.items())])


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return an HTML table; columns that are empty in every row are left out."""
    if not rows:
        return '<p class="empty">not recorded</p>'
    used = [index for index in range(len(rows[0])) if any(str(row[index]) for row in rows)]
    titles = "".join(f'<th scope="col">{escape(head[index])}</th>' for index in used) if head else ""
    body = "".join(f"<tr>{''.join(_cell(row[index], is_name=not head and not index) for index in used)}</tr>" for row in rows)
    return f"<table>{f'<tr>{titles}</tr>' if titles else ''}{body}</table>"


def _cell(value: Any, *, is_name: bool) -> str:
    text = escape(str(value))
    return f'<th scope="row">{text}</th>' if is_name else f"<td>{text}</td>"

"""The contact sheet: ``report.html``, one card a track, readable without anything else beside it."""

from __future__ import annotations

import importlib.resources
import itertools
import string
from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from engine.archive.files import write_pieces
from engine.archive.reader import TrackRecord, read_run, read_streams
from engine.contracts.findings import Decision
from engine.contracts.messages import Stream
from engine.errors import PublishError
from engine.report.card import card
from engine.report.summary import clock, inputs_table, models_table, names_and_values, naming, started_and_took
from engine.report.track_selection import Selection, select_tracks

_FACES_PER_TRACK = 7
_DECISIONS: tuple[Decision, ...] = ("known", "undecided", "unknown", "none")
_OUTCOMES = {
    "completed": "",
    "running": "This run was killed, or is still going on: the report shows what had been written. --resume goes on with it.",
    "drained": "This run was stopped before the end of its input. --resume goes on with it.",
    "failed": "This run failed before the end of its input. --resume goes on with it.",
}


def write_report(directory: Path, max_tracks: int) -> Path:
    """Write ``report.html`` from the files of a run's directory, and return its path.

    Args:
        directory: as ``DirectorySink`` leaves it, also after a kill.
        max_tracks: the report shows the first so many tracks by time, and says how many there are.

    Raises:
        PublishError: the directory does not hold a run, or the report cannot be written.
    """
    run = read_run(directory)
    found = select_tracks(directory, max_tracks, _FACES_PER_TRACK)
    path = directory / "report.html"
    template = importlib.resources.files("engine.report").joinpath("page.html").read_text(encoding="utf-8")
    head, _, tail = template.partition("$cards")
    fields = _fields(directory, run, found, max_tracks)
    cards = (card(directory, record) for record in found.records)
    pieces = itertools.chain(
        [string.Template(head).substitute(fields)],
        cards if found.records else ['<p class="empty">No faces were found.</p>'],
        [string.Template(tail).substitute(fields)],
    )
    try:
        write_pieces(path, (piece.encode() for piece in pieces))
    except OSError as error:
        raise PublishError(f"cannot write the report {path}: {error.strerror}") from error
    return path


def _fields(directory: Path, run: dict[str, Any], found: Selection, max_tracks: int) -> dict[str, str]:
    inputs = run.get("inputs") or {}
    names = [Path(str(facts.get("path", stream))).name for stream, facts in inputs.items()]
    title = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    outcome = str(run.get("outcome", ""))
    streams = read_streams(directory)
    return {
        "title": escape(title or str(run.get("run_id", "run"))),
        "subtitle": escape(started_and_took(run)),
        "outcome": escape(outcome),
        "notice": _notice(_OUTCOMES.get(outcome, "")) + _notice(_failed(streams)) + _notice(_redacted(run)),
        "figures": _figures(found, run.get("counters") or {}),
        "inputs": inputs_table(inputs, streams),
        "models": models_table(run) + (f"<p>Names: {escape(said)}.</p>" if (said := naming(run)) else ""),
        "counters": names_and_values(run.get("counters") or {}),
        "versions": names_and_values(run.get("versions") or {}),
        "filters": _filters(found.records) + _marks(found.records),
        "truncated": _truncated(found, max_tracks),
        "run_id": escape(str(run.get("run_id", ""))),
    }


def _redacted(run: dict[str, Any]) -> str:
    publish = (run.get("config") or {}).get("publish") or {}
    return {
        "blur": "Faces that were not recognised are made coarse (publish.redact: blur).",
        "vectors": "No picture of a face was kept (publish.redact: vectors).",
    }.get(str(publish.get("redact")), "")


def _failed(streams: dict[str, list[Stream]]) -> str:
    last = [events[-1] for events in streams.values() if events]
    failed = [f"{event.stream} ({event.reason.replace('_', ' ')})" for event in last if event.state == "failed"]
    return f"{len(failed)} of {len(last)} streams failed: {', '.join(failed)}." if failed else ""


def _notice(sentence: str) -> str:
    return f'<p class="notice">{escape(sentence)}</p>' if sentence else ""


def _truncated(found: Selection, max_tracks: int) -> str:
    if found.tracks <= max_tracks:
        return ""
    last = clock(found.records[-1].span_seconds[0])
    return _notice(f"Shown are the first {max_tracks} of {found.tracks} tracks, up to {last}; tracks.jsonl holds all of them.")


def _figures(found: Selection, counters: Mapping[str, int]) -> str:
    figures: list[tuple[str, int]] = [("tracks", found.tracks), ("faces", found.faces)]
    figures += [(decision, found.decisions[decision]) for decision in _DECISIONS if found.decisions[decision]]
    figures += [("rejected as no face", counters["rejected"])] if counters.get("rejected") else []
    return "".join(f"<div><b>{count:,}</b><span>{escape(name)}</span></div>" for name, count in figures)


def _filters(records: list[TrackRecord]) -> str:
    decisions = Counter(record.decision for record in records)
    if len(decisions) < 2:
        return ""
    choices: list[tuple[str, int]] = [
        ("all", len(records)),
        *((name, decisions[name]) for name in _DECISIONS if decisions[name]),
    ]
    return "".join(
        f'<label><input type="radio" name="show" id="show-{name}"{" checked" if name == "all" else ""}>{name} ({count})</label>'
        for name, count in choices
    )


def _marks(records: list[TrackRecord]) -> str:
    """Return the choice to mark, in pictures that were made from many frames, where these disagree; printed as it is chosen."""
    if not any("agreement" in record.files for record in records):
        return ""
    return '<label><input type="checkbox" id="show-agreement">mark where frames disagree</label>'

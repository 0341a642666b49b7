"""The contact sheet: ``report.html``, people first, readable without a script and, up to a size, without anything beside it."""

from __future__ import annotations

import importlib.resources
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any, cast, get_args

from engine.archive.hiding import hiding_of
from engine.archive.reader import read_run, read_streams
from engine.archive.record import embedder_sha256, settings
from engine.contracts.findings import Decision
from engine.contracts.messages import Stream
from engine.errors import PublishError
from engine.report.card import Sheet, card
from engine.report.figures import Pictures
from engine.report.moment import Moments, Video
from engine.report.people import people_table
from engine.report.portraits import Portraits
from engine.report.rejected import ANCHOR, are_there, rejected_section
from engine.report.row import row
from engine.report.style import style_of
from engine.report.summary import inputs_table, left_unread, models_table, names_and_values, naming, started_and_took
from engine.report.time_line import time_lines
from engine.report.track_index import Indexed, TrackIndex
from engine.report.track_tables import Group, Key, Section
from engine.whole_file import write_pieces
from engine.words.enrolling import enrol_command
from engine.words.lists import first_of
from engine.words.numbers import count
from engine.words.times import zone, zone_minutes
from engine.words.worth import LIMITS

MOST_TRACKS = 200
_MOST_ROWS = 20_000
_FACES_PER_TRACK = 7
_MOST_NAMED = 5
_ROOM_BYTES = 12_000_000
"""Of pictures that the page holds itself."""
_DECISIONS: tuple[Decision, ...] = ("known", "undecided", "unknown", "none")
_TITLES: dict[Section, str] = {
    "named": "Named",
    "called": "Named by people",
    "undecided": "Not decided, with evidence for somebody",
    "recurring": "Strangers seen more than once",
    "others": "Others",
}
_OUTCOMES = {
    "completed": "",
    "running": "This run was killed, or is still going on: the report shows what had been written. --resume continues it.",
    "drained": "This run was stopped before the end of its input. --resume continues it.",
    "failed": "This run failed before the end of its input. --resume continues it.",
}


@dataclass
class _Written:
    """What the head of a page cannot know yet."""

    rows: int = 0
    left_out: int = 0


def settings_of(run: Mapping[str, Any]) -> tuple[int, Video]:
    """Return how many tracks a run's report shows at length, and whether it plays recordings, as its configuration says."""
    output = settings(run, "output")
    tracks, video = output.get("report_tracks"), output.get("report_video")
    return (tracks if isinstance(tracks, int) and tracks > 0 else MOST_TRACKS), cast(
        "Video", video if video in get_args(Video) else "auto"
    )


def write_report(
    directory: Path,
    max_tracks: int = MOST_TRACKS,
    video: Video = "auto",
    out: Path | None = None,
    groups: Mapping[Key, Group] | None = None,
    portraits: Portraits | None = None,
    place: Path | None = None,
) -> Path:
    """Write a page of the files of a run's directory, and return its path.

    Args:
        directory: as ``DirectorySink`` leaves it, also after a kill.
        max_tracks: those that matter most have a card, so many; the others have a line each.
        video: whether it plays recordings, see ``Moments``.
        out: the page; None: ``report.html`` in the directory. Pictures that it does not hold are read from the directory.
        groups: stream and track id of recurring strangers, and of those whom people named.
        portraits: photographs that people were enrolled with.
        place: where the directory is going to be, of which the page speaks; None: where it is.

    Raises:
        PublishError: the directory does not hold a run, or the report cannot be written.
    """
    run, path, place = read_run(directory), out or directory / "report.html", place or directory
    with closing(TrackIndex(directory, groups)) as index:
        moments = Moments(place, path, run, video, several_streams=len(index.streams()) > 1)
        sheet = Sheet(directory, Pictures(directory, path, _ROOM_BYTES), moments, portraits)
        try:
            pieces = _pieces(directory, place.name, run, index, sheet, max_tracks)
            write_pieces(path, (piece.encode(errors="backslashreplace") for piece in pieces))  # of a path that is not UTF-8
        except OSError as error:
            raise PublishError(f"cannot write the report {path}: {error.strerror}") from error
    return path


def _pieces(directory: Path, name: str, run: dict[str, Any], index: TrackIndex, sheet: Sheet, max_tracks: int) -> Iterator[str]:
    head, _, tail = _resource("page.html").partition("$cards")
    fields = _fields(directory, run, index)
    yield string.Template(head).substitute(fields)
    written = _Written()
    yield from _tracks(index, sheet, max_tracks, written)
    rejected = (run.get("counters") or {}).get("rejected", 0)
    fields |= {"rejected": rejected_section(directory, sheet.pictures, rejected, run.get("inputs") or {})}
    fields |= {"end": _beside(sheet.pictures, name) + _left_out(written)}
    if sheet.portraits is not None:
        yield from ("<style>\n", *sheet.portraits.rules(), "</style>\n")
    yield string.Template(tail).substitute(fields)


def _tracks(index: TrackIndex, sheet: Sheet, max_tracks: int, written: _Written) -> Iterator[str]:
    """Yield the tracks in their sections: at length, then in short; of more than ``_MOST_ROWS`` only those with a name."""
    if not index.decisions:
        yield '<p class="empty">No faces were found.</p>'
    for section, tracks in groupby(index.tracks(), lambda track: track.section):
        yield f'<h2 class="section">{_TITLES[section]} <small>{index.sections[section]:,}</small></h2>\n'
        yield from _shown(index, sheet, tracks, max_tracks, written)


def _shown(index: TrackIndex, sheet: Sheet, tracks: Iterable[Indexed], max_tracks: int, written: _Written) -> Iterator[str]:
    for track in tracks:
        if track.place <= max_tracks:
            yield card(sheet, track, index.record(track, _FACES_PER_TRACK))
        elif track.identity or track.naming or written.rows < _MOST_ROWS:
            written.rows += 1
            yield row(sheet, track, index.record(track, 1))
        else:
            written.left_out += 1


def _fields(directory: Path, run: dict[str, Any], index: TrackIndex) -> dict[str, str]:
    inputs = run.get("inputs") or {}
    streams, found, people = read_streams(directory), index.streams(), list(index.persons())
    names = [Path(str(facts.get("path", stream))).name for stream, facts in inputs.items()]
    names += [stream for stream in sorted(streams) if stream not in inputs]
    outcome = str(run.get("outcome", ""))
    return {
        "title": escape(first_of(names, 3) or str(run.get("run_id", "run"))),
        "subtitle": escape(" · ".join(filter(None, ("facestream", started_and_took(run), outcome)))),
        "notice": _notice(" ".join(filter(None, (_OUTCOMES.get(outcome, ""), _unread(run, streams)))))
        + _notice(_failed(streams))
        + _notice(_nobody(run, index))
        + _notice(_redacted(run)),
        "figures": _figures(index, run.get("counters") or {}, f"#{ANCHOR}" if are_there(directory) else ""),
        "people": people_table(people, index.has_ratios),
        "time": time_lines(index.tracks(), index.tracks(), found),
        "limits": escape(LIMITS) if index.has_ratios else "",
        "inputs": inputs_table(inputs, streams, found),
        "input_count": f"{len({*inputs, *streams}):,}",
        "models": models_table(run) + (f'<p class="of">Names: {escape(said)}.</p>' if (said := naming(run)) else ""),
        "counters": names_and_values(_of_the_run(run.get("counters") or {}, {*inputs, *streams})),
        "versions": names_and_values(run.get("versions") or {}),
        "filters": _filters(index),
        "zone": str(zone_minutes(index.newest_ns)),
        "zone_words": escape(zone(index.newest_ns)),
        "run_id": escape(str(run.get("run_id", ""))),
        "style": style_of("engine.report"),
        "script": _resource("page.js"),
    }


def _of_the_run(counters: Mapping[str, int], streams: set[str]) -> dict[str, int]:
    """Return the counters without those of single streams (``faces.yard``), which ``run.json`` has: there may be thousands."""
    return {
        name: value
        for name, value in counters.items()
        if not any(name[at + 1 :] in streams for at, letter in enumerate(name) if letter == ".")
    }


def _resource(name: str) -> str:
    return importlib.resources.files("engine.report").joinpath(name).read_text(encoding="utf-8")


def _redacted(run: dict[str, Any]) -> str:
    return {
        "blur": "Faces that were not recognised are made coarse (publish.redact: blur).",
        "vectors": "No picture of a face was kept (publish.redact: vectors).",
    }.get(hiding_of(run), "")


def _nobody(run: dict[str, Any], index: TrackIndex) -> str:
    """Say how somebody is enrolled, where nobody was: a face that was compared with somebody has another decision."""
    if not index.decisions["none"] or set(index.decisions) != {"none"} or not embedder_sha256(run):
        return ""
    if "archive" in run:  # its gallery is a copy of the user's, which nobody should change
        look = "look for somebody with “facestream search PICTURE DIRECTORY”"
        return f"Nobody was enrolled when this job was begun, so no face was compared: {look}."
    verify = settings(run, "verify")
    command = enrol_command(str(verify.get("gallery") or ""), str(verify.get("gallery_key_file") or ""))
    return f"Nobody was enrolled, so no face was compared. Enrol somebody with “{command}”, then run again."


def _failed(streams: dict[str, list[Stream]]) -> str:
    last = [events[-1] for events in streams.values() if events]
    failed = [f"{event.stream} ({event.reason.replace('_', ' ')})" for event in last if event.state == "failed"]
    if not failed:
        return ""
    return f"{len(failed)} of {len(last)} stream{'s' * (len(last) != 1)} failed: {_first(failed)}."


def _unread(run: Mapping[str, Any], streams: dict[str, list[Stream]]) -> str:
    if not (unread := left_unread(run, streams)):
        return ""
    named = _first([f"{stream} ({how})" for stream, how in unread.items()])
    of, were = count(len(run["inputs"]), "recording"), "was" if len(unread) == 1 else "were"
    return f"{len(unread):,} of {of} {were} not searched to the end: {named}."


def _first(names: Sequence[str]) -> str:
    return first_of(names, _MOST_NAMED) + (", see the table below" if len(names) > _MOST_NAMED else "")


def _notice(sentence: str) -> str:
    return f'<p class="notice">{escape(sentence)}</p>' if sentence else ""


def _beside(pictures: Pictures, name: str) -> str:
    if not (left := pictures.beside):
        return ""
    what = f"{left:,} picture{'s' * (left != 1)}"
    return _notice(f"Not in this file: {what}, read from the folder faces of {name}. Pass the whole folder on, not the page.")


def _left_out(written: _Written) -> str:
    if not written.left_out:
        return ""
    return _notice(f"Not shown: {written.left_out:,} more without a name; tracks.jsonl holds all tracks.")


def _figures(index: TrackIndex, counters: Mapping[str, int], rejected_at: str) -> str:
    """Return the totals; ``rejected_at``: where those that were rejected are shown, empty: nowhere."""
    figures: list[tuple[str, int]] = [("tracks", index.decisions.total()), ("faces", index.faces)]
    figures += [(decision, index.decisions[decision]) for decision in _DECISIONS if index.decisions[decision]]
    shown = [
        f"<div><b>{count:,}</b><span>{name.removesuffix('s') if count == 1 else name}</span></div>" for name, count in figures
    ]
    if rejected := counters.get("rejected", 0):
        said = f'<a href="{rejected_at}">rejected as no face</a>' if rejected_at else "rejected as no face"
        shown.append(f"<div><b>{rejected:,}</b><span>{said}</span></div>")
    return "".join(shown)


def _filters(index: TrackIndex) -> str:
    decisions = index.decisions
    choices = [(name, decisions[name]) for name in _DECISIONS if decisions[name]]
    chosen = f'<label><input type="radio" name="show" id="show-all" checked>all ({decisions.total():,})</label>' + "".join(
        f'<label><input type="radio" name="show" id="show-{name}">{name} ({count:,})</label>' for name, count in choices
    )
    return chosen + '<label><input type="checkbox" id="show-agreement">mark where frames disagree</label>'

"""The first pages: what was processed, what is in the document and what is not, how to read a page, how to verify it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from engine import __version__
from engine.archive.reader import TrackRecord
from engine.contracts.findings import Decision
from engine.contracts.messages import Stream
from engine.report.figures import MARK
from engine.report.pdf.blocks import Block, Table, Words, heading
from engine.report.pdf.facts import STATES, made_at, source_name
from engine.report.pdf.flow import flow
from engine.report.pdf.sentences import DECISIONS, Confirmed, headline
from engine.report.pdf.sheet import GREY, Sheet
from engine.report.pdf.source_frames import SourceState
from engine.report.summary import left_unread
from engine.report.track_tables import Key
from engine.words.lists import first_of
from engine.words.numbers import count
from engine.words.times import clock, wall_clock
from engine.words.worth import degree, ratio

_SIZES = (8.5, 8.25, 8.0)
"""In points: the first with the fewest pages."""
_MOST_LEFT_OUT, _MOST_SOURCES, _SHORT_NOTES = 60, 20, 600
_READ = (
    "Its heading is what the software says of the track. A name is a suggestion of the software: somebody enrolled looks "
    'enough like it. "No match found": nobody does. "Not decided": neither can be said. "Not compared": there was nobody to '
    "compare with.",
    "The whole frame stands first, with a red box around the face. The box was drawn for the page; the recording has none.",
    "Below it are up to five pictures of the same face at one scale. Only the first one, with the black frame, shows the "
    "pixels of "
    'the recording (saved once more, mostly as JPEG). "Interpolated" is the same enlarged by arithmetic. What stands in an '
    f'orange frame comes from a network, and no decision rests on it. Pictures that it has drawn say "{MARK}".',
    '"Several frames" is one picture made out of many frames of the track. "Agreement" is a map of where these frames differ: '
    "nothing may be read into orange places, and that frames agree does not make the picture right.",
    "Likeness is a cosine, 1 for equal pictures. It is not a percentage: strangers often reach 0.8. The likelihood ratio says "
    "what it is worth: how many times as probable such a likeness is if the face is this person's as if it is a stranger's.",
    '"Strangers so much like somebody enrolled" counts the whole gallery, not one person. "In 95 of 100 galleries": of 100 '
    "galleries with as many people the figure holds for 95; in this one it may be higher.",
    "px are pixels of the recording, of a face the mean of its width and height. SHA-256 is a fingerprint: two files that "
    "have the same one are the same.",
)
_BELOW_ONE = "A ratio below 1 speaks against the person, in the same words: 1/10 as much against as 10 for."
_TWO_PEOPLE = (
    "In this document a name of the software counts once two people have confirmed it. Until then its page begins with "
    '"Not confirmed".'
)
_VERIFY = (
    "sha256sum FILE gives the SHA-256 of a recording or picture; it must be the one in this document.",
    "facestream audit DIR compares all files of the run with its record, and names each place where something was changed. "
    "Whoever can write into DIR could make another record, which would have another SHA-256: facestream audit DIR --holds "
    "SHA-256, with the one that this page gives, shows that it is still this record.",
    "facestream reproduce DIR --track N --stream STREAM computes one track again from the recording, and compares.",
    "DIR is the directory of the run, of which this document is an extract.",
)


@dataclass(frozen=True)
class Cover:
    """What the first pages are made from."""

    run: Mapping[str, Any]
    streams: Mapping[str, Sequence[Stream]]
    states: Mapping[str, SourceState]
    records: Sequence[TrackRecord]
    """In the document, in their order."""
    decisions: Mapping[Decision, int]
    """Of all tracks of the run."""
    left_out: Sequence[Key] = ()
    """Tracks that are not in it."""
    why_left_out: str = ""
    case: str = ""
    notes: str = ""
    examiner: str = ""
    made: str = ""
    chain: Sequence[str] = ()
    """What is known of the run's record."""
    confirmed: Confirmed = field(default_factory=Confirmed)
    first_page: int = 2
    """Number of the first track's page."""
    missing: str = ""
    """Characters that could not be drawn."""


def cover(sheet: Sheet, page: Cover) -> None:
    """Draw the first pages."""
    sheet.begin("What this document is")
    flow(sheet, list(_blocks(page)), _SIZES)


def _blocks(page: Cover) -> list[Block]:
    total = sum(page.decisions.values())
    blocks: list[Block] = [
        Words("Faces found in recordings", 2.2, "B", tag="H1", after_mm=1.0),
        Words(
            "A record of what the software facestream found, made by a computer. It is an aid to a person who compares faces, "
            "and does not identify anybody by itself.", colour=GREY, after_mm=2.5,
        ),
        Table((), _about(page), (0.2, 0.8), bold=frozenset({0}), after_mm=2.5),
        *([_part("Notes"), Words(page.notes, is_long=True)] if _are_long(page.notes) else []),
        _part("What was processed"),
        _sources(page),
        *_other_sources(page),
        *_not_read(page),
        _part("What is in this document"),
        Words(_counts(page, total), after_mm=1.2),
    ]  # fmt: skip
    blocks += [_contents(page)] if page.records else []
    blocks += [Words(_TWO_PEOPLE, after_mm=2.0)] if page.confirmed.two_person else []
    if page.left_out:
        blocks.append(Words(f"Left out: {_left_out(page)}. {page.why_left_out}", style="B", after_mm=2.0))
    blocks += [_part("How to read a page"), *_bullets(_READ)]
    blocks += [_part("What the words for a likelihood ratio mean"), _words_of_ratios(), Words(_BELOW_ONE)]
    blocks += [_part("How to verify it (for a technician)"), *map(Words, page.chain), *_bullets(_VERIFY)]
    if page.missing:
        blocks.append(Words(page.missing, style="B"))
    return blocks


def _part(text: str) -> Words:
    return heading(text, bookmark=True)


def _are_long(notes: str) -> bool:
    return len(notes) > _SHORT_NOTES or notes.count("\n") > _SHORT_NOTES // 100


def _about(page: Cover) -> list[tuple[str, str]]:
    outcome = str(page.run.get("outcome", ""))
    began = "results put together" if "archive" in page.run else "processing began"  # an archive's parts were processed before
    rows = [
        ("case", page.case), ("examiner", page.examiner), (began, made_at(page.run)),
        ("run", f"{page.run.get('run_id', '')}, {_OUTCOMES.get(outcome, outcome)}, by facestream {_version(page.run)}"),
        ("document made", f"{page.made}, by facestream {__version__}"), ("notes", "" if _are_long(page.notes) else page.notes),
    ]  # fmt: skip
    return [row for row in rows if row[1]]


_OUTCOMES = {
    "completed": "completed",
    "running": "not ended when this document was made, or killed",
    "drained": "stopped before the end of its input",
    "failed": "failed before the end of its input",
}


def _version(run: Mapping[str, Any]) -> str:
    return str((run.get("versions") or {}).get("facestream", "of unknown version"))


def _sources(page: Cover) -> Table:
    rows = []
    inputs: Mapping[str, Mapping[str, Any]] = page.run.get("inputs") or {}
    for stream in _shown_streams(page):
        facts = inputs.get(stream, {})
        sha256 = str(facts.get("sha256", "")) or "-"
        state = page.states.get(stream)
        now = STATES[state] if state else "not looked at" if facts else STATES["camera"]
        rows.append((stream, _source(page, stream), sha256, now))
    return Table(
        ("stream", "source", "SHA-256 when it was processed", "when this document was made"),
        rows,
        (0.1, 0.2, 0.5, 0.2),
        frozenset({2}),
        0.9,
    )


def _source(page: Cover, stream: str) -> str:
    """Return a stream's file, how large it is, when it begins, and how far it was read."""
    facts, events = (page.run.get("inputs") or {}).get(stream) or {}, page.streams.get(stream, [])
    begins = next((event.started_ns for event in reversed(events) if event.started_ns is not None), None)
    told = [source_name(page.run, stream) or "camera"]
    told += [f"{facts['size_bytes']:,} bytes"] if isinstance(facts.get("size_bytes"), int) else []
    told += [f"begins {wall_clock(begins)}"] if begins is not None else []
    unread = left_unread(page.run, page.streams).get(stream)
    told += [unread] if unread else [_ended(events[-1])] if events else []
    return ", ".join(told)


def _ended(event: Stream) -> str:
    if (event.state, event.reason) == ("ended", "end_of_file"):
        return "read to its end"
    return ": ".join(filter(None, ("NOT read to its end" if event.state == "failed" else event.state, _why(event))))


def _why(event: Stream) -> str:
    return event.reason.replace("_", " ")


def _not_read(page: Cover) -> list[Block]:
    """Return which sources failed or were left: that they have no track, or few, does not say that nobody is seen in them."""
    last = [events[-1] for events in page.streams.values() if events]
    failed = {event.stream: _why(event) for event in last if event.state == "failed"}
    unread = sorted((failed | left_unread(page.run, page.streams)).items())
    if not unread:
        return []
    named = first_of([f"{stream} ({why})" for stream, why in unread], _MOST_SOURCES)
    were = "source was" if len(unread) == 1 else "sources were"
    words = f"{len(unread):,} {were} not read to the end: {named}. What was not read was not searched for faces."
    return [Words(words, style="B", after_mm=1.5)]


def _shown_streams(page: Cover) -> list[str]:
    """Return the streams of the tracks in the document; without any the first ones of the run."""
    of_tracks = {record.stream for record in page.records}
    return sorted(of_tracks) or sorted({*(page.run.get("inputs") or {}), *page.streams})[:_MOST_SOURCES]


def _other_sources(page: Cover) -> list[Block]:
    """Return which sources have no track in the document, the first ones with file and SHA-256."""
    inputs: Mapping[str, Mapping[str, Any]] = page.run.get("inputs") or {}
    others = sorted({*inputs, *page.streams}.difference(_shown_streams(page)))
    if not others:
        return []
    words = count(len(others), "other source has", "other sources have")
    if not page.records:  # the table above has the first ones
        return [Words(f"{words} no track in this document: run.json names all of them.", after_mm=1.5)]
    rows = [
        (stream, _source(page, stream), str(inputs.get(stream, {}).get("sha256", "")) or "-")
        for stream in others[:_MOST_SOURCES]
    ]
    head = ("stream", "source", "SHA-256 when it was processed")
    blocks: list[Block] = [
        Words(f"{words} no track in this document:", keeps_next=True),
        Table(head, rows, (0.2, 0.3, 0.5), frozenset({2}), 0.9),
    ]
    if more := len(others) - len(rows):
        blocks.append(Words(f"{more:,} more {'is' if more == 1 else 'are'} not listed: run.json names all.", after_mm=1.5))
    return blocks


def _counts(page: Cover, total: int) -> str:
    found = ", ".join(f"{number:,} {DECISIONS[decision]}" for decision, number in page.decisions.items() if number)
    here = f"{len(page.records):,} {'is' if len(page.records) == 1 else 'are'} in this document, one on each page"
    rejected = (page.run.get("counters") or {}).get("rejected", 0)
    no_face = f" {count(rejected, 'track was', 'tracks were')} left out as no face." if rejected else ""
    if not total:
        return f"The run found no faces.{no_face}"
    return (
        f"The run has {count(total, 'track')} ({found}); {here}, those that matter most first. A track is one person's way "
        f"through the picture; one person may have several.{no_face}"
    )


def _contents(page: Cover) -> Table:
    rows = []
    for number, record in enumerate(page.records, page.first_page):
        first, last = record.span_seconds
        called = headline(record, page.confirmed)
        rows.append((str(number), str(record.track_id), record.stream, f"{clock(first)} to {clock(last)}", called))
    return Table(
        ("page", "track", "stream", "seen", "what the software says"), rows, (0.08, 0.1, 0.2, 0.24, 0.38), after_mm=2.0
    )


def _left_out(page: Cover) -> str:
    """Return the tracks that are left out, with runs of numbers as ``3 to 7``, as many as there is room for; of several streams
    with whose they are."""
    runs: list[tuple[str, list[int]]] = []
    for stream, track in sorted(page.left_out):
        if runs and runs[-1][0] == stream and runs[-1][1][-1] == track - 1:
            runs[-1][1].append(track)
        else:
            runs.append((stream, [track]))
    streams = {record.stream for record in page.records}.union(stream for stream, _ in runs)
    told = []
    for stream, of_stream in groupby(runs[:_MOST_LEFT_OUT], lambda one: one[0]):
        numbers = ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for _, run in of_stream)
        told.append(f"{numbers} of {stream}" if len(streams) > 1 else numbers)
    more = f" and {len(runs) - _MOST_LEFT_OUT:,} more ranges" if len(runs) > _MOST_LEFT_OUT else ""
    return f"{count(len(page.left_out), 'track')} ({'; '.join(told)}{more})"


def _bullets(sentences: Sequence[str]) -> list[Block]:
    return [Words(sentence, bullet=True, after_mm=0.5) for sentence in sentences]


def _words_of_ratios() -> Table:
    """Return the words that the pages use, by the ratios from which they hold."""
    steps = (0.0, 0.31, 1.0, 2.0, 3.0, 4.0, 6.0)
    rows = []
    for low, high in zip(steps, (*steps[1:], None), strict=True):
        words = degree(low) or "about as probable either way"
        rows.append((f"{ratio(low)} to below {ratio(high)}" if high is not None else f"{ratio(low)} and more", words))
    return Table(("likelihood ratio", "such a likeness is, if it is this person"), rows, (0.25, 0.75), scale=0.9)

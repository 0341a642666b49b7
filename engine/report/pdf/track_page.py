"""The page of one track."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.archive.hiding import hides_faces
from engine.archive.reader import TrackRecord
from engine.contracts.messages import Stream
from engine.report.pdf.blocks import Block, Columns, Table, Words, heading, height_of
from engine.report.pdf.error_rates import bucket_of, error_rates
from engine.report.pdf.facts import STATES, face_words, hashes, source_name, times
from engine.report.pdf.pictures import Shown, pictures_of
from engine.report.pdf.sentences import Confirmed, brief, finding, headline, limits, method, strength
from engine.report.pdf.sheet import BLACK, GREY, MADE, MARGIN_MM, PALE, Sheet
from engine.report.pdf.source_frames import SourceFrame, Sources
from engine.report.scene import PART
from engine.words.numbers import count
from engine.words.worth import bounded, one_in

_SIZES = (8.0, 7.6, 7.2, 6.8, 6.4, 6.0)
_FRAME_SHARE, _FRAME_MM = 0.55, 48.0
_SLOTS, _GAP_MM, _PICTURE_MM = 5, 3.0, 34.0
_AROUND_PICTURES_MM, _SMALLEST_SHARE = 28.0, 0.5
"""Titles and captions; and how small pictures may become where a page has much to say."""
_LEAST_BOX_MM = 3.0
_SHOWN = 3
_OUTLINES = {(True, False): (BLACK, 0.8), (False, False): (PALE, 0.3), (False, True): (MADE, 0.5)}
"""Colour and width in mm, by whether a picture is the original, and whether a model made it."""


@dataclass(frozen=True)
class Page:
    """What the page of a track is made from."""

    directory: Path
    run: Mapping[str, Any]
    record: TrackRecord
    sources: Sources
    events: Sequence[Stream]
    case: str = ""
    notes: str = ""
    chain: str = ""
    """What is known of the run's record, briefly."""
    confirmed: Confirmed = field(default_factory=Confirmed)


def track_page(sheet: Sheet, page: Page) -> None:
    """Draw a track on a page of its own."""
    record = page.record
    sheet.begin(f"Track {record.track_id}. {headline(record, page.confirmed)}")
    blocks = _text(page)
    y = _title(sheet, page, sheet.at_mm)
    room = sheet.bottom_mm - y - height_of(sheet, blocks, _SIZES[-2]) - _AROUND_PICTURES_MM
    share = min(1.0, max(_SMALLEST_SHARE, room / (_FRAME_MM + _PICTURE_MM)))
    y = _frame_and_facts(sheet, page, y, _FRAME_MM * share)
    pictures = pictures_of(page.directory, page.run, record)
    y = _strip(sheet, f"Face of track {record.track_id}", pictures, y, _PICTURE_MM * share)
    size = next((size for size in _SIZES if y + height_of(sheet, blocks, size) <= sheet.bottom_mm), _SIZES[-1])
    for block in blocks:
        height = block.draw(sheet, MARGIN_MM, y, sheet.width_mm, size, draw=False)
        if y + height > sheet.bottom_mm:  # a page holds its track whole: what has no room is said, not lost
            _cut_short(sheet)
            break
        y += block.draw(sheet, MARGIN_MM, y, sheet.width_mm, size)


def _cut_short(sheet: Sheet) -> None:
    words = "There was no room for the rest of this page: it is in tracks.jsonl and faces.jsonl of the result."
    sheet.words(MARGIN_MM, sheet.bottom_mm, sheet.width_mm, words, 6.5, colour=MADE)


def _title(sheet: Sheet, page: Page, y: float) -> float:
    record = page.record
    name = sheet.fonts_of.readable(headline(record, page.confirmed))
    sizes = (16.0, 13.0, 11.0, 9.0)
    size = next((size for size in sizes if sheet.words(0, 0, sheet.width_mm, name, size, style="B", draw=False) < 15), 8.0)
    with sheet.tagged("H2"):
        y += sheet.words(MARGIN_MM, y, sheet.width_mm, name, size, style="B")
    where = f"Track {record.track_id} of {record.stream}"
    file = source_name(page.run, record.stream)
    line = where + (f", recording {file}" if file else ", a camera") + (f"; case {page.case}" if page.case else "")
    y += sheet.words(MARGIN_MM, y, sheet.width_mm, sheet.fonts_of.readable(line), 8.5, colour=GREY) + 1
    return y + Words(f"{finding(record)} {page.confirmed.words(record)}".rstrip(), after_mm=2.0).draw(
        sheet, MARGIN_MM, y, sheet.width_mm, 9.0
    )


def _frame_and_facts(sheet: Sheet, page: Page, y: float, highest: float) -> float:
    width = sheet.width_mm * _FRAME_SHARE
    frame = page.sources.frame(page.record)
    if frame is None:
        height = 16.0
        with sheet.dashed():
            sheet.frame(MARGIN_MM, y, width, height, PALE)
        why = sheet.fonts_of.readable(f"The whole frame is not shown: {_no_frame(page)}.")
        sheet.words(MARGIN_MM + 3, y + 4, width - 6, why, 8.0, colour=GREY)
    else:
        width, height = _draw_frame(sheet, page, frame, y, width, highest)
    x = MARGIN_MM + width + 5
    facts = Table((), _facts(page), (0.27, 0.73), bold=frozenset({0}))
    below = facts.draw(sheet, x, y - 0.5, sheet.width_mm - width - 5, 7.2)
    return y + max(height, below) + 1.5


def _draw_frame(sheet: Sheet, page: Page, frame: SourceFrame, y: float, width: float, highest: float) -> tuple[float, float]:
    """Draw the frame with the box around the face, and return the width and height that it took."""
    face = frame.line.face
    wide_px, high_px = max(1, face.width_px), max(1, face.height_px)
    height = min(highest, width * high_px / wide_px)
    width = height * wide_px / high_px
    alt = f"The whole frame {face.frame_index} with a red box around the face of track {page.record.track_id}"
    sheet.picture(MARGIN_MM, y, width, height, frame.jpeg, alt)
    sheet.frame(MARGIN_MM, y, width, height, BLACK, 0.2)
    left, top, box_width, box_height = (width / wide_px * value for value in face.box)
    wide, high = max(box_width, _LEAST_BOX_MM), max(box_height, _LEAST_BOX_MM)
    left, top = MARGIN_MM + left - (wide - box_width) / 2, y + top - (high - box_height) / 2
    with sheet.rect_clip(MARGIN_MM, y, width, height):
        sheet.frame(left - 0.4, top - 0.4, wide + 0.8, high + 0.8, (255, 255, 255), 0.9)
        sheet.frame(left - 0.4, top - 0.4, wide + 0.8, high + 0.8, (220, 0, 0), 0.45)
    which = "a smaller copy that the run kept" if frame.is_reduced else "read from the recording for this page"
    other = "" if frame.line is page.record.best else " It is of another moment than the pictures below."
    caption = f"The whole frame {face.frame_index}, {which}. The red box was drawn for this page.{other}"
    room = max(width, 70.0)
    return room, height + 0.5 + sheet.words(MARGIN_MM, y + height + 0.5, room, caption, 6.8, colour=GREY)


def _no_frame(page: Page) -> str:
    record = page.record
    if record.best is None:
        return "no face of this track is kept"
    if any(PART in line.files for line in record.faces):
        return "it was deleted since (kept for a limited time), or moved away"
    if hides_faces(page.run):
        return "the run was told to hide faces (publish.redact)"
    if record.stream not in (page.run.get("inputs") or {}):
        return "frames of a camera were not kept"
    state = page.sources.states.get(record.stream, "gone")
    name = source_name(page.run, record.stream)
    return {
        "gone": f"the recording {name} is not where it was processed any more, or cannot be read",
        "other": f"the recording {name} is not the file that was processed",
        "not hashed": f"the SHA-256 of the recording {name} was not recorded, so nobody can say that it is the one",
    }.get(state, f"the recording {name} does not give it again")


def _facts(page: Page) -> list[tuple[str, str]]:
    record, track = page.record, page.record.track
    rows = times(record, page.events)
    if record.best is not None:
        rows += face_words(record.best)
    seen = f"found in {count(track.frames_seen, 'frame')}; " if track is not None else ""
    rows.append(("faces", f"{seen}{record.faces_seen:,} chosen as the best"))
    if track is not None and track.basis is not None:
        basis = track.basis
        moments = "" if basis.moments is None else f", at {count(basis.moments, 'distinct time')}"
        rows.append(("compared", f"{count(basis.faces, 'face')}{moments}"))
    state = page.sources.states.get(record.stream, "camera")
    rows.append(("source", STATES[state]))
    rows += [("record", page.chain)] if page.chain else []
    if page.notes:
        rows.append(("notes", page.notes))
    return rows


def _strip(sheet: Sheet, called: str, shown: Sequence[Shown], y: float, highest: float) -> float:
    """Draw the pictures of a face, ``called`` so, at one scale, each with what is said of it, and return where they end."""
    slot = (sheet.width_mm - _GAP_MM * (_SLOTS - 1)) / _SLOTS
    sizes = [one.original_px for one in shown if one.data is not None] or [(1, 1)]
    scale = min(slot / max(width for width, _ in sizes), highest / max(height for _, height in sizes))
    tallest = scale * max(height for _, height in sizes) if any(one.data for one in shown) else 12.0
    empty = scale * max(width for width, _ in sizes) if any(one.data for one in shown) else slot
    lowest = y
    for number, one in enumerate(shown):
        x = MARGIN_MM + number * (slot + _GAP_MM)
        below = y + sheet.words(x, y, slot, one.title, 8.0, style="B", colour=MADE if one.is_made else BLACK) + 0.5
        if one.data is None:
            with sheet.dashed():
                sheet.frame(x, below, min(slot, empty), tallest, PALE)
            sheet.words(x + 1.5, below + 1.5, min(slot, empty) - 3, sheet.fonts_of.readable(one.caption), 6.8, colour=GREY)
            lowest = max(lowest, below + tallest)
            continue
        width, height = (scale * value for value in one.original_px)
        sheet.picture(x, below, width, height, one.data, f"{called}: {one.title.lower()}")
        sheet.frame(x, below, width, height, *_OUTLINES[one.title == "Original", one.is_made])
        below += height + 0.8
        below += sheet.words(x, below, slot, sheet.fonts_of.readable(one.caption), 6.8, colour=GREY)
        if one.mark:
            below += sheet.words(x, below, slot, one.mark, 6.8, style="B", colour=MADE)
        lowest = max(lowest, below)
    return lowest + 0.5


def _text(page: Page) -> list[Block]:
    record, track = page.record, page.record.track
    blocks: list[Block] = []
    if record.candidates:
        blocks += [
            heading("Compared with every person enrolled in the gallery: the most alike of them"),
            _scores(record),
        ]
        bucket = bucket_of(page.run, track.basis) if track is not None and track.basis is not None else None
        told = list(strength(record, bucket.same, bucket.different) if bucket else strength(record))
        blocks += [heading("How strong the likeness is")] if told else []
        blocks += [Words(f"{' '.join(told[:2])}", style="B" if record.decision == "known" else "")] if told else []
        blocks += [Words(one, style="B" if number == 0 else "") for number, one in enumerate(told[2:])]
        if rates := list(error_rates(page.run, record)):
            blocks += [heading("How often that is wrong, and what it was measured on")]
            blocks += [Words(sentence, bullet=True, after_mm=0.4) for sentence in rates]
    done = [heading("How it was done"), *(Words(sentence, after_mm=0.6) for sentence in method(record))]
    limited = [
        heading("What may not be concluded"),
        *(Words(one, bullet=True, after_mm=0.3) for one in limits(record)),
    ]
    blocks.append(Columns([done, limited], (0.4, 0.6)))
    frame = page.sources.frame(record)
    kept = frame.line if frame is not None and frame.is_reduced else None
    rows = hashes(page.directory, page.run, record, page.sources.states.get(record.stream, "gone"), kept)
    blocks.append(heading("What this page rests on (for whoever checks it)"))
    head = ("what", "name", "SHA-256 when it was processed", "when this was made")
    blocks.append(Table(head, rows, (0.14, 0.24, 0.49, 0.13), frozenset({2}), scale=0.86, cell_mm=0.15))
    return blocks


def _scores(record: TrackRecord) -> Table:
    candidates = record.candidates[:_SHOWN]
    bounds = record.track.basis.log10_lr_bounds if record.track and record.track.basis else None
    head = ["person enrolled", "likeness of the originals (cosine)", "of enhanced faces (decides nothing)"]
    weighed = any(one.log10_lr is not None for one in candidates)
    measured = any(one.false_name_chance is not None for one in candidates)
    stated = any(one.probability is not None for one in candidates)
    head += ["likelihood ratio"] if weighed else []
    head += ["strangers so much like somebody enrolled, at most"] if measured else []
    head += ["probability, by the prior that was set"] if stated else []
    rows = []
    for one in candidates:
        enhanced = "-" if one.cosine_enhanced is None else f"{one.cosine_enhanced:.3f}"
        row = [brief(one.identity), f"{one.cosine_original:.3f}", enhanced]
        row += ["-" if one.log10_lr is None else bounded(one.log10_lr, bounds)] if weighed else []
        row += ["-" if one.false_name_chance is None else one_in(one.false_name_chance)] if measured else []
        row += ["-" if one.probability is None else f"{one.probability:.3f}"] if stated else []
        rows.append(row)
    others = len(head) - 1
    return Table(head, rows, (0.32, *([0.68 / others] * others)), scale=0.95)

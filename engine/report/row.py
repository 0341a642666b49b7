"""One line of the report: a track that has no card."""

from __future__ import annotations

from html import escape

from engine.archive.reader import TrackRecord
from engine.report.card import Sheet, badge, facts_of, headline, where
from engine.report.figures import small
from engine.report.track_index import Indexed


def row(sheet: Sheet, track: Indexed, record: TrackRecord) -> str:
    """Return the HTML of a track in one line, with its best face."""
    best = record.best
    face = small(sheet.pictures, best) if best else ""
    return (
        f'<article class="row {track.decision}" id="t{track.place}"{facts_of(track)}>{face}'
        f"<b>{escape(headline(track))} {badge(track)}</b><span>{where(track)}</span>"
        f"<span>{track.faces:,} faces, {track.size_px:.0f} px</span></article>\n"
    )

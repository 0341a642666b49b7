"""One line of the report: a track that has no card."""

from __future__ import annotations

from engine.archive.reader import TrackRecord
from engine.report.card import Sheet, badge, facts_of, headline, where
from engine.report.figures import MARK
from engine.report.isolated import isolated
from engine.report.track_index import Indexed


def row(sheet: Sheet, track: Indexed, record: TrackRecord) -> str:
    """Return the HTML of a track in one line, with its best face: few elements, as there may be thousands."""
    files = record.best.files if record.best else {}
    kind, name = (" enhanced", files["enhanced"]) if "enhanced" in files else ("", files.get("original"))
    like = ""
    if track.section == "undecided" and record.candidates:
        like = f"most like {isolated(record.candidates[0].identity)} · "
    img = sheet.pictures.img(name, f"best face{', ' + MARK if kind else ''}", MARK if kind else "")
    faces = f"{track.faces:,} face{'s' * (track.faces != 1)}"
    return (
        f'<article class="row {track.decision}{kind}" id="t{track.place}"{facts_of(track)}>'
        f"{img}<b>{isolated(headline(track))} {badge(track)}</b>"
        f"<span>{like}{where(track)} · {faces}, {track.size_px:.0f} px</span></article>\n"
    )

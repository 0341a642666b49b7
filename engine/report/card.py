"""One card of the report: one track at length."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.findings import Basis, Candidate
from engine.exhibit.two_person import is_same_name
from engine.report.figures import MARK, Pictures, figure, small, strip_of
from engine.report.fused import Fused, agreement_figure, fused_figures, fused_of, fused_strip
from engine.report.isolated import isolated
from engine.report.moment import Moments
from engine.report.portraits import Portraits
from engine.report.scale import scale
from engine.report.scene import Scene, scene_of
from engine.report.track_index import Indexed
from engine.words.times import clock, wall_span
from engine.words.worth import bounded, ratio, share_of_strangers, worth

_AGREES = (
    "The enhanced picture made as small as the original again, and compared with it: PSNR of the brightness, at most 100 dB"
)


@dataclass(frozen=True)
class Sheet:
    """What all cards of a page share."""

    directory: Path
    pictures: Pictures
    moments: Moments
    portraits: Portraits | None = None


def card(sheet: Sheet, track: Indexed, record: TrackRecord) -> str:
    """Return the HTML of one track: its pictures at one scale, the whole frame, what is known, and its faces."""
    pictures, fused, best = sheet.pictures, fused_of(sheet.directory, record), record.best
    made, shown = fused_figures(pictures, record, fused) if fused is not None else ("", best)
    figures = made + (_figures(pictures, shown, alone=fused is not None) if shown else "")
    figures += _scene(sheet, scene_of(sheet.directory, record.faces), best)
    figures += agreement_figure(pictures, record, fused) if fused is not None else ""
    others = "".join(small(pictures, line) for line in record.faces if line is not best)
    strip = fused_strip(pictures, record, fused) if fused is not None else strip_of(record, others)
    missing = '<p class="empty">the pictures are missing</p>' if best else '<p class="empty">no face was kept</p>'
    basis = record.track.basis if record.track is not None else None
    return (
        f'<article class="card {record.decision}" id="t{track.place}"{facts_of(track)}>'
        f"<header><h3>{isolated(headline(track))} {badge(track)}</h3>"
        f'<p class="where">{where(track)}</p>{sheet.moments.link(record)}</header>'
        f'<div class="pictures">{figures or missing}</div>'
        f'<div class="facts">{_portrait(sheet, record)}{scale(record.candidates, basis)}'
        f"{_candidates(record.candidates, basis)}{_worth(record)}</div>"
        f"{_details(record, best, fused)}{strip}</article>\n"
    )


def facts_of(track: Indexed) -> str:
    """Return what the page's script sorts and filters by, as attributes."""
    at = track.first if track.clock_ns is None else track.clock_ns[0] / 1e9
    return (
        f' data-n="{escape(track.identity or track.group)}" data-s="{escape(track.stream)}" data-k="{track.track_id}"'
        f' data-t="{at:.2f}" data-z="{track.size_px:.1f}" data-q="{track.quality:.3f}" data-f="{track.faces}"'
    )


def headline(track: Indexed) -> str:
    """Return whom a track shows, as far as that is known."""
    words = {"unknown": "Not in the gallery", "undecided": "Not decided"}.get(track.decision, "Not compared")
    return track.identity or track.group or words


def badge(track: Indexed) -> str:
    """Return the decision, or who has named a track that the run has not named; and who gives it another name than the run."""
    if track.section == "called":
        return f'<span class="badge known">{isolated(track.naming)}</span>'
    decision = f'<span class="badge {track.decision}">{track.decision}</span>'
    if not track.naming or is_same_name(track.group, track.identity):
        return decision
    return f'{decision} <span class="badge undecided">{isolated(track.group)}: {isolated(track.naming)}</span>'


def where(track: Indexed) -> str:
    """Return stream, track and time, by the clock on the wall too where that is known."""
    span = f"{clock(track.first)} to {clock(track.last)}"
    if track.clock_ns is not None:
        span = wall_span(*track.clock_ns) + ("" if track.live else f" ({span})")
    return f"{escape(track.stream)} · track {track.track_id} · {span}"


def _figures(pictures: Pictures, line: FaceLine, *, alone: bool) -> str:
    """Return a face as it came, interpolated by the browser, and enhanced; ``alone``: beside one made of many."""
    width, height = line.face.crop_box[2:]
    original = pictures.img(line.files.get("original"), f"original, {width} x {height} px")
    shown = figure(original, "pixels", f"original {width} x {height} px")
    facts = line.face.enhanced
    if facts is None or not (enhanced := pictures.img(line.files.get("enhanced"), "enhanced")):
        return shown
    shown += figure(original, "smooth", "the same, interpolated")
    said = f"one frame alone, {facts.model}" if alone else f"{facts.model}, {facts.scale} times"
    return shown + figure(enhanced, "enhanced alone" if alone else "enhanced", said, MARK)


def _portrait(sheet: Sheet, record: TrackRecord) -> str:
    """Return the enrolled photograph of the best candidate, as far as there is one and a name is in question."""
    if sheet.portraits is None or not record.candidates or record.decision not in ("known", "undecided"):
        return ""
    return sheet.portraits.figure(record.candidates[0].identity)


def _scene(sheet: Sheet, scene: Scene | None, best: FaceLine | None) -> str:
    """Return the whole picture; of an earlier face than the best one, which has none of its own, with when that one was."""
    if scene is None:
        return ""
    at = clock(scene.line.face.pts_seconds)
    img = sheet.pictures.img(scene.line.files["scene"], f"the whole picture at {at}")
    left, top, width, height = (f"{100 * share:.2f}%" for share in scene.box)
    box = f'<i class="box" style="left:{left};top:{top};width:{width};height:{height}"></i>'
    ratio_of_sides = f"{scene.size[0]} / {scene.size[1]}"
    picture = img.replace('class="pic"', f'class="pic" style="aspect-ratio:{ratio_of_sides}"', 1).replace(
        "</a>", f"{box}</a>", 1
    )
    said = f"the whole picture, {scene.size[0]} x {scene.size[1]} px, at {at}"
    if best is not None and (best_at := clock(best.face.pts_seconds)) != at:
        said += f" (best face at {best_at})"
    return figure(picture, "scene", said)


def _details(record: TrackRecord, best: FaceLine | None, fused: Fused | None) -> str:
    details: list[tuple[str, str]] = []
    if record.track is not None:
        details.append(("frames seen", f"{record.track.frames_seen:,}"))
    details.append(("faces", f"{record.faces_seen:,}"))
    if record.track is not None and record.track.basis is not None:
        details += _basis(record.track.basis)
    if best is not None:
        face = best.face
        details += [("face size", f"{face.quality.size_px:.0f} px"), ("quality", f"{face.quality.score:.2f}"),
                    ("best at", clock(face.pts_seconds))]  # fmt: skip
        if face.quality.qp is not None:
            whole = " of the picture" if face.quality.qp_of_picture else ""
            details.append(("compression", f"QP {face.quality.qp:.0f}{whole}"))
        if face.enhanced is not None:
            agrees = f"{face.enhanced.lr_consistency_db:.1f} dB"
            details.append((f'<span title="{_AGREES}">agrees with the picture</span>', agrees))
    if fused is not None:
        details.append(("frames agree", f"{100 * fused.said.agreement:.0f} %"))
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in details) + "</dl>"


def _basis(basis: Basis) -> list[tuple[str, str]]:
    """Return what the decision rests on, where that is not simply all faces."""
    found: list[tuple[str, str]] = []
    if basis.moments is not None:
        poor = f", {basis.nobody:,} too poor to recognise anybody" if basis.nobody else ""
        found.append(("decided by moments", f"{basis.moments:,}{poor}"))
    if basis.persons > 1:
        found.append(("people in this track", f"{basis.persons:,}: decided by the one seen at the most moments"))
    return found


def _candidates(candidates: list[Candidate], basis: Basis | None) -> str:
    if not candidates:
        return ""
    calibrated = any(candidate.probability is not None for candidate in candidates)
    weighed = any(candidate.log10_lr is not None for candidate in candidates)
    measured = any(candidate.false_name_chance is not None for candidate in candidates)
    bounds = basis.log10_lr_bounds if basis is not None else None
    rows = []
    for candidate in candidates[:3]:
        cells = [isolated(candidate.identity), f"{candidate.cosine_original:.3f}", _number(candidate.cosine_enhanced)]
        cells += ["-" if candidate.log10_lr is None else bounded(candidate.log10_lr, bounds)] if weighed else []
        cells += [_number(candidate.probability)] if calibrated else []
        cells += [_chance(candidate.false_name_chance)] if measured else []
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f'<th scope="col">{title}</th>' for title in ("candidate", "cosine original", "enhanced"))
    head += '<th scope="col">likelihood ratio</th>' if weighed else ""
    head += '<th scope="col">probability</th>' if calibrated else ""
    head += (
        '<th scope="col" title="how often at most a stranger looks so much like anybody in the gallery">strangers as alike</th>'
        if measured
        else ""
    )
    return f'<table class="candidates"><tr>{head}</tr>{"".join(rows)}</table>'


def _worth(record: TrackRecord) -> str:
    """Return what the best candidate's likelihood ratio says, and how much it could say at most."""
    basis: Basis | None = record.track.basis if record.track is not None else None
    first = record.candidates[0] if record.candidates else None
    if first is None or first.log10_lr is None or basis is None or basis.log10_lr_bounds is None:
        return ""
    low, high = basis.log10_lr_bounds
    figures = (
        f"Likelihood ratio {bounded(first.log10_lr, basis.log10_lr_bounds)} (log10 {first.log10_lr:.1f}); for {basis.bucket} "
        f"{ratio(low)} to {ratio(high)} can be shown. Calibration {basis.calibration}."
    )
    return f'<p class="worth">{escape(worth(first.log10_lr, first.identity))}. {escape(figures)}</p>'


def _chance(value: float | None) -> str:
    return "-" if value is None else escape(share_of_strangers(value))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

"""One card of the report: one track."""

from __future__ import annotations

from html import escape
from pathlib import Path

import cv2
import numpy as np

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.findings import Basis, Candidate
from engine.contracts.worth import LIMITS, ratio, worth
from engine.report.figures import MARK, figure, read, small, strip_of
from engine.report.fused import Fused, fused_figures, fused_of, fused_strip
from engine.report.summary import clock, wall_clock


def card(directory: Path, record: TrackRecord) -> str:
    """Return the HTML of one track: the picture that was made of it, or its best face three times, what is known, its faces."""
    best, fused = record.best, fused_of(directory, record)
    if fused is not None:
        pictures, strip = fused_figures(directory, fused), fused_strip(directory, record, fused)
    else:
        pictures = _pictures(directory, best) if best else '<p class="empty">no face was kept</p>'
        strip = strip_of(record, "".join(small(directory, line) for line in record.faces if line is not best))
    return (
        f'<article class="card {record.decision}"><div class="pictures">{pictures}</div><div class="facts">'
        f'<h3>{escape(_headline(record))} <span class="badge {record.decision}">{record.decision}</span></h3>'
        f'<p class="where">{escape(record.stream)} · track {record.track_id} · {_span(record)}</p>'
        f"{_candidates(record.candidates)}{_worth(record)}{_details(record, best, fused)}"
        f"{strip}</div></article>"
    )


def _headline(record: TrackRecord) -> str:
    if record.decision == "known" and record.candidates:
        return record.candidates[0].identity
    return {"unknown": "Not in the gallery", "undecided": "Not decided"}.get(record.decision, "Not compared")


def _span(record: TrackRecord) -> str:
    first, last = record.span_seconds
    span = f"{clock(first)} to {clock(last)}"
    if record.recorded_span_ns is None:
        return span
    began, ended = (wall_clock(nanoseconds) for nanoseconds in record.recorded_span_ns)
    return f"{span} ({began[:-6]} to {ended.split()[1]} {ended.split()[2]})"


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
            details.append(("compression", f"QP {face.quality.qp:.0f}"))
        if face.enhanced is not None:
            details.append(("LR consistency", f"{face.enhanced.lr_consistency_db:.1f} dB"))
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


def _candidates(candidates: list[Candidate]) -> str:
    if not candidates:
        return ""
    calibrated = any(candidate.probability is not None for candidate in candidates)
    weighed = any(candidate.log10_lr is not None for candidate in candidates)
    measured = any(candidate.false_name_chance is not None for candidate in candidates)
    rows = []
    for candidate in candidates[:3]:
        cells = [escape(candidate.identity), f"{candidate.cosine_original:.3f}", _number(candidate.cosine_enhanced)]
        cells += ["-" if candidate.log10_lr is None else ratio(candidate.log10_lr)] if weighed else []
        cells += [_number(candidate.probability)] if calibrated else []
        cells += [_chance(candidate.false_name_chance)] if measured else []
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "<th>candidate</th><th>cosine original</th><th>enhanced</th>"
    head += "<th>likelihood ratio</th>" if weighed else ""
    head += "<th>probability</th>" if calibrated else ""
    head += (
        '<th title="how often at most a stranger looks so much like anybody in the gallery">strangers as alike</th>'
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
    at_most = " or more" if first.log10_lr >= high else " or less" if first.log10_lr <= low else ""
    figures = (
        f"Likelihood ratio {ratio(first.log10_lr)}{at_most} (log10 {first.log10_lr:.1f}); for {basis.bucket} "
        f"{ratio(low)} to {ratio(high)} can be shown. Calibration {basis.calibration}."
    )
    return f'<p class="worth">{escape(worth(first.log10_lr, first.identity))}. {escape(figures)} {LIMITS}</p>'


def _chance(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.0f} %" if value >= 0.1 else f"{1000 * value:.2g} in 1,000" if value >= 1e-5 else "&lt; 1 in 100,000"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _pictures(directory: Path, line: FaceLine) -> str:
    original = read(directory, line.files.get("original"))
    enhanced = read(directory, line.files.get("enhanced"))
    width, height = line.face.crop_box[2:]
    figures = []
    if original:
        figures.append(figure(original, "pixels", f"original {width} x {height} px"))
    if original and enhanced and line.face.enhanced is not None:
        bicubic = _bicubic(original[1], enhanced[1])
        figures += [figure(("image/jpeg", bicubic), "", "bicubic")] if bicubic else []
    if enhanced and line.face.enhanced is not None:
        facts = line.face.enhanced
        figures.append(figure(enhanced, "enhanced", f"{facts.model}, {facts.scale} times", MARK))
    return "".join(figures) or '<p class="empty">the pictures are missing</p>'


def _bicubic(original: bytes, enhanced: bytes) -> bytes | None:
    """Return the original, enlarged to the size of the enhanced picture, as JPEG."""
    small = cv2.imdecode(np.frombuffer(original, np.uint8), cv2.IMREAD_COLOR)
    large = cv2.imdecode(np.frombuffer(enhanced, np.uint8), cv2.IMREAD_COLOR)
    if small is None or large is None:
        return None
    resized = cv2.resize(small, large.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    done, encoded = cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return encoded.tobytes() if done else None

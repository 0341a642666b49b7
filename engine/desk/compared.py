"""Two faces side by side: how alike they are, what that is worth, and what limits it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Quality
from engine.desk.beside import at_once
from engine.desk.likeness import Likeness, Worth, haze_of
from engine.desk.photograph import Photographed
from engine.desk.stored import StoredTrack
from engine.verify.copies import COPY_COSINE
from engine.words.numbers import told_apart

_SMALL_PX, _PLAIN_PX = 28.0, 40.0
_BLURRED, _TURNED, _POOR_QP, _ONE_FACE = 0.4, 0.85, 34.0, 2


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two faces that are compared."""

    label: str
    vector: NDArray[np.float32]
    """(d,) of length 1."""
    size_px: float
    moments: int
    """Number of moments at which it was seen; 1 for a photograph."""
    limits: list[str]
    """Sentences that say how this face limits the comparison."""
    track: StoredTrack | None
    """Where it comes from; None: a photograph."""
    pictures: list[tuple[str, str, tuple[str, bytes]]]
    """Caption, kind (``original`` or ``enhanced``), media type and bytes of each."""
    mirrored: NDArray[np.float32] | None = None
    """(d,) of length 1, of a photograph's mirrored face; None: it is not known."""


@dataclass(frozen=True, eq=False)
class Compared:
    """The result of a comparison."""

    one: Side
    other: Side
    cosine: float
    resemblance: float
    """How alike the two are, beyond what both share with many other people and with all faces that have lost detail."""
    is_same: bool
    """Both are the very same face in the same picture, so there is nothing to weigh."""
    worth: Worth | None
    """None: not calibrated for the embedder, or for faces so small; or ``is_same``."""
    by_chance: float | None
    """Upper bound on the share of pairs of strangers that look this much alike, 0 to 1; None: not measured, or ``is_same``."""
    limits: list[str]
    """Sentences."""


def compare(one: Side, other: Side, likeness: Likeness) -> Compared:
    """Compare two faces with vectors of the same embedder; the smaller face decides what their likeness is worth."""
    size = min(one.size_px, other.size_px)
    tracks = [side.track for side in (one, other) if side.track is not None]
    moments = min((side.moments for side in (one, other) if side.track is not None), default=1)
    is_same = bool(np.array_equal(one.vector, other.vector))
    cosine = float(np.clip(one.vector @ other.vector, -1, 1))
    haze = haze_of(np.array([one.size_px, other.size_px]))
    resemblance = float(likeness.resemblance(one.vector, other.vector[None])[0] - haze.prod())
    limits = [f"{side.label}: {sentence}" for side in (one, other) for sentence in side.limits]
    if any(at_once(tracks)):
        limits.insert(0, _BESIDE)
    if is_same:
        limits.insert(0, _THE_SAME)
    elif likeness.measured is None:
        limits.append("This embedder was not measured: there is a cosine, but nothing says what it is worth.")
    elif likeness.bucket(size, moments) is None:
        limits.append(f"Faces of {size:.0f} px were not calibrated: there is no likelihood ratio.")
    elif len(tracks) == 2:
        limits.append(TWO_TRACKS)
    elif not tracks:
        limits.append(_TWO_PHOTOGRAPHS)
        if max(cosine, _mirrored_cosine(one, other)) >= COPY_COSINE:
            limits.insert(0, _MAY_BE_COPIES)
    return Compared(
        one,
        other,
        cosine,
        resemblance,
        is_same,
        None if is_same else likeness.worth(resemblance, size, moments),
        None if is_same else likeness.by_chance(resemblance, size, 1),
        limits,
    )


def _mirrored_cosine(one: Side, other: Side) -> float:
    return -1.0 if one.mirrored is None else float(one.mirrored @ other.vector)


_THE_SAME = "Both are one and the same face in one picture: their likeness says nothing."
_MAY_BE_COPIES = (
    "They are as alike as copies of one photograph (saved again, resized, cropped, mirrored), which two different ones hardly "
    "ever are: if they are copies, that they are alike says nothing."
)
_BESIDE = (
    "Both are there at the same time in one stream: they are two people, unless one is a mirror image, or a picture, of the "
    "other."
)
TWO_TRACKS = (
    "What such a likeness is worth was measured on a face in a recording and a sharp photograph. Between two recordings both "
    "faces lack detail, which makes strangers look more alike: for that an allowance is made, by the size of both."
)
_TWO_PHOTOGRAPHS = "What such a likeness is worth was measured on faces in recordings, not on two photographs."


def photograph_side(photograph: Photographed) -> Side:
    """Return a photograph to compare."""
    quality = photograph.quality
    pictures = [(f"{quality.size_px:.0f} px", "original", ("image/jpeg", photograph.picture))]
    limits = [*photograph.remarks, *quality_limits([quality])]
    return Side(photograph.label, photograph.vector, quality.size_px, 1, limits, None, pictures, photograph.mirrored)


def track_side(track: StoredTrack, vector: NDArray[np.float32], pictures: Sequence[tuple[str, str, tuple[str, bytes]]]) -> Side:
    """Return a track to compare, with its vector (d,)."""
    limits = quality_limits([face.quality for face in track.faces])
    if track.moments < _ONE_FACE:
        limits.append("it was seen at one moment only: a single face is less reliable than several fused ones.")
    if track.persons > 1:
        limits.append(f"its faces show {track.persons} people: compared is the one who was seen at the most moments.")
    label = f"{track.result.label}:{track.stream}/{track.track_id}"
    return Side(label, vector, track.size_px, max(track.moments, 1), limits, track, list(pictures))


def quality_limits(faces: Sequence[Quality]) -> list[str]:
    """Return sentences on what limits a comparison, judged by a person's better faces; empty if nothing does."""
    if not faces:
        return ["no face of it is left."]
    better = sorted(faces, key=lambda face: -face.score)[: max(1, len(faces) // 2)]
    size, sharp, frontal = (
        float(np.mean([getattr(face, name) for face in better])) for name in ("size_px", "sharpness", "frontal")
    )
    said = []
    if size < _SMALL_PX:
        said.append(f"the face is {size:.0f} px: so small that people cannot be told apart well.")
    elif size < _PLAIN_PX:
        shown, plain = told_apart(size, _PLAIN_PX, 0)
        said.append(f"the face is {shown} px: from {plain} px on a comparison says more.")
    if sharp < _BLURRED:
        shown, plain = told_apart(sharp, _BLURRED, 2)
        said.append(f"the face is blurred (sharpness {shown}; plain from {plain} on).")
    if frontal < _TURNED:
        said.append(f"the face is turned away (frontal {frontal:.2f}; 1 looks into the camera).")
    qps = [face.qp for face in better if face.qp is not None and not face.qp_of_picture]
    if qps and np.mean(qps) > _POOR_QP:
        said.append(f"the recording is strongly compressed there (quantiser {np.mean(qps):.0f} of 51).")
    if all(face.damaged for face in better):
        said.append("the recording is damaged there: parts of the face were made up by the decoder.")
    return said

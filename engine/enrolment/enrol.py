"""Enrolment: pictures of one person into the gallery, each refused with a reason where it would harm recognition."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.contracts.messages import Quality
from engine.contracts.recording import shown
from engine.decode.still import read_content, read_still
from engine.detect.detector import Detector
from engine.detect.second_look import SecondLook
from engine.enrolment.judge import EnrolLimits, check_quality
from engine.enrolment.likeness import doubt_about
from engine.enrolment.portrait import find_portrait
from engine.errors import EnrolmentRefused, GalleryError, InferenceError, PictureError, UsageError
from engine.verify.embedder import Embedder
from engine.verify.gallery import Gallery
from engine.verify.person_name import person_name


@dataclass(frozen=True, slots=True)
class EnrolResult:
    """What became of one picture."""

    path: Path
    outcome: Literal["enrolled", "duplicate", "refused"]
    reason: str
    """One sentence; empty where it was enrolled and nothing is to be said."""
    quality: Quality | None = None
    """Of its face; None where none was found or it was not looked for."""
    turned_degrees: int = 0
    """By how much the picture was turned counter-clockwise, to have the face upright: 0, 90, 180 or 270."""
    doubt: str = ""
    """What spoke against it; it was enrolled all the same if ``force`` said so."""
    pages: int = 1
    """Pictures in the file, of which the first was taken."""


def enrol_pictures(
    name: str,
    paths: Sequence[Path],
    detector: Detector,
    embedder: Embedder,
    gallery: Gallery,
    limits: EnrolLimits | None = None,
    force: bool = False,
    second_look: SecondLook | None = None,
) -> list[EnrolResult]:
    """Enrol every picture that qualifies; one that does not never stops the others.

    Args:
        name: who it is, see ``person_name``.
        paths: picture files, see ``read_still``.
        detector: finds the face.
        embedder: makes the vector; the gallery compares it with vectors of this embedder only.
        gallery: open for writing.
        limits: the defaults if None.
        force: enrol also what looks like somebody else; the gallery keeps the reason. All other refusals stand.
        second_look: says whether what the detector found is a face; None: it is believed.

    Raises:
        UsageError: the name cannot be one, or there are no pictures.
        GalleryError: the gallery cannot be written.
        MissingRuntimeError: a picture needs a reader that is not installed.
    """
    name = person_name(name)
    if not paths:
        raise UsageError(f"no picture to enrol for {name}: give at least one image file")
    enrolment = _Enrolment(name, detector, embedder, gallery, limits or EnrolLimits(), force, second_look)
    return [enrolment.enrol(path) for path in paths]


@dataclass(frozen=True, slots=True)
class _Enrolment:
    """The pictures of one person on their way into the gallery."""

    name: str
    detector: Detector
    embedder: Embedder
    gallery: Gallery
    limits: EnrolLimits
    force: bool
    second_look: SecondLook | None

    def enrol(self, path: Path) -> EnrolResult:
        result = EnrolResult(path, "refused", "")
        try:
            content = read_content(path)
            digest = hashlib.sha256(content).hexdigest()
            holder = self.gallery.holder(digest, self.embedder.sha256)
            if holder and holder.identity == self.name and holder.runtime:
                reason = f"{path} is enrolled for {self.name} already: nothing to do"
                return replace(result, outcome="duplicate", reason=reason)
            if holder and holder.identity != self.name:
                raise EnrolmentRefused(
                    f"{path} is enrolled for {holder.identity}: remove {holder.identity} first if it shows {self.name}"
                )
            still = read_still(path, content)
            result = replace(result, pages=still.pages)
            portrait = find_portrait(path, still.bgr, self.detector, self.second_look)
            result = replace(result, quality=portrait.quality, turned_degrees=portrait.turned_degrees)
            check_quality(path, portrait.quality, self.limits)
            vector = self.embedder.embed([portrait.bgr], [portrait.landmarks])[0]
            doubt = doubt_about(self.name, vector, self.embedder, self.gallery)
            result = replace(result, doubt=doubt)
            if doubt and not self.force:
                raise EnrolmentRefused(f"the face in {path} {doubt}: add --force if it is {self.name}")
        except (EnrolmentRefused, InferenceError, PictureError) as refusal:
            return replace(result, reason=str(refusal))
        try:
            self.gallery.add(
                self.name,
                vector,
                embedder=self.embedder.name,
                embedder_sha256=self.embedder.sha256,
                runtime=self.embedder.runtime,
                source_name=shown(Path(path.name)),
                picture_sha256=digest,
                quality=portrait.quality.score,
                doubt=doubt,
            )
        except GalleryError:
            if self.gallery.holder(digest, self.embedder.sha256) == holder:
                raise
            return self.enrol(path)  # another process was first: it is looked at again
        return replace(result, outcome="enrolled", reason=_remark(path, result))


def _remark(path: Path, result: EnrolResult) -> str:
    """Return what is to be said of a picture that was enrolled; usually nothing."""
    remarks = []
    if result.pages > 1:
        remarks.append(f"the first of its {result.pages} pictures was taken")
    if result.turned_degrees:
        remarks.append(f"was turned by {result.turned_degrees}°")
    if result.doubt:
        remarks.append(f"was enrolled although the face {result.doubt}")
    return f"{path}: {', '.join(remarks)}" if remarks else ""

"""Enrolment: pictures of one person into the gallery, each refused with a reason where it would harm recognition."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.contracts.findings import Quality
from engine.contracts.frames import Float32
from engine.decode.still import read_content, read_still
from engine.detect.detector import Detector
from engine.detect.second_look import SecondLook
from engine.enrolment.detail import detail_doubt
from engine.enrolment.judge import EnrolLimits, check_quality
from engine.enrolment.likeness import doubt_about, typical_first
from engine.enrolment.portrait import find_portrait
from engine.errors import EnrolmentRefused, GalleryError, InferenceError, PictureError, UsageError
from engine.marking import enhanced_before
from engine.pictures.face_jpeg import face_jpeg
from engine.verify.copies import both_ways, copy_cosine
from engine.verify.embedder import Embedder
from engine.verify.gallery.person_name import person_name
from engine.verify.gallery.records import Enrolled
from engine.verify.gallery.store import GalleryWriter
from engine.words.text import readable

_PORTRAIT_PX, _PORTRAIT_QUALITY = 160, 80
"""Of what is kept of a picture that is set apart: enough to decide by, some 6 kB."""


@dataclass(frozen=True, slots=True)
class EnrolResult:
    """What became of one picture."""

    path: Path
    outcome: Literal["enrolled", "duplicate", "quarantined", "refused"]
    """Quarantined: it is in the gallery's file, and nobody is compared with it until it is released."""
    reason: str
    """One sentence; empty where it was enrolled and nothing is to be said."""
    remedy: str = ""
    """The command that enrols it all the same, with its condition; empty where there is none."""
    quality: Quality | None = None
    """Of its face; None where none was found or it was not looked for."""
    turned_degrees: int = 0
    """By how much the picture was turned counter-clockwise, to have the face upright: 0, 90, 180 or 270."""
    doubt: str = ""
    """What speaks against it; it was enrolled all the same if ``force`` said so, and else set apart."""
    pages: int = 1
    """Pictures in the file, of which the first was taken."""
    remarks: tuple[str, ...] = ()
    """What the file has and the picture has not, see ``Still``; usually nothing."""

    @property
    def sentence(self) -> str:
        """What became of it, and what may be done about it."""
        return "; ".join(filter(None, (self.reason, self.remedy)))


def enrol_pictures(
    name: str,
    paths: Sequence[Path],
    detector: Detector,
    embedder: Embedder,
    gallery: GalleryWriter,
    limits: EnrolLimits | None = None,
    force: bool = False,
    second_look: SecondLook | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> list[EnrolResult]:
    """Enrol every picture that qualifies; one that does not never stops the others.

    What goes with the others comes first: of pictures that are given together, one that is unlike them is set apart wherever it
    stands among them.

    Args:
        name: who it is, see ``person_name``.
        paths: picture files, see ``read_still``.
        detector: finds the face.
        embedder: makes the vector; the gallery compares it with vectors of this embedder only.
        gallery: open for writing.
        limits: the defaults if None.
        force: enrol also what is set apart otherwise, as it looks like somebody else or unlike the person's other pictures,
            shows too little detail or blocks, or was enhanced by a machine; the gallery keeps the reason. All refusals stand.
        second_look: says whether what the detector found is a face; None: it is believed.
        progress: called with the share of the pictures that were looked at, 0 to 1; until it is 1 nothing is written.

    Raises:
        UsageError: the name cannot be one, or there are no pictures.
        GalleryError: the gallery cannot be written.
        MissingRuntimeError: a picture needs a reader that is not installed.
    """
    name = person_name(name)
    if not paths:
        raise UsageError(f"no picture to enrol for {name}: give at least one image file")
    enrolment = _Enrolment(name, detector, embedder, gallery, limits or EnrolLimits(), force, second_look)
    looks = []
    for path in paths:
        looks.append(enrolment.look(path))
        progress(len(looks) / len(paths))
    results = {place: enrolment.judge(looks[place]) for place in typical_first([look.vector for look in looks])}
    return [results[place] for place in range(len(looks))]


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What was seen of one picture."""

    result: EnrolResult
    """``refused`` with a reason, or ``enrolled`` and that is to be seen."""
    digest: str = ""
    holder: Enrolled | None = None
    vector: Float32 | None = None
    """None: nothing more is to be done."""
    mirrored: Float32 | None = None
    """The same of the mirrored face."""
    doubt: str = ""
    """What speaks against it by itself."""
    portrait: bytes = b""
    """The face as a small JPEG."""


@dataclass(frozen=True, slots=True)
class _Enrolment:
    """The pictures of one person on their way into the gallery."""

    name: str
    detector: Detector
    embedder: Embedder
    gallery: GalleryWriter
    limits: EnrolLimits
    force: bool
    second_look: SecondLook | None

    def look(self, path: Path) -> _Look:
        """Look for the face of a picture; nothing is written."""
        result = EnrolResult(path, "refused", "")
        try:
            content = read_content(path)
            digest = hashlib.sha256(content).hexdigest()
            holder = self.gallery.holder(digest, self.embedder.sha256)
            if holder and holder.identity == self.name and holder.runtime:
                reason = f"{path} is enrolled for {self.name} already: nothing to do"
                return _Look(replace(result, outcome="duplicate", reason=reason))
            if holder and holder.identity != self.name:
                remove = _remove_command(holder.identity, digest)
                raise EnrolmentRefused(f"{path} is enrolled for {holder.identity}: if it shows {self.name}, run {remove} first")
            still = read_still(path, content)
            result = replace(result, pages=still.pages, remarks=still.remarks)
            portrait = find_portrait(path, still.bgr, self.detector, self.second_look)
            result = replace(result, quality=portrait.quality, turned_degrees=portrait.turned_degrees)
            check_quality(path, portrait.quality, self.limits)
            vector, mirrored = both_ways(portrait.bgr, portrait.landmarks, self.embedder)
            how = enhanced_before(content, still.bgr)
            doubt = f"is perhaps made up ({how})" if how else detail_doubt(portrait, self.limits)
        except (EnrolmentRefused, InferenceError, PictureError) as refusal:
            return _Look(replace(result, reason="; ".join([str(refusal), *result.remarks])))
        small = face_jpeg(portrait.bgr, portrait.box, _PORTRAIT_PX, _PORTRAIT_QUALITY)
        return _Look(replace(result, outcome="enrolled"), digest, holder, vector, mirrored, doubt, small)

    def judge(self, look: _Look) -> EnrolResult:
        """Write a picture into the gallery, or set it apart."""
        if look.vector is None or look.mirrored is None or look.result.quality is None:
            return look.result
        people = self.gallery.snapshot(self.embedder.sha256)
        path, doubt = look.result.path, look.doubt or doubt_about(self.name, look.vector, self.embedder, people)
        copied = None if look.holder else copy_cosine(self.name, (look.vector, look.mirrored), people)
        result = replace(look.result, doubt=doubt)
        apart = bool(doubt) and not self.force
        try:
            self.gallery.add(
                self.name,
                look.vector,
                embedder=self.embedder.name,
                embedder_sha256=self.embedder.sha256,
                runtime=self.embedder.runtime,
                source_name=readable(Path(path.name)),
                picture_sha256=look.digest,
                quality=look.result.quality.score,
                doubt=doubt,
                apart=apart,
                portrait=look.portrait if apart else b"",
            )
        except GalleryError:
            if self.gallery.holder(look.digest, self.embedder.sha256) == look.holder:
                raise
            return self.judge(self.look(path))  # it is there by now, from this list or another process: it is looked at again
        remarks = _remarks(result)
        if not apart:
            remarks += [f"it was enrolled although the face {doubt}"] if doubt else []
            remarks += [self._copy_words(copied, look.digest)] if copied is not None else []
            return replace(result, reason=f"{path}: {'; '.join(remarks)}" if remarks else "")
        done = f" ({'; '.join(remarks)})" if remarks else ""
        till_then = "its vector of an earlier version stays enrolled" if look.holder else "nobody is compared with it"
        reason = f"the face in {path}{done} {doubt}: it is set apart, and {till_then}"
        release = f"facestream gallery release {look.digest[:8]} --name {shlex.quote(self.name)}"
        return replace(result, outcome="quarantined", reason=reason, remedy=f"if it is {self.name}, `{release}`")

    def _copy_words(self, cosine: float, digest: str) -> str:
        return (
            f"it is as much like another picture of {self.name} as a copy would be (cosine {cosine:.3f}): if it is one, "
            f"resized, cropped or mirrored, it adds nothing, and {_remove_command(self.name, digest)} takes it out"
        )


def _remove_command(name: str, digest: str) -> str:
    return f"`facestream gallery remove {shlex.quote(name)} --picture {digest[:8]}`"


def _remarks(result: EnrolResult) -> list[str]:
    """Return what is to be said of a picture that shows a face; usually nothing."""
    turned = [f"it was turned by {result.turned_degrees}°"] if result.turned_degrees else []
    return [*turned, *result.remarks]

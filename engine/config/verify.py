"""Who is it: the section ``verify``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.config.section import Device, Positive, Section
from engine.contracts.gallery import GalleryPlace


class VerifyConfig(Section, frozen=True):
    """Who is it: embedder, gallery and thresholds."""

    embedder: str = "dlib"
    """``dlib``, ``insightface:PACK``, the path of an ArcFace-style ONNX file, or ``none``."""
    gallery: str = ""
    """Path of the gallery, or ``postgresql://USER@HOST/NAME``, which several machines share; empty: the user's own, see
    ``facestream gallery list``."""
    gallery_key_file: str = ""
    """File with the key of a gallery that is encrypted, see ``facestream gallery encrypt``; empty: it is not."""
    gallery_max_age: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    """Seconds: while the database of a gallery is away longer, nobody is given a name. 0: names are those that this machine
    keeps, however old they are; that is said."""
    device: Device = "cpu"
    """As of ``detect``."""
    false_name_rate: Annotated[float, msgspec.Meta(gt=0.0, le=0.5)] = 0.001
    """Share of strangers' tracks that may get a name at most, in 95 of 100 galleries of whatever size; for embedders of which
    it was measured what strangers reach, see ``facestream doctor``."""
    known_cosine: Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)] | None = None
    """At least this: known, whatever ``false_name_rate`` says. None: the embedder's own, where cosines decide."""
    unknown_cosine: Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)] | None = None
    """Below this: unknown; between the two: undecided. Either of the two makes cosines decide."""
    target_fmr: Annotated[float, msgspec.Meta(gt=0.0, le=0.1)] | None = None
    """Decide by a false match rate instead: share of the comparisons of a track with another person's picture that may pass. It
    counts comparisons, not strangers: with 200 pictures enrolled a stranger has 200. None: ``false_name_rate`` decides."""
    prior: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None
    """How probable it is, before a face is looked at, that it is of somebody enrolled, each of them as likely as the others.
    None: candidates have likelihood ratios, but no probability."""
    min_faces: Positive = 2
    """Faces of a track that a decision needs at least: up to 24, more are not kept."""
    max_candidates: Positive = 5
    """How many people a face or track is reported to resemble at most, best first."""
    enhanced_scores: bool = True
    """Where somebody is enrolled also embed the enhanced crop; the decision never rests on it."""

    @property
    def gallery_place(self) -> GalleryPlace:
        """Where the gallery is, and what opens it."""
        return GalleryPlace(self.gallery, self.gallery_key_file)

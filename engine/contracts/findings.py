"""What is found out about a face or a track: how good it is, whom it resembles, and why it was decided so."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Decision = Literal["known", "unknown", "undecided", "none"]
Finite = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""A number of which sums and squares are numbers, too."""
PowerOfTen = Annotated[float, msgspec.Meta(ge=-300.0, le=300.0)]
"""As far as numbers reach that can be told."""
Lack = Literal["", "faces", "size", "likeness", "margin"]
"""Too few faces, too small ones, nobody resembles them enough, or two people do nearly as well."""


class Quality(msgspec.Struct, frozen=True):
    """How good one crop of a face is; numbers but ``size_px`` and ``qp`` are 0 (useless) to 1 (good)."""

    size_px: Finite
    """Geometric mean of the face box's sides, in pixels of the picture that it was cut from."""
    sharpness: Finite
    frontal: Finite
    """1 looks into the camera, 0 is a full profile; 0.5 if there are no landmarks."""
    score: Finite
    """All of them in one number. Together with the size and the vector it determines the weight of the face in the fusion over
    its track."""
    damaged: bool = False
    """The decoder had to make up parts of the picture: the lowest score of all."""
    qp: Finite | None = None
    """How strongly the picture was compressed under the face: mean of the quantisation parameter, 0 (lossless) to 51 on the
    scale of H.264 and H.265; None if it is not known. It is not part of ``score``."""
    qp_of_picture: bool = False
    """``qp`` is the whole picture's (H.265), from which the encoder may depart under the face, mostly downwards."""


class Enhanced(msgspec.Struct, frozen=True):
    """What super-resolution did."""

    model: str
    scale: int
    lr_consistency_db: float
    """PSNR between the enhanced crop, reduced to the original's size, and the original's luma."""
    strength: float = 1.0
    """0 is bicubic, 1 the generator's whole residual."""


class Candidate(msgspec.Struct, frozen=True):
    """One enrolled person compared with a face or a track; best first, by the chance of a false name if there is one."""

    identity: str
    cosine_original: Finite
    """-1 to 1; decisions rest on this one."""
    cosine_enhanced: Finite | None = None
    """The same after super-resolution: for a face of its enhanced crop; for a track of its ``picture`` or, in a message
    without one, of its fused enhanced crops. It may confirm, but never creates a match alone. None if there is no enhanced
    picture, and for crops that came before anybody was enrolled."""
    probability: Finite | None = None
    """How probable it is that it is this person; None if the configuration states no ``verify.prior``."""
    false_name_chance: Finite | None = None
    """How often at most strangers with a face of this size look so much like anybody in the gallery, in 95 of 100 galleries as
    large; ``known`` needs at most ``verify.false_name_rate``. None if that was not measured for the embedder, or cosines
    decide."""
    log10_lr: PowerOfTen | None = None
    """Likelihood ratio, as a power of ten: how much more probable such a likeness is if it is this person than if it is
    somebody else, bounded by what the people behind the calibration can show. Above 0 it speaks for, below against; relatives
    and twins were not measured. None if it was not calibrated for the embedder, or for such faces."""


class Basis(msgspec.Struct, frozen=True):
    """Why a track was decided so: what its faces gave, beside what the decision needs. The likeness is the best candidate's:
    ``false_name_chance`` if chances decide, ``cosine_original`` if cosines do. If a false match rate decides (``target_fmr``),
    it is a resemblance that is not sent, and the resemblance needed depends on the ``bucket``."""

    faces: int
    """Faces that the decision rests on."""
    faces_needed: int
    """Faces needed for any decision; for a name so many must show somebody."""
    size_px: float
    """Mean of ``Quality.size_px``, weighted as the faces are in the fusion."""
    size_needed_px: float | None
    """If chances decide: smaller faces hardly ever get a name with the present gallery; None: no size would do. If cosines
    decide: smaller faces are never ``unknown``."""
    quality: float
    """Mean of ``Quality.score``."""
    margin: float | None
    """How much more the best candidate resembles than the next one, as a cosine; None if there is no other."""
    margin_needed: float
    """If chances decide: only against a candidate who would get the name too."""
    false_name_rate: float | None = None
    """If chances decide: the highest ``false_name_chance`` that gets a name."""
    known_cosine: float | None = None
    """If cosines decide: the lowest that is ``known``."""
    unknown_cosine: float | None = None
    """If cosines decide: anything below is ``unknown``."""
    missing: str = ""
    """What kept the track from being ``known``, or at least ``unknown``: a ``Lack``, or a new one of a later version."""
    persons: int = 1
    """People whom the faces of the track show; with 2 or more, the decision is about the one seen at the most moments."""
    nobody: int = 0
    """Those of ``moments`` whose face is too bad to recognise anybody. They count little, and not towards ``faces_needed``."""
    moments: int | None = None
    """Distinct moments that the decision rests on: faces that look alike within 0.3 s are one. None: not stated (an earlier
    version)."""
    calibration: str | None = None
    """The calibration ``log10_lr`` comes from: the first 12 hex digits of the SHA-256 of its file. None: there is no ratio."""
    bucket: str | None = None
    """The faces among which it was calibrated, such as ``28-40 px, several faces``: several means ``moments`` above 1."""
    log10_lr_bounds: tuple[PowerOfTen, PowerOfTen] | None = None
    """The lowest and highest ``log10_lr`` that the people behind it can show: a value at a bound may be beyond it."""
    target_fmr: float | None = None
    """If a false match rate decides: the share of comparisons with another person's picture that would pass."""

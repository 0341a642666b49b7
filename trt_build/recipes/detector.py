"""The recipe of a detector: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

import zlib
from typing import Annotated

import msgspec

from engine.sessions.precision import Precision
from trt_build.recipes.fields import Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class NetworkSpec(Spec, frozen=True):
    """Options of ``GreyDetector``."""

    stem: tuple[int, int] = (8, 24)
    widths: tuple[int, int, int] = (48, 64, 96)
    depths: tuple[int, int, int] = (3, 4, 4)
    neck: int = 48
    head: int = 1
    early: int = 0
    early_width: int = 0


class ClipsSpec(Spec, frozen=True):
    """A zip of clips; validation clips are never used for training, neither as clips nor as pictures of the same source."""

    archive: str = ""
    frames_per_clip: Positive = 8
    validation_share: Share = 0.34
    validation_clips: tuple[str, ...] = ()
    """Names of files that are always kept apart for validation."""
    looked_at: str = ""
    """A table (file, x, y, w, h, is) of inspected boxes in the training clips: a ``face``, ``doubtful``, or ``none``; a file is
    a clip and a frame number, ``CLIP#FRAME``.
    """
    looked_at_apart: str = ""
    """Such a table for the validation clips."""

    def keeps_apart(self, clip: str) -> bool:
        """Tell whether a clip (a file name) is for validation: those that are named, and a share of all others."""
        return clip in self.validation_clips or zlib.crc32(clip.encode()) % 100 < 100 * self.validation_share


class MaterialSpec(Spec, frozen=True):
    """Sources of scenes. Whole clips are kept apart: no clip may be in both lists."""

    teacher: str
    """A YuNet-format ONNX file, which labels grey pixels."""
    faces: str
    validation_faces: str
    """Zips or folders of square grey faces, of different people."""
    backgrounds: str
    """A zip or folder of photographs; those in which the teacher sees a face are used like frames of footage."""
    footage: tuple[str, ...]
    validation_footage: tuple[str, ...]
    pictures: str = ""
    negatives: str = ""
    """Zips of real pictures, with faces and without, as ``read_pictures`` takes them."""
    no_faces: str = ""
    """A table (file, x, y, w, h) of inspected boxes in ``pictures`` that are not faces, whatever the teacher says."""
    looked_at: str = ""
    """A table (file, x, y, w, h, is) of inspected boxes in ``pictures`` and ``negatives``: a ``face``, ``doubtful``, or
    ``none``, whatever the teacher says.
    """
    clips: ClipsSpec = ClipsSpec()
    """Clips of cameras, with and without faces."""
    validation_sources: tuple[str, ...] = ()
    """Prefixes of sources (repository and path) that are kept apart completely, in addition to a tenth of all others."""
    frames_per_clip: Positive = 60
    validation_backgrounds: Positive = 20
    """One photograph in this many is kept apart."""

    def __post_init__(self) -> None:
        if twice := set(self.footage) & set(self.validation_footage):
            raise ValueError(f"{', '.join(sorted(twice))} is in footage and in validation_footage")


class SceneSpec(Spec, frozen=True):
    """How training pictures are made."""

    side_px: Annotated[int, msgspec.Meta(ge=64, multiple_of=32)] = 320
    faces: int = 8
    """Most faces in a scene."""
    smallest_px: float = 8.0
    largest_px: float = 260.0
    """Width of a face, drawn log-uniformly between the smallest and the scene's largest, which is drawn the same way."""
    usual_px: float = 0.0
    """Most faces of real pictures get a width between the smallest and this one; 0: no size is preferred."""
    pictures: Share = 0.0
    """Share of windows of real pictures with faces."""
    real: Share = 0.35
    """Share of footage frames; the remainder is composed."""
    clips: Share = 0.0
    """Share of windows of frames of clips with faces."""
    negatives: Share = 0.0
    """Share of windows of pictures without a face."""
    hard: Share = 0.4
    """Share of the windows without and with faces that are placed around a known false alarm or missed face."""
    overlays: Share = 0.0
    """Share of the windows with overlaid text, digits or logos."""
    covers: Share = 0.0
    """Share of the faces in windows that get a mask, a cap, glasses, a hand or a phone."""

    def __post_init__(self) -> None:
        if self.pictures + self.clips + self.real + self.negatives > 1:
            raise ValueError("pictures, clips, real and negatives must be shares of one whole")
        if not 0 < self.smallest_px <= self.largest_px:
            raise ValueError("smallest_px and largest_px must be in order, and above 0")


class DetectorLossSpec(Spec, frozen=True):
    """Weights of the parts of the loss."""

    score: float = 2.0
    box: float = 1.5
    points: float = 0.5
    late_points: float = 4.0
    """Weights from the share ``late_from`` of the budget on."""
    late_from: Share = 0.7


class DistilSpec(Spec, frozen=True):
    """Distillation from the teacher's features, on every training picture."""

    features: float = 0.0
    """Weight of the similarity of the last features, of which there must be as many as the teacher has; falls to 0 ..."""
    until: Share = 0.7
    """... at this share of the budget."""
    soft: float = 0.0
    """Weight of the teacher's scores in cells that the labels ignore."""

    @property
    def asked(self) -> bool:
        """Whether the teacher must run on each picture."""
        return self.features > 0 or self.soft > 0


class MiningSpec(Spec, frozen=True):
    """Mining of false alarms and missed faces during training."""

    every_minutes: float = 6.0
    pictures: Positive = 300
    """Number of pictures examined each time."""
    negatives: Share = 0.0
    faces: Share = 0.0
    clips: Share = 0.0
    """Shares of real pictures without faces and with faces, and of clip frames; the rest are backgrounds and textures."""
    keep: Positive = 2000
    min_score: float = 0.3
    missed_score: Share = 0.0
    """A face with a lower score counts as missed; 0: missed faces are not mined."""


class DetectorRecipe(TimedRecipe, frozen=True, kw_only=True):
    """All settings of one training run."""

    material: MaterialSpec
    network: NetworkSpec = NetworkSpec()
    start: str = ""
    """ONNX file of an earlier network, not larger than this one, from whose weights training starts."""
    scene: SceneSpec = SceneSpec()
    optimiser: OptimiserSpec = OptimiserSpec(rate=3e-3, ema_decay=0.998, weight_decay=1e-4, clip_norm=10.0)
    loss: DetectorLossSpec = DetectorLossSpec()
    distil: DistilSpec = DistilSpec()
    mining: MiningSpec = MiningSpec()
    precision: Precision = "float32"
    """Precision of a training step; bfloat16 works everywhere, but pays only on a GPU or CPU that supports it."""
    validate_every_minutes: float = 8.0

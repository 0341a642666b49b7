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
    """A zip of clips; those of validation are never learnt, neither as clips nor as pictures of the same source."""

    archive: str = ""
    frames_per_clip: Positive = 8
    validation_share: Share = 0.34
    validation_clips: tuple[str, ...] = ()
    """Names of files that are kept apart whatever the share."""
    looked_at: str = ""
    """A table (file, x, y, w, h, is) of boxes that were looked at: a ``face``, ``doubtful``, or ``none``; a file is a clip and
    the number of a frame, ``CLIP#FRAME``. Of the clips to learn from alone."""
    looked_at_apart: str = ""
    """Such a table of the clips of validation."""

    def keeps_apart(self, clip: str) -> bool:
        """Tell whether a clip (name of a file) is for validation: those that are named, and a share of all others."""
        return clip in self.validation_clips or zlib.crc32(clip.encode()) % 100 < 100 * self.validation_share


class MaterialSpec(Spec, frozen=True):
    """Where scenes come from. Whole clips are kept apart: none may stand in both lists."""

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
    """A table (file, x, y, w, h) of boxes in ``pictures`` that were looked at and are no faces, whatever the teacher says."""
    looked_at: str = ""
    """A table (file, x, y, w, h, is) of boxes in both that were looked at: a ``face``, ``doubtful``, or ``none``, whatever the
    teacher says."""
    clips: ClipsSpec = ClipsSpec()
    """Clips of cameras, with and without faces."""
    validation_sources: tuple[str, ...] = ()
    """Beginnings of the sources (repository and path) of those that are kept apart whole, beside a tenth of all others."""
    frames_per_clip: Positive = 60
    validation_backgrounds: Positive = 20
    """Photographs kept apart, every so-manieth."""

    def __post_init__(self) -> None:
        if twice := set(self.footage) & set(self.validation_footage):
            raise ValueError(f"{', '.join(sorted(twice))} is in footage and in validation_footage")


class SceneSpec(Spec, frozen=True):
    """How a training picture is made."""

    side_px: Annotated[int, msgspec.Meta(ge=64, multiple_of=32)] = 320
    faces: int = 8
    """At most."""
    smallest_px: float = 8.0
    largest_px: float = 260.0
    """Width of a face, drawn log-uniformly between the smallest and the scene's largest, which is drawn the same way."""
    usual_px: float = 0.0
    """Most faces of real pictures are drawn between the smallest and this width; 0: no size is preferred."""
    pictures: Share = 0.0
    """Share of windows of real pictures with faces."""
    real: Share = 0.35
    """Share of footage frames; what is left is composed."""
    clips: Share = 0.0
    """Share of windows of frames of clips with faces."""
    negatives: Share = 0.0
    """Share of windows of pictures without a face."""
    hard: Share = 0.4
    """Of these, and as many of the windows with faces, once there are some: those about a false alarm or a missed face."""
    overlays: Share = 0.0
    """Share of the windows with text, digits or logos on them."""
    covers: Share = 0.0
    """Share of the faces in windows that get a mask, a cap, glasses, a hand or a phone."""

    def __post_init__(self) -> None:
        if self.pictures + self.clips + self.real + self.negatives > 1:
            raise ValueError("pictures, clips, real and negatives must be shares of one whole")
        if not 0 < self.smallest_px <= self.largest_px:
            raise ValueError("smallest_px and largest_px must be in order, and above 0")


class DetectorLossSpec(Spec, frozen=True):
    """Weights of the parts."""

    score: float = 2.0
    box: float = 1.5
    points: float = 0.5
    late_points: float = 4.0
    """From ``late_from`` of the budget on."""
    late_from: Share = 0.7


class DistilSpec(Spec, frozen=True):
    """What is learnt from the inside of the teacher, on every training picture."""

    features: float = 0.0
    """Weight of the likeness of the features before the outputs, which must be as many as the teacher's; falls to 0 ..."""
    until: Share = 0.7
    """... at this share of the budget."""
    soft: float = 0.0
    """Weight of the teacher's scores where the labels say nothing."""

    @property
    def asked(self) -> bool:
        """The teacher has to look at each picture."""
        return self.features > 0 or self.soft > 0


class MiningSpec(Spec, frozen=True):
    """False alarms and missed faces are looked for while training."""

    every_minutes: float = 6.0
    pictures: Positive = 300
    """Looked at each time."""
    negatives: Share = 0.0
    faces: Share = 0.0
    clips: Share = 0.0
    """Shares of real pictures without and with faces, and of frames of clips; the rest are backgrounds and textures."""
    keep: Positive = 2000
    min_score: float = 0.3
    missed_score: Share = 0.0
    """A face that is found with less is missed; 0: none is looked for."""


class DetectorRecipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that one training run needs."""

    material: MaterialSpec
    network: NetworkSpec = NetworkSpec()
    start: str = ""
    """The ONNX file of an earlier, not larger one, whose weights the network begins with."""
    scene: SceneSpec = SceneSpec()
    optimiser: OptimiserSpec = OptimiserSpec(rate=3e-3, ema_decay=0.998, weight_decay=1e-4, clip_norm=10.0)
    loss: DetectorLossSpec = DetectorLossSpec()
    distil: DistilSpec = DistilSpec()
    mining: MiningSpec = MiningSpec()
    precision: Precision = "float32"
    """Of a training step; bfloat16 pays only on a GPU or a CPU that has it, and is computed on any."""
    validate_every_minutes: float = 8.0

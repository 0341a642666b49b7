"""The recipe of a network that makes one picture of the frames of a track."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.sessions.precision import Precision
from trt_build.recipes.fields import NotNegative, Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class ClipSpec(Spec, frozen=True):
    """Motion, camera and encoder of simulated clips."""

    frames: Annotated[int, msgspec.Meta(ge=9)] = 24
    """Number of frames of a clip, at 25 fps."""
    kept: Annotated[int, msgspec.Meta(ge=1)] = 8
    """Frames of a track, evenly spread over the clip; the first of them is the reference."""
    crf_min: int = 18
    crf_max: int = 35
    raw_share: Share = 0.3
    """Share of clips that are not encoded."""
    presets: tuple[str, ...] = ("ultrafast", "veryfast", "veryfast", "faster", "medium")
    groups: tuple[Positive, ...] = (12, 25, 50, 250)
    """Distance of key frames, in frames."""
    noise_max: float = 6.0
    """Largest noise in grey levels; most clips have less."""
    blur_share: Share = 0.35
    """Share of faces that are out of focus ..."""
    blur_max: float = 1.6
    """... by up to this sigma in pixels of the truth."""
    bending_share: Share = 0.3
    """Share of faces that turn or speak a little, which no affine map can follow."""
    exposure_share: Share = 0.2
    smear_share: Share = 0.15
    """Share of faces with motion blur in some frames."""

    def __post_init__(self) -> None:
        if not 0 <= self.crf_min <= self.crf_max <= 51:
            raise ValueError("crf_min and crf_max must be in order within 0 to 51")
        if self.kept > self.frames:
            raise ValueError("kept must not be above frames")


class TrackDataSpec(Spec, frozen=True):
    """Faces from which tracks are made."""

    train: str
    validation: str
    """Faces of other people."""
    sizes_px: tuple[Positive, ...] = (12, 16, 24, 32)
    passes: tuple[Positive, ...] = (2, 2, 2, 1)
    """Number of tracks made of each face, by size."""
    faces: NotNegative = 0
    """Most faces of `train`; 0: all."""
    validation_faces: Positive = 96
    validation_crfs: tuple[int, ...] = (23, 28)

    def __post_init__(self) -> None:
        if len(self.passes) != len(self.sizes_px):
            raise ValueError("passes must have one number for each of sizes_px")


class TrackDrawSpec(Spec, frozen=True):
    """How training samples are drawn."""

    frames: tuple[Positive, ...] = (8, 8, 8, 4, 4, 2, 1)
    """Numbers of frames in a sample; one is drawn for each batch."""
    pixels: Positive = 12288
    """Most low-resolution pixels of a batch over all its frames; `batch` is the most samples."""
    shift_px: float = 0.08
    """Error of registration, standard deviation in low-resolution pixels ..."""
    gross_share: Share = 0.015
    """... and share of frames with gross errors."""
    wrong_share: Share = 0.05
    """Share of samples with a frame of somebody else ..."""
    caught_share: Share = 0.7
    """... of which this share is recognised, and has weight 0."""
    weighed_share: Share = 0.2
    """Share of samples whose frames have unequal weights."""


class TrackNetworkSpec(Spec, frozen=True):
    """The network of `networks/track.py`."""

    start: str = "compact_fine_x4"
    """The single-frame generator from which it starts, and which it equals for one frame."""
    width: Positive = 32
    """Number of channels of the decoder."""
    blocks: Positive = 2


class TrackRecipe(TimedRecipe, frozen=True, kw_only=True):
    """All settings of one training run."""

    data: TrackDataSpec
    clips: ClipSpec = ClipSpec()
    draw: TrackDrawSpec = TrackDrawSpec()
    network: TrackNetworkSpec = TrackNetworkSpec()
    optimiser: OptimiserSpec = OptimiserSpec(method="soap", rate=1e-3, betas=(0.95, 0.95), clip_norm=0.5)
    encoder_rate: Share = 0.5
    """Learning rate of the initialised parts, as a share of that of the new parts."""
    frozen_steps: NotNegative = 300
    """Number of first steps in which the initialised parts are frozen."""
    pixel_weight: float = 2e-3
    """Weight of the negative PSNR in dB."""
    precision: Precision = "float32"
    """Precision of a training step; bfloat16 works everywhere, but pays only on a GPU or CPU that supports it."""
    validate_every_minutes: float = 5.0

"""The recipe of a network that makes one picture of the frames of a track."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.sessions.precision import Precision
from trt_build.recipes.fields import NotNegative, Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class ClipSpec(Spec, frozen=True):
    """How faces move in a simulated clip, and what the camera and the encoder do to them."""

    frames: Annotated[int, msgspec.Meta(ge=9)] = 24
    """Of a clip, at 25 a second."""
    kept: Annotated[int, msgspec.Meta(ge=1)] = 8
    """Frames of a track, evenly spread over the clip; the first of them is the reference."""
    crf_min: int = 18
    crf_max: int = 35
    raw_share: Share = 0.3
    """Share of clips that no encoder saw."""
    presets: tuple[str, ...] = ("ultrafast", "veryfast", "veryfast", "faster", "medium")
    groups: tuple[Positive, ...] = (12, 25, 50, 250)
    """Frames from one key frame to the next."""
    noise_max: float = 6.0
    """Levels; most clips have less."""
    blur_share: Share = 0.35
    """Of faces that are out of focus ..."""
    blur_max: float = 1.6
    """... by up to this sigma in pixels of the truth."""
    bending_share: Share = 0.3
    """Of faces that turn or speak a little, which no affine map follows."""
    exposure_share: Share = 0.2
    smear_share: Share = 0.15
    """Of faces of which some frames are blurred by motion."""

    def __post_init__(self) -> None:
        if not 0 <= self.crf_min <= self.crf_max <= 51:
            raise ValueError("crf_min and crf_max must be in order within 0 to 51")
        if self.kept > self.frames:
            raise ValueError("kept must not be above frames")


class TrackDataSpec(Spec, frozen=True):
    """Faces that are made tracks of."""

    train: str
    validation: str
    """Of other people."""
    sizes_px: tuple[Positive, ...] = (12, 16, 24, 32)
    passes: tuple[Positive, ...] = (2, 2, 2, 1)
    """How often each face is filmed, by size."""
    faces: NotNegative = 0
    """At most so many of `train`; all for 0."""
    validation_faces: Positive = 96
    validation_crfs: tuple[int, ...] = (23, 28)

    def __post_init__(self) -> None:
        if len(self.passes) != len(self.sizes_px):
            raise ValueError("passes must have one number for each of sizes_px")


class TrackDrawSpec(Spec, frozen=True):
    """What a training sample is made of."""

    frames: tuple[Positive, ...] = (8, 8, 8, 4, 4, 2, 1)
    """How many frames a sample has, one drawn for each batch."""
    pixels: Positive = 12288
    """Low-resolution pixels of a batch over all its frames; `batch` is the most samples."""
    shift_px: float = 0.08
    """Registration errs by so much, in low-resolution pixels (standard deviation) ..."""
    gross_share: Share = 0.015
    """... and in this share of frames grossly."""
    wrong_share: Share = 0.05
    """Of samples with a frame of somebody else ..."""
    caught_share: Share = 0.7
    """... of which so many were caught before, and come with a weight of 0."""
    weighed_share: Share = 0.2
    """Of samples whose frames have unequal weights."""


class TrackNetworkSpec(Spec, frozen=True):
    """The network of `networks/track.py`."""

    start: str = "compact_fine_x4"
    """The single-frame generator that it begins with, and is for one frame."""
    width: Positive = 32
    """Channels of the decoder."""
    blocks: Positive = 2


class TrackRecipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that one training run needs."""

    data: TrackDataSpec
    clips: ClipSpec = ClipSpec()
    draw: TrackDrawSpec = TrackDrawSpec()
    network: TrackNetworkSpec = TrackNetworkSpec()
    optimiser: OptimiserSpec = OptimiserSpec(method="soap", rate=1e-3, betas=(0.95, 0.95), clip_norm=0.5)
    encoder_rate: Share = 0.5
    """Learning rate of what is taken over, as a share of that of the new parts."""
    frozen_steps: NotNegative = 300
    """First steps, in which what is taken over stays as it is."""
    pixel_weight: float = 2e-3
    """Of the negative PSNR in dB."""
    precision: Precision = "float32"
    """Of a training step; bfloat16 pays only on a GPU or a CPU that has it, and is computed on any."""
    validate_every_minutes: float = 5.0

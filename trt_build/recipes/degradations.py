"""The degradations of faces in training."""

from __future__ import annotations

from typing import Annotated

import msgspec

from trt_build.recipes.fields import Positive, Share, Spec


class MixtureSpec(Spec, frozen=True):
    """Shares of the degradations in training; they are normalised to sum to 1."""

    clean: Share = 0.30
    first_order: Share = 0.40
    second_order: Share = 0.15
    h264: Share = 0.15
    learned: Share = 0.0

    def __post_init__(self) -> None:
        if self.simulated + self.h264 + self.learned <= 0:
            raise ValueError("at least one share must be above 0")

    @property
    def simulated(self) -> float:
        """Total share of the degradations made anew for each sample, at any size; the others come from banks."""
        return self.clean + self.first_order + self.second_order


class LateSpec(Spec, frozen=True):
    """Other shares from a step on, when the hard samples no longer help."""

    from_step: Positive
    mixture: MixtureSpec


class H264Spec(Spec, frozen=True):
    """The H.264 bank: how often and how strongly each face is compressed."""

    passes: Positive = 4
    frames: Annotated[int, msgspec.Meta(ge=6)] = 12
    crf_min: int = 23
    crf_max: int = 38
    noise_max: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.crf_min <= self.crf_max <= 51:
            raise ValueError("crf_min and crf_max must be in order within 0 to 51")


class LearnedSpec(Spec, frozen=True):
    """The bank of learned degradations, see ``trt_build.systems.redeg``."""

    checkpoint: str = ""
    """Checkpoint of DegNet and SynNet."""
    passes: Positive = 4
    """How often each face is degraded, each time like another real face."""
    noise_share: Share = 0.4
    """Share of pictures with a little added noise, so that the generator does not learn what SynNet hides in them."""
    noise_max: float = 4.0
    """Standard deviation of that noise, in grey levels."""

"""The recipe of a second look: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from engine.sessions.precision import Precision
from trt_build.recipes.fields import Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class CandidateSpec(Spec, frozen=True):
    """What the detector, asked at a low threshold, takes for a face."""

    detector: str
    """Its manifest."""
    min_score: Share = 0.15
    scales: tuple[float, ...] = (0.3, 0.5, 0.75, 1.0, 1.4)
    """Of real pictures, so that small faces are frequent."""
    validation_scales: tuple[float, ...] = (0.5, 1.0)
    scenes: Positive = 1500
    """Composed and cut as the detector's own training pictures."""
    overlays: Share = 0.5
    """Share of their windows with text, digits, logos or vests."""


class DrawSpec(Spec, frozen=True):
    """Shares of what a batch is made of; the rest are the detector's false alarms."""

    found: Share = 0.2
    """Faces that the detector found, with its boxes."""
    labelled: Share = 0.25
    """Faces by their labels, at any size."""
    elsewhere: Share = 0.1
    """Any place without a face."""
    smallest_px: float = 9.0
    largest_px: float = 72.0
    """Width of a labelled face in a training picture, drawn log-uniformly."""
    sure: Share = 0.4
    """Share of the false alarms that are drawn from those with the higher scores."""
    hard: Share = 0.0
    """Share of the candidates, faces and false alarms, that are drawn the oftener the more wrong the network was at first."""
    hard_from: Share = 0.25
    """Score of the detector below which nobody asks whether a candidate is hard."""


class SecondLookRecipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that one training run needs."""

    material: str
    """The detector's recipe, by name or path: its pictures and clips, and what is kept apart for validation."""
    candidates: CandidateSpec
    draw: DrawSpec = DrawSpec()
    widths: tuple[int, int, int] = (24, 40, 64)
    start: str = ""
    """An exported second look of these widths to begin as; empty: random numbers."""
    smoothing: Share = 0.02
    hardest: Share = 1.0
    """Share of each batch, that with the largest losses, from which is learnt."""
    places: float = 0.2
    """Weight of the places beside that of the decision."""
    optimiser: OptimiserSpec = OptimiserSpec(rate=2e-3, ema_decay=0.998, weight_decay=1e-2, clip_norm=5.0)
    precision: Precision = "float32"
    """Of a training step; bfloat16 pays only on a GPU or a CPU that has it, and is computed on any."""
    validate_every_minutes: float = 3.0

"""The recipe of a second look: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from engine.sessions.precision import Precision
from trt_build.recipes.fields import Positive, Share, Spec
from trt_build.recipes.timed import OptimiserSpec, TimedRecipe


class CandidateSpec(Spec, frozen=True):
    """Candidates: the detector's faces at a low threshold."""

    detector: str
    """Manifest of the detector."""
    min_score: Share = 0.15
    scales: tuple[float, ...] = (0.3, 0.5, 0.75, 1.0, 1.4)
    """Scales of real pictures, so that small faces are frequent."""
    validation_scales: tuple[float, ...] = (0.5, 1.0)
    scenes: Positive = 1500
    """Number of scenes, made like the detector's own training pictures."""
    overlays: Share = 0.5
    """Share of their windows with text, digits, logos, vests or wheels."""
    forgotten_from: Share = 0.0
    """Faceness by ``start`` from which a false alarm among people may be a face that nobody has labelled, and is left out;
    0: none is."""


class DrawSpec(Spec, frozen=True):
    """Composition of a batch; the rest are the detector's false alarms."""

    found: Share = 0.2
    """Share of faces found by the detector, with its boxes."""
    labelled: Share = 0.25
    """Share of labelled faces, at any size."""
    elsewhere: Share = 0.1
    """Share of random places without a face."""
    smallest_px: float = 9.0
    largest_px: float = 72.0
    """Width of a labelled face in a training picture, drawn log-uniformly."""
    sure: Share = 0.4
    """Share of the false alarms that are drawn from those with the higher scores."""
    hard: Share = 0.0
    """Share of the candidates, faces and false alarms, drawn in proportion to the initial network's error."""
    hard_from: Share = 0.25
    """Detector score below which candidates never count as hard."""


class SecondLookRecipe(TimedRecipe, frozen=True, kw_only=True):
    """All settings of one training run."""

    material: str
    """The detector's recipe, by name or path: its pictures and clips, and what is kept apart for validation."""
    candidates: CandidateSpec
    draw: DrawSpec = DrawSpec()
    widths: tuple[int, int, int] = (24, 40, 64)
    start: str = ""
    """Exported second look of the same widths from which training starts; empty: random weights."""
    smoothing: Share = 0.02
    hardest: Share = 1.0
    """Share of each batch, with the largest losses, that is used."""
    places: float = 0.2
    """Weight of the places relative to that of the decision."""
    optimiser: OptimiserSpec = OptimiserSpec(rate=2e-3, ema_decay=0.998, weight_decay=1e-2, clip_norm=5.0)
    precision: Precision = "float32"
    """Precision of a training step; bfloat16 works everywhere, but pays only on a GPU or CPU that supports it."""
    validate_every_minutes: float = 3.0

    def __post_init__(self) -> None:
        if self.candidates.forgotten_from and not self.start:
            raise ValueError("candidates.forgotten_from asks the network that start names: give both")

"""Options of all protocols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trt_build.measures.bootstrap import ROUNDS
from trt_build.protocols.generators.methods import BASE
from trt_build.protocols.generators.picture_scores import Perceptual


@dataclass(frozen=True)
class Options:
    """Options of one run."""

    seed: int
    cache: Path
    """Folder of cached face vectors."""
    rounds: int = ROUNDS
    against: str = BASE
    """The method that gains are over."""
    second_embedder: Path | None = None
    perceptual: Mapping[str, Perceptual] = field(default_factory=dict)
    """Distances of pictures, by the key of their column."""

"""Names by a false match rate: the share of comparisons with another person's picture that may pass."""

from __future__ import annotations

import msgspec
import numpy as np

from engine.config.verify import VerifyConfig
from engine.contracts.findings import Basis, Candidate, Decision
from engine.errors import ConfigError
from engine.models.catalog import embedded_dir
from engine.verify.evidence import Fusion
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.likelihood import Calibration, read_calibration
from engine.verify.naming import ByChance
from engine.verify.open_set import OpenSet
from engine.verify.scores import Thresholds

SEVERAL = 2
"""Least number of moments that a name usually rests on."""


class ByMatchRate(ByChance):
    """Gives a name if comparisons with other people's pictures pass as rarely as requested; otherwise like ``ByChance``.

    Args:
        measured: provides the crowd of the resemblance.
        thresholds: see ``ByChance``.
        calibration: says at which resemblance a rate holds.
        rate: largest share of the comparisons.
    """

    def __init__(self, measured: OpenSet, thresholds: Thresholds, calibration: Calibration, rate: float) -> None:
        super().__init__(measured, thresholds, rate)
        self._calibration, self._target = calibration, rate

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        pictures = max(pictures, 1)
        share = min(1000.0, 1000 * self._target * pictures)
        enrolled = f"with {pictures:,} pictures enrolled" if pictures != 1 else "with one picture enrolled"
        small = self.too_small_px(pictures)
        below = f"; faces below {small:.0f} px are too small to name" if small < float("inf") else "; no face is large enough"
        return (
            f"{1000 * self._target:g} in 1,000 comparisons with another person's picture pass; {enrolled} up to {share:.3g} in "
            f"1,000 strangers get a name{below}"
        )

    def compare(self, faces: Fusion, people: Snapshot, limit: int, min_faces: int) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        candidates, decision, basis = super().compare(faces, people, limit, min_faces)
        return candidates, decision, msgspec.structs.replace(basis, false_name_rate=None, target_fmr=self._target)

    def fits(self, resemblance: float, candidate: Candidate, faces: Fusion) -> bool:
        """See ``ByChance``."""
        return resemblance >= self._limit(faces.size_px, faces.moments)

    def too_small_px(self, pictures: int) -> float:
        """See ``ByChance``; the limit of one comparison does not depend on the gallery."""
        sizes = np.geomspace(self._measured.smallest_px, self._measured.sizes_px[-1], 200).tolist()
        named = [size for size in sizes if self._measured.best_own(size) >= self._limit(size, SEVERAL)]
        return min(named, default=float("inf"))

    def _limit(self, size_px: float, moments: int) -> float:
        bucket = self._calibration.bucket_of(size_px, moments)
        if bucket is None:
            return float("inf")
        return max(self._calibration.limit(bucket, self._target), self._measured.scene_limit(self._target))


def check_match_rate(config: VerifyConfig, calibration: Calibration | None = None) -> None:
    """Refuse a false match rate beside another way to decide, or one that the calibration cannot support.

    Args:
        config: its ``target_fmr`` is checked.
        calibration: of the open embedder; None: of the configured embedder, if it ships with facestream.

    Raises:
        ConfigError: the rate is refused.
        ModelError: a shipped file is damaged.
    """
    if config.target_fmr is None:
        return
    others = {
        "known_cosine": config.known_cosine is not None,
        "unknown_cosine": config.unknown_cosine is not None,
        "false_name_rate": config.false_name_rate != VerifyConfig().false_name_rate,
    }
    for name, is_set in others.items():
        if is_set:
            raise ConfigError(f"verify.target_fmr and verify.{name} both say who gets a name: leave one of them out")
    path = embedded_dir() / f"{config.embedder}_likelihood.npz"
    if calibration is None and path.is_file():
        calibration = read_calibration(path)
    if calibration is None:
        return
    if config.target_fmr > calibration.largest_rate:
        raise ConfigError(
            f"verify.target_fmr ({config.target_fmr:g}) is above the largest rate that the calibration has a resemblance for: "
            f"use {calibration.largest_rate:g} or less"
        )
    if config.target_fmr < calibration.smallest_rate:
        raise ConfigError(
            f"verify.target_fmr ({config.target_fmr:g}) is below what the {calibration.different:,} comparisons of two people "
            f"behind the calibration can show: use {calibration.smallest_rate:g} or more"
        )

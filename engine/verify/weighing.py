"""A rule whose candidates also have likelihood ratios, and probabilities where a prior is stated."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Basis, Candidate, Decision
from engine.contracts.frames import Float32
from engine.verify.evidence import Fusion
from engine.verify.likelihood import Bucket, Calibration, probabilities
from engine.verify.naming import Rule
from engine.verify.open_set import OpenSet
from engine.verify.scores import Thresholds
from engine.verify.snapshot import Snapshot


class Weighed:
    """Decides as another rule, and says what each comparison is worth.

    Args:
        rule: that decides.
        measured: whose crowd the resemblance is over.
        calibration: of the same embedder.
        prior: as ``verify.prior``.
    """

    def __init__(self, rule: Rule, measured: OpenSet, calibration: Calibration, prior: float | None) -> None:
        self.rule = rule
        self._measured, self._calibration, self._prior = measured, calibration, prior
        self._rows: tuple[list[str], dict[str, NDArray[np.int64]]] = ([], {})
        """Of a gallery that was seen before: the rows of each person."""

    @property
    def thresholds(self) -> Thresholds:
        """See ``Rule``."""
        return self.rule.thresholds

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        return self.rule.sentence(pictures)

    def compare(
        self, vector: Float32, enhanced: Float32 | None, faces: Fusion, people: Snapshot, limit: int, min_faces: int
    ) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        candidates, decision, basis = self.rule.compare(vector, enhanced, faces, people, limit, min_faces)
        bucket = self._calibration.bucket_of(faces.size_px, faces.faces)
        if bucket is None:
            return candidates, decision, basis
        rows = self._rows_of(people.names)
        wanted = rows if self._prior is not None else [one.identity for one in candidates]
        ratios = self._ratios(vector, people.matrix, {name: rows[name] for name in wanted}, bucket)
        likely = probabilities(ratios, self._prior) if self._prior is not None else {}
        weighed = [
            msgspec.structs.replace(one, log10_lr=ratios[one.identity], probability=likely.get(one.identity))
            for one in candidates
        ]
        why = msgspec.structs.replace(
            basis, calibration=self._calibration.id, bucket=bucket.words, log10_lr_bounds=(bucket.lowest, bucket.highest)
        )
        return weighed, decision, why

    def _ratios(self, vector: Float32, matrix: Float32, rows: dict[str, NDArray[np.int64]], bucket: Bucket) -> dict[str, float]:
        if not rows:
            return {}
        counts = np.array([len(own) for own in rows.values()])
        pictures = matrix[np.concatenate(list(rows.values()))]
        resemblances = self._measured.resemblance(vector, pictures, self._measured.crowding(pictures))
        best = np.maximum.reduceat(resemblances, np.concatenate([[0], np.cumsum(counts)[:-1]]))
        return dict(zip(rows, self._calibration.log10_ratio(best, bucket, counts).tolist(), strict=True))

    def _rows_of(self, names: list[str]) -> dict[str, NDArray[np.int64]]:
        if self._rows[0] is not names:
            self._rows = (names, _grouped(names))
        return self._rows[1]


def _grouped(names: Iterable[str]) -> dict[str, NDArray[np.int64]]:
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return {name: np.array(rows, np.int64) for name, rows in found.items()}

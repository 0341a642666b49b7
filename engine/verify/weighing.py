"""A rule that adds likelihood ratios to candidates, and probabilities if a prior is given."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Basis, Candidate, Decision
from engine.contracts.frames import Float32
from engine.verify.evidence import Fusion
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.likelihood import Bucket, Calibration, probabilities, told
from engine.verify.naming import Rule
from engine.verify.open_set import OpenSet
from engine.verify.scores import Thresholds


class Weighed:
    """Decides like another rule, and adds the weight of each comparison as evidence.

    Args:
        rule: the rule that decides.
        measured: provides the crowd of the resemblance.
        calibration: of the same embedder.
        prior: as ``verify.prior``.
    """

    def __init__(self, rule: Rule, measured: OpenSet, calibration: Calibration, prior: float | None) -> None:
        self.rule = rule
        self._measured, self._calibration, self._prior = measured, calibration, prior

    @property
    def thresholds(self) -> Thresholds:
        """See ``Rule``."""
        return self.rule.thresholds

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        return self.rule.sentence(pictures)

    def compare(self, faces: Fusion, people: Snapshot, limit: int, min_faces: int) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        candidates, decision, basis = self.rule.compare(faces, people, limit, min_faces)
        vector, bucket = faces.vector, self._calibration.bucket_of(faces.size_px, faces.moments)
        if bucket is None or vector is None:
            return candidates, decision, basis
        places = [place for one in candidates if (place := people.place(one.identity)) is not None]
        if self._prior is None:
            ratios, likely = self._ratios(vector, people, places, bucket), [None] * len(candidates)
        else:
            everyone = self._everyones_ratios(vector, people, bucket)
            ratios, likely = everyone[places], probabilities(everyone, self._prior)[places].tolist()
        weighed = [
            msgspec.structs.replace(one, log10_lr=told(ratio), probability=probability)
            for one, ratio, probability in zip(candidates, ratios.tolist(), likely, strict=True)
        ]
        why = msgspec.structs.replace(
            basis, calibration=self._calibration.id, bucket=bucket.words, log10_lr_bounds=bucket.bounds
        )
        return weighed, decision, why

    def _ratios(self, vector: Float32, people: Snapshot, places: Sequence[int], bucket: Bucket) -> NDArray[np.float64]:
        """Return the ratios of the people at some indices of the gallery."""
        own = [people.pictures_of(place, self._measured.crowd) for place in places]
        best = [float(self._measured.resemblance(vector, one.matrix, one.crowding).max()) for one in own]
        return self._calibration.log10_ratio(np.array(best), bucket, np.array([len(one.matrix) for one in own]))

    def _everyones_ratios(self, vector: Float32, people: Snapshot, bucket: Bucket) -> NDArray[np.float64]:
        crowding = people.crowding(self._measured.crowd)
        resemblances = self._measured.resemblance_at(people.cosines(vector), vector, crowding)
        return self._calibration.log10_ratio(people.persons.best(resemblances), bucket, people.persons.counts)

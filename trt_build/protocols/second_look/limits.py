"""Chooses the limits of a second look on candidates that it was not trained on, and measures it there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.detect.second_look import Faceness
from trt_build.systems.second_look.candidates import Candidates

_HARD_SCORE = 0.3
"""Detector score from which false alarms count: above its own threshold there are too few to choose by."""
_FACES_REFUSED, _FACES_NOT_ACCEPTED, _FACES_NOT_ALONE = 0.005, 0.15, 0.35
"""Largest shares of the faces at the detector's own threshold that the limits may cost ..."""
_ALARMS_ACCEPTED, _ALARMS_ALONE = 0.01, 0.003
"""... and shares of the false alarms that they may let pass if they cost less."""
BANDS = ((0.0, 16.0), (16.0, 24.0), (24.0, 48.0), (48.0, np.inf))


@dataclass(frozen=True)
class Judged:
    """Candidates with the network's verdicts."""

    faceness: Float32
    scores: Float32
    """(N,) scores of the detector."""
    widths: Float32
    """(N,) widths in pixels, as shown to the network."""
    is_face: NDArray[np.bool_]

    @classmethod
    def of(cls, candidates: Candidates, faceness: Float32) -> Judged:
        """Join candidates and verdicts."""
        return cls(faceness, candidates.scores, candidates.boxes[:, 2] * candidates.scales, candidates.is_face)

    def share(self, limit: float, *, faces: bool, min_score: float, band: tuple[float, float] = (0.0, np.inf)) -> float:
        """Return the share of the faces, or of the false alarms, with these scores and widths that reaches a limit."""
        chosen = (self.is_face == faces) & (self.scores >= min_score) & (self.widths >= band[0]) & (self.widths < band[1])
        return float(np.mean(self.faceness[chosen] >= limit)) if chosen.any() else float("nan")


def choose(judged: Judged, min_score: float) -> Faceness:
    """Return the limits, in thousandths; ``min_score``: the detector's own threshold."""
    faces = judged.faceness[judged.is_face & (judged.scores >= min_score)]
    alarms = judged.faceness[~judged.is_face & (judged.scores >= _HARD_SCORE)]
    refused = float(np.quantile(faces, _FACES_REFUSED))
    accepted = min(float(np.quantile(faces, _FACES_NOT_ACCEPTED)), float(np.quantile(alarms, 1 - _ALARMS_ACCEPTED)))
    alone = min(float(np.quantile(faces, _FACES_NOT_ALONE)), float(np.quantile(alarms, 1 - _ALARMS_ALONE)))
    refused, accepted, alone = (round(float(value), 3) for value in np.maximum.accumulate([refused, accepted, alone]))
    return Faceness(refused, accepted, alone)


def rows(judged: Judged, limits: Faceness, min_score: float) -> list[tuple[str, ...]]:
    """Return a table of the shares of faces and of false alarms that reach each limit, by width."""
    table = []
    for low, high in BANDS:
        row = [f"{low:.0f} to {high:.0f} px"]
        for faces, score in ((True, min_score), (False, _HARD_SCORE)):
            chosen = (judged.is_face == faces) & (judged.scores >= score) & (judged.widths >= low) & (judged.widths < high)
            row.append(str(int(chosen.sum())))
            for limit in (limits.refused_below, limits.accepted_from, limits.alone_from):
                row.append(f"{judged.share(limit, faces=faces, min_score=score, band=(low, high)):.3f}")
        table.append(tuple(row))
    return table


def figures(judged: Judged, limits: Faceness, min_score: float) -> dict[str, float]:
    """Return the limits and their effect, for the manifest."""
    found = {"refused_below": limits.refused_below, "accepted_from": limits.accepted_from, "alone_from": limits.alone_from}
    for name, limit in tuple(found.items()):
        word = name.split("_")[0]
        found[f"validation_faces_{word}"] = judged.share(limit, faces=True, min_score=min_score)
        found[f"validation_alarms_{word}"] = judged.share(limit, faces=False, min_score=_HARD_SCORE)
    return found

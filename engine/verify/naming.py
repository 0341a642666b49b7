"""Rules that decide whether a face gets a name: by measured chances of a false name, or by an embedder's cosines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.contracts.findings import Basis, Candidate, Decision, Lack
from engine.verify.evidence import Fusion
from engine.verify.gallery.nearest import nearest
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.open_set import OpenSet
from engine.verify.scores import Thresholds, cosine_of, cosines_with, decide, rank

_Fits = TypeVar("_Fits", bool, NDArray[np.bool_])
_SEEN = 16
"""Cache size for ``too_small_px``: the number of pictures alternates if some people are excluded for some faces."""
_Lead = float | NDArray[np.floating[Any]]


class Rule(Protocol):
    """Compares the fused vector of some faces with everyone, and decides."""

    @property
    def thresholds(self) -> Thresholds:
        """The cosines, and the face sizes that they require."""
        ...

    def sentence(self, pictures: int) -> str:
        """Return, in a sentence, what a name may claim with this many enrolled pictures."""
        ...

    def compare(self, faces: Fusion, people: Snapshot, limit: int, min_faces: int) -> tuple[list[Candidate], Decision, Basis]:
        """Return the ``limit`` best candidates, best first, the decision, and its reasons.

        Args:
            faces: with a vector; that of the enhanced crops is reported but decides nothing.
            people: one or more.
            limit: at least 1.
            min_faces: fewer faces decide nothing.
        """
        ...


@dataclass(frozen=True)
class ByCosine:
    """Decides by the same cosines for all faces: the embedder's own, or the configured ones."""

    thresholds: Thresholds
    is_set: bool
    """Whether the configuration set them."""

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        cosines = f"{self.thresholds.known_cosine:g} and {self.thresholds.unknown_cosine:g}"
        whose = (
            f"the cosines {cosines} that were set" if self.is_set else f"the embedder's own cosines {cosines}, not calibrated"
        )
        return f"decided by {whose}: no rate of false names is claimed"

    def compare(self, faces: Fusion, people: Snapshot, limit: int, min_faces: int) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        # The margin needs the second candidate even if only one is wanted.
        candidates = rank(faces.vector, faces.enhanced, people, max(limit, 2))
        asked = replace(self.thresholds, min_faces=min_faces)
        decision = decide(candidates, faces, asked)
        return candidates[:limit], decision, self._basis(candidates, decision, faces, asked)

    def _basis(self, candidates: list[Candidate], decision: Decision, faces: Fusion, asked: Thresholds) -> Basis:
        best = candidates[0].cosine_original
        fits, is_nobody = best >= asked.known_cosine, best < asked.unknown_cosine
        return Basis(
            faces=faces.faces,
            faces_needed=asked.min_faces,
            size_px=faces.size_px,
            size_needed_px=asked.min_size_px,
            quality=faces.quality,
            margin=best - candidates[1].cosine_original if len(candidates) > 1 else None,
            margin_needed=asked.margin_cosine,
            known_cosine=asked.known_cosine,
            unknown_cosine=asked.unknown_cosine,
            missing=_missing(decision, _has_few(faces, fits, asked.min_faces), fits, is_too_small=is_nobody),
            persons=faces.persons,
            nobody=faces.nobody,
            moments=faces.moments,
        )


class ByChance:
    """Gives a name if a stranger would hardly ever get one, see ``engine.verify.open_set``."""

    def __init__(self, measured: OpenSet, thresholds: Thresholds, rate: float) -> None:
        self.thresholds = thresholds
        self._measured, self._rate = measured, rate
        self._too_small_px = lru_cache(maxsize=_SEEN)(self.too_small_px)

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        pictures = max(pictures, 1)
        small = self._measured.too_small_px(pictures, self._rate)
        enrolled = f"with {pictures:,} pictures enrolled" if pictures != 1 else "with one picture enrolled"
        # Larger faces were not measured; they may still get a name.
        below = f"below {small:.0f} px" if small < float("inf") else f"of {self._measured.sizes_px[-1]:.0f} px and less"
        promise = f"in 95 of 100 galleries at most {self._rate * 1000:g} in 1,000 strangers get a name"
        return f"{promise}; {enrolled} faces {below} are too small to name"

    def compare(self, faces: Fusion, people: Snapshot, limit: int, min_faces: int) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        vector, size, pictures = faces.vector, faces.size_px, people.pictures
        assert vector is not None
        places, values = nearest(people, self._measured, vector, max(limit, 2))
        candidates = [
            Candidate(
                people.name(place),
                float(cosines_with(vector, people.vectors(place)).max()),
                cosine_of(faces.enhanced, people, place),
                false_name_chance=self._measured.chance(value, size, pictures),
            )
            for place, value in zip(places, values, strict=True)
        ]
        decision = self._decide(values, candidates, faces, min_faces)
        return candidates[:limit], decision, self._basis(values, candidates[0], decision, faces, pictures, min_faces)

    def fits(self, resemblance: float, candidate: Candidate, faces: Fusion) -> bool:
        """Whether a candidate's resemblance suffices for a name."""
        return candidate.false_name_chance is not None and candidate.false_name_chance <= self._rate

    def too_small_px(self, pictures: int) -> float:
        """Return the size below which hardly anybody gets a name."""
        return self._measured.too_small_px(pictures, self._rate)

    def _decide(self, best: list[float], candidates: list[Candidate], faces: Fusion, min_faces: int) -> Decision:
        if faces.faces < min_faces:
            return "undecided"
        fits = [self.fits(value, one, faces) for value, one in zip(best, candidates, strict=True)]
        if fits[0]:
            doubtful = len(fits) > 1 and is_doubtful(fits[1], best[0] - best[1], self.thresholds.margin_cosine)
            return "undecided" if doubtful or faces.shown < min_faces else "known"
        return "unknown" if self._measured.is_nobody(best[0], faces.size_px) else "undecided"

    def _basis(
        self, best: list[float], first: Candidate, decision: Decision, faces: Fusion, pictures: int, min_faces: int
    ) -> Basis:
        small = self._too_small_px(pictures)
        fits = self.fits(best[0], first, faces)
        return Basis(
            faces=faces.faces,
            faces_needed=min_faces,
            size_px=faces.size_px,
            size_needed_px=small if small < float("inf") else None,
            quality=faces.quality,
            margin=(best[0] - best[1]) / 2 if len(best) > 1 else None,
            margin_needed=self.thresholds.margin_cosine,
            false_name_rate=self._rate,
            missing=_missing(decision, _has_few(faces, fits, min_faces), fits, is_too_small=faces.size_px < small),
            persons=faces.persons,
            nobody=faces.nobody,
            moments=faces.moments,
        )


def _has_few(faces: Fusion, fits: bool, min_faces: int) -> bool:
    """Whether there are too few faces for any decision, or too few recognisable ones for a name that would fit."""
    return faces.faces < min_faces or (fits and faces.shown < min_faces)


def _missing(decision: Decision, has_few_faces: bool, fits: bool, *, is_too_small: bool) -> Lack:
    """Return what a decision lacked.

    Args:
        decision: the result.
        has_few_faces: whether there are too few faces.
        fits: whether the best candidate's resemblance suffices.
        is_too_small: whether larger faces might have led to a decision.
    """
    if decision == "known":
        return ""
    if has_few_faces:
        return "faces"
    if fits:
        return "margin"
    return "size" if is_too_small and decision == "undecided" else "likeness"


def is_doubtful(second_fits: _Fits, lead: _Lead, margin: float) -> _Fits:
    """Whether the best candidate is no stranger but may be confused with the second, who fits nearly as well.

    Args:
        second_fits: whether the second fits too; for one face, or an array for many.
        lead: how much more the first resembles the face; likewise.
        margin: as ``Thresholds.margin_cosine``.
    """
    is_near: Any = lead < 2 * margin
    doubtful: _Fits = second_fits & is_near
    return doubtful

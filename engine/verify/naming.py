"""Who decides whether a face gets a name: measured chances of a false name, or an embedder's cosines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.config import VerifyConfig
from engine.contracts.frames import Float32
from engine.contracts.messages import Basis, Candidate, Decision, Lack
from engine.errors import ConfigError
from engine.verify.embedder import Embedder
from engine.verify.evidence import Fusion
from engine.verify.open_set import OpenSet, open_set_of
from engine.verify.scores import Thresholds, best_cosines, decide, rank
from engine.verify.snapshot import Snapshot

_Fits = TypeVar("_Fits", bool, NDArray[np.bool_])
_Lead = float | NDArray[np.floating[Any]]


class Rule(Protocol):
    """Compares one fused vector with everyone, and decides."""

    @property
    def thresholds(self) -> Thresholds:
        """The cosines, and the sizes that they ask for."""
        ...

    def sentence(self, pictures: int) -> str:
        """Return what a name may claim with so many pictures enrolled."""
        ...

    def compare(
        self, vector: Float32, enhanced: Float32 | None, faces: Fusion, people: Snapshot, limit: int, min_faces: int
    ) -> tuple[list[Candidate], Decision, Basis]:
        """Return the ``limit`` best candidates, best first, what they amount to, and why.

        Args:
            vector: (length,) of length 1, of the originals.
            enhanced: the same of the enhanced crops, None where there are none: it stands beside and decides nothing.
            faces: what the vector rests on.
            people: at least one.
            limit: at least 1.
            min_faces: fewer faces decide nothing.
        """
        ...


@dataclass(frozen=True)
class ByCosine:
    """One cosine for all: the embedder's own, or what the configuration sets."""

    thresholds: Thresholds
    is_set: bool
    """By the configuration."""

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        cosines = f"{self.thresholds.known_cosine:g} and {self.thresholds.unknown_cosine:g}"
        whose = (
            f"the cosines {cosines} that were set" if self.is_set else f"the embedder's own cosines {cosines}, not calibrated"
        )
        return f"decided by {whose}: no rate of false names is claimed"

    def compare(
        self, vector: Float32, enhanced: Float32 | None, faces: Fusion, people: Snapshot, limit: int, min_faces: int
    ) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        # The margin needs the second even where only one is wanted.
        candidates = rank(vector, enhanced, people.names, people.matrix, max(limit, 2))
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
    """A name where a stranger would hardly ever get one, see ``engine.verify.open_set``."""

    def __init__(self, measured: OpenSet, thresholds: Thresholds, rate: float) -> None:
        self.thresholds = thresholds
        self._measured, self._rate = measured, rate
        self._crowding: tuple[Float32, Float32] | None = None
        """Of the pictures of a gallery that was seen before."""
        self._small: tuple[int, float] | None = None
        """Pictures of that gallery, and the size below which hardly anybody gets a name."""

    def sentence(self, pictures: int) -> str:
        """See ``Rule``."""
        pictures = max(pictures, 1)
        small = self._measured.too_small_px(pictures, self._rate)
        enrolled = f"with {pictures:,} pictures enrolled" if pictures != 1 else "with one picture enrolled"
        # What larger faces reach was not measured: they may still get a name.
        below = f"below {small:.0f} px" if small < float("inf") else f"of {self._measured.sizes_px[-1]:.0f} px and less"
        promise = f"in 95 of 100 galleries at most {self._rate * 1000:g} in 1,000 strangers get a name"
        return f"{promise}; {enrolled} faces {below} are too small to name"

    def compare(
        self, vector: Float32, enhanced: Float32 | None, faces: Fusion, people: Snapshot, limit: int, min_faces: int
    ) -> tuple[list[Candidate], Decision, Basis]:
        """See ``Rule``."""
        size, pictures = faces.size_px, len(people.names)
        resemblances = self._measured.resemblance(vector, people.matrix, self._crowding_of(people.matrix))
        best: dict[str, float] = {}
        for name, value in zip(people.names, resemblances.tolist(), strict=True):
            best[name] = max(value, best.get(name, -9.0))
        cosines = best_cosines(vector, people.names, people.matrix)
        second = best_cosines(enhanced, people.names, people.matrix) if enhanced is not None else {}
        order = sorted(best, key=lambda name: (-best[name], name))[: max(limit, 2)]
        candidates = [
            Candidate(
                name,
                cosines[name],
                second.get(name),
                false_name_chance=self._measured.chance(best[name], size, pictures),
            )
            for name in order
        ]
        values = [best[name] for name in order]
        decision = self._decide(values, candidates, faces, min_faces)
        return candidates[:limit], decision, self._basis(values, candidates[0], decision, faces, pictures, min_faces)

    def _decide(self, best: list[float], candidates: list[Candidate], faces: Fusion, min_faces: int) -> Decision:
        if faces.faces < min_faces:
            return "undecided"
        fits = [one.false_name_chance is not None and one.false_name_chance <= self._rate for one in candidates]
        if fits[0]:
            doubtful = len(fits) > 1 and is_doubtful(fits[1], best[0] - best[1], self.thresholds.margin_cosine)
            return "undecided" if doubtful or faces.shown < min_faces else "known"
        return "unknown" if self._measured.is_nobody(best[0], faces.size_px) else "undecided"

    def _basis(
        self, best: list[float], first: Candidate, decision: Decision, faces: Fusion, pictures: int, min_faces: int
    ) -> Basis:
        small = self._too_small_px(pictures)
        fits = first.false_name_chance is not None and first.false_name_chance <= self._rate
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

    def _too_small_px(self, pictures: int) -> float:
        """See ``OpenSet.too_small_px``; the gallery seldom changes."""
        if self._small is None or self._small[0] != pictures:
            self._small = (pictures, self._measured.too_small_px(pictures, self._rate))
        return self._small[1]

    def _crowding_of(self, matrix: Float32) -> Float32:
        if self._crowding is None or self._crowding[0] is not matrix:
            self._crowding = (matrix, self._measured.crowding(matrix))
        return self._crowding[1]


def _has_few(faces: Fusion, fits: bool, min_faces: int) -> bool:
    """Whether there are too few faces for any decision, or too few that show somebody for the name that would fit."""
    return faces.faces < min_faces or (fits and faces.shown < min_faces)


def _missing(decision: Decision, has_few_faces: bool, fits: bool, *, is_too_small: bool) -> Lack:
    """Return what a decision lacked.

    Args:
        decision: that came out.
        has_few_faces: for any decision.
        fits: whether the best one resembles enough.
        is_too_small: whether larger faces might have brought one.
    """
    if decision == "known":
        return ""
    if has_few_faces:
        return "faces"
    if fits:
        return "margin"
    return "size" if is_too_small and decision == "undecided" else "likeness"


def is_doubtful(second_fits: _Fits, lead: _Lead, margin: float) -> _Fits:
    """Whether of someone who fits it is only sure that it is no stranger, as another one fits nearly as well.

    Args:
        second_fits: whether the next one fits too; of one face, or of many in an array.
        lead: by how much more the first one resembles the face; likewise.
        margin: as ``Thresholds.margin_cosine``.
    """
    is_near: Any = lead < 2 * margin
    doubtful: _Fits = second_fits & is_near
    return doubtful


def rule_of(embedder: Embedder, config: VerifyConfig) -> Rule:
    """Return who decides: chances where they were measured for the embedder, unless the configuration sets a cosine.

    Raises:
        ConfigError: the two cosines cross, or the measurement cannot support ``false_name_rate``.
        ModelError: a measurement is damaged.
    """
    known = embedder.known_cosine if config.known_cosine is None else config.known_cosine
    unknown = embedder.unknown_cosine if config.unknown_cosine is None else config.unknown_cosine
    if unknown > known:
        raise ConfigError(
            f"verify.unknown_cosine ({unknown:g}) must not be above verify.known_cosine ({known:g}) for the embedder "
            f"{embedder.name}: set both"
        )
    thresholds = Thresholds(known, unknown, embedder.margin_cosine, embedder.min_size_px, config.min_faces)
    is_set = config.known_cosine is not None or config.unknown_cosine is not None
    measured = None if is_set else open_set_of(embedder.sha256)
    if measured is None:
        return ByCosine(thresholds, is_set)
    measured.check_rate(config.false_name_rate)
    return ByChance(measured, thresholds, config.false_name_rate)

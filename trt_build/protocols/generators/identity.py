"""Whether an enlarged face still shows the same person: likeness, flips and verification by a recogniser.

The gallery consists of the sharp faces of the test people. Verification compares faces of pairs of pictures, a small one
against a sharp one (*sharp* gallery) or two small ones (*low*), by 1 - cosine. A network's distance is also averaged with the
baseline's (*NETWORK + bicubic*): the safe use of enhancement in recognition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from trt_build.measures.bootstrap import Draws
from trt_build.measures.comparison import FMRS, Comparison, DistancesOf
from trt_build.measures.verification import Pairing, SortedTrial, cosine_distances
from trt_build.protocols.generators.results import Column, Curve, Drawn, Figure, Row

GALLERIES = ("sharp", "low")
"""Faces with which the small face is compared: sharp ones, or equally small ones enlarged by the same method."""
VERIFIED_PX = (16, 24, 32)
RATES = tuple(np.geomspace(1e-4, 1, 49).tolist())
"""False match rates of a DET curve."""


def key_of(gallery: str, fmr: float) -> str:
    """Return the key of a TAR's column, such as ``tar_sharp_1e-2``."""
    return f"tar_{gallery}_1e{round(np.log10(fmr))}"


def columns(embedder: str, prefix: str = "") -> list[Column]:
    """Return the columns of one recogniser; ``prefix`` keeps the keys of two apart."""
    mark = f" ({embedder})" if prefix else ""
    found = [
        Column(f"{prefix}cosine", f"cosine{mark}", 4, 1, f"Mean cosine with the sharp face's vector, by {embedder}."),
        Column(
            f"{prefix}flips", f"flips{mark}", 3, -1,
            f"Share of faces whose nearest sharp face of all, their own included, is another person's, by {embedder}.",
        ),
    ]  # fmt: skip
    for gallery in GALLERIES:
        with_what = "sharp faces" if gallery == "sharp" else "equally small faces, enlarged by the same method"
        for fmr in FMRS:
            heading = f"TAR {gallery} {fmr:.0e}".replace("e-0", "e-") + mark
            about = f"True accept rate at a false match rate of {fmr:g} against {with_what}, by {embedder}."
            found.append(Column(prefix + key_of(gallery, fmr), heading, 3, 1, about))
    return found


def likeness(vectors: Float32, sharp: Float32) -> NDArray[np.float64]:
    """Return the cosine of each face with its own sharp face, (N,); vectors of length 1, (N, D)."""
    return np.asarray(np.einsum("ij,ij->i", vectors, sharp), np.float64)


def flips(vectors: Float32, sharp: Float32, whose: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return 1 for each face whose nearest sharp face is of another person, otherwise 0, (N,)."""
    nearest = np.argmax(vectors @ sharp.T, axis=1)
    return np.asarray(whose[nearest] != whose, np.float64)


def drawn_identity(vectors: Float32, sharp: Float32, draws: Draws, prefix: str = "") -> dict[str, Drawn]:
    """Return likeness and flips for each draw, by the key of the column."""
    return {
        f"{prefix}cosine": draws.means(likeness(vectors, sharp)),
        f"{prefix}flips": draws.means(flips(vectors, sharp, draws.whose)),
    }


@dataclass(frozen=True)
class Systems:
    """The compared systems: the recogniser after each method, and the mean of two."""

    vectors: Mapping[str, Float32]
    """Vectors of the small faces by method, (N, D) each."""
    sharp: Float32
    """Vectors of the sharp faces, (N, D)."""
    fused: Sequence[str] = ()
    """Methods whose distances are also averaged with those of ``fused_with``."""
    fused_with: str = ""

    def distances(self, gallery: str) -> dict[str, DistancesOf]:
        """Return the distance functions between faces of ``gallery`` and small faces, by the name of the system."""
        alone = {name: self._of(name, gallery) for name in self.vectors}
        other = self.fused_with
        return alone | {f"{name} + {other}": _mean(alone[name], alone[other]) for name in self.fused}

    def _of(self, name: str, gallery: str) -> DistancesOf:
        known = self.sharp if gallery == "sharp" else self.vectors[name]
        return lambda pairs: cosine_distances(known, self.vectors[name], pairs)


def _mean(one: DistancesOf, other: DistancesOf) -> DistancesOf:
    return lambda pairs: np.asarray((one(pairs) + other(pairs)) / 2, np.float64)


def verify(systems: Systems, base: str, comparison: Comparison, done: Callable[[], None]) -> dict[str, dict[str, Figure]]:
    """Return the TARs of each system, by the key of the column without prefix.

    Args:
        systems: the compared systems.
        base: the system that gains are over.
        comparison: pairs and draws.
        done: called after each gallery.
    """
    found: dict[str, dict[str, Figure]] = {}
    for gallery in GALLERIES:
        for name, one in comparison.compare(systems.distances(gallery), base).items():
            for fmr, tar, gain in zip(FMRS, one.tar, one.tar_gain, strict=True):
                cell = Figure(tar.value, (tar.low, tar.high), gain if name != base else None)
                found.setdefault(name, {})[key_of(gallery, fmr)] = cell
        done()
    return found


def with_verified(rows: list[Row], verified: Mapping[str, Mapping[str, Figure]], prefix: str = "") -> list[Row]:
    """Return the rows with their TARs; a fused system that has no row gets one."""
    cells = {name: {prefix + key: one for key, one in figures.items()} for name, figures in verified.items()}
    first = rows[0]
    known = [Row(*row.place, row.method, row.figures | cells.pop(row.method, {})) for row in rows]
    return known + [Row(*first.place, name, figures) for name, figures in cells.items()]


def det_curves(systems: Systems, pairs: Pairing, place: tuple[str, int, int]) -> list[Curve]:
    """Return a DET curve for each gallery and method, without points at rates that the pairs cannot resolve."""
    strangers = int((~pairs.same).sum())
    rates = [rate for rate in RATES if rate * strangers >= 1]
    curves = []
    for gallery in GALLERIES:
        for name, of in systems.distances(gallery).items():
            misses = SortedTrial(of(pairs), pairs.same).curve(rates)
            curves.append(Curve(*place, gallery, name, rates, misses))
    return curves

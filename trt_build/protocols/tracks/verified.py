"""Whether the person of a track is recognised in its picture, by dlib's network, against another sharp photograph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from trt_build.data.face_sets import HIGH_PX
from trt_build.data.faces import to_size
from trt_build.measures.bootstrap import Draws
from trt_build.measures.verification import Pairing, SortedTrial, unit
from trt_build.protocols.generators.recognisers import DlibRecogniser, find_places
from trt_build.protocols.generators.results import Drawn
from trt_build.protocols.tracks import pictures as names
from trt_build.protocols.tracks.pictures import Pictures
from trt_build.protocols.tracks.track_sets import People, TrackSet

FMR = 0.01
VECTORS = "mean of vectors"
"""Mean of the vectors of all enhanced frames, as a recogniser would use several faces."""
_METHODS = (names.ONE_SMALL, names.ONE, names.BEST_QUALITY, names.SMALL_MEAN, names.MEAN, names.CAREFUL)


class Verification:
    """The gallery of one run."""

    def __init__(self, people: People, cache: Path, advance: Callable[[int], None]) -> None:
        self._cache, self._advance = cache, advance
        self._gallery = self._vectors(people.references, people.references)

    def measure(self, tracks: TrackSet, made: Pictures, draws: Draws) -> dict[str, dict[str, Drawn]]:
        """Return ``cosine`` with the truth's vector and ``tar`` by method, over each draw of people."""
        found = self._of_methods(tracks, made)
        truth = self._vectors(tracks.truth, tracks.truth)
        return {
            name: {"cosine": draws.means(np.einsum("ij,ij->i", some, truth)), "tar": tars(some, self._gallery, draws)}
            for name, some in found.items()
        }

    def _of_methods(self, tracks: TrackSet, made: Pictures) -> Mapping[str, Float32]:
        fused = (name for name in made.by_method if name == f"{names.NETWORK}, {names.FRAMES[-1]}")
        found = {name: self._vectors(made.by_method[name], tracks.truth) for name in (*_METHODS, *fused)}
        frames = [self._vectors(made.frames[:, at], tracks.truth) for at in range(made.frames.shape[1])]
        used = made.agreed.T[:, :, None].astype(np.float32)
        return found | {VECTORS: unit(np.asarray((np.stack(frames) * used).sum(axis=0), np.float32))}

    def _vectors(self, faces: Uint8, sharp: Uint8) -> Float32:
        recogniser = DlibRecogniser(find_places(_at_high(sharp)), HIGH_PX, self._cache)
        try:
            return recogniser.vectors(faces, self._advance)
        finally:
            recogniser.close()


def tars(vectors: Float32, gallery: Float32, draws: Draws) -> Drawn:
    """Return the TAR at ``FMR`` for each draw of people: each vector against the whole gallery, both (P, D)."""
    count = len(vectors)
    left, right = (place.ravel() for place in np.indices((count, count)))
    pairs = Pairing(left, right, left == right)
    trial = SortedTrial((1 - vectors @ gallery.T).ravel().astype(np.float64), pairs.same)
    return np.array([trial.tars((FMR,), draws.of_pairs(pairs, turn))[0] for turn in range(len(draws.counts))])


def _at_high(sharp: Uint8) -> Uint8:
    """Enlarge to the one size at which landmarks are found."""
    if sharp.shape[1] >= HIGH_PX:
        return to_size(sharp, HIGH_PX)
    return np.stack([cv2.resize(one, (HIGH_PX, HIGH_PX), interpolation=cv2.INTER_CUBIC) for one in sharp]).astype(np.uint8)

"""Makes one picture of each track by every method, all aligned with its first frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.crop.quality import sharpness
from engine.super_resolve.interpolation import enlarge
from engine.super_resolve.reference_consistency import keep_to_reference
from engine.super_resolve.registration import Registration, register
from engine.super_resolve.seen_shots import TrackShot, seen_by_first
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_picture import Fusion, that_agree
from engine.super_resolve.warps import look_through
from trt_build.data.face_sets import Enlarge
from trt_build.measures.metrics import psnr
from trt_build.measures.resample import to_levels
from trt_build.protocols.tracks.track_sets import TrackSet

ONE_SMALL, ONE = "one frame, interpolated", "one frame"
BEST, BEST_QUALITY = "best frame by the truth", "best frame by its quality"
SMALL_MEAN, MEAN, MEDIAN, TRUE_MEAN = "mean of interpolated", "mean of enhanced", "median of enhanced", "mean, true places"
CAREFUL = "careful mean"
"""The engine's method without a network."""
_PLAIN = Average(4, is_plain=True)
NETWORK = "network"
FRAMES = (2, 4, 8)
FREE = f"{NETWORK}, {FRAMES[-1]}, not kept to its frame"
"""The network's raw output, see ``engine.super_resolve.reference_consistency``."""
SCALE = 4


@dataclass(frozen=True)
class Pictures:
    """The pictures of T tracks."""

    by_method: dict[str, Uint8]
    """(T, 4 h, 4 w) each."""
    places: dict[str, NDArray[np.int64]]
    """(T,): the frame with whose truth a method's pictures are aligned, if it is not the first."""
    frames: Uint8
    """(T, K, 4 h, 4 w): each frame enhanced alone and warped to the reference."""
    agreed: NDArray[np.bool_]
    """(T, K): whether the gate passed each frame."""
    errors_px: Float32
    """(T, K): error of registration over the face in pixels of the frames; NaN if the truth is unknown."""


@dataclass(frozen=True)
class Tools:
    """The models that make pictures."""

    generator: Enlarge
    """The default network."""
    network: Fusion | None


def make_pictures(tracks: TrackSet, tools: Tools, advance: Callable[[], None]) -> Pictures:
    """Make a picture of each track by every method."""
    made: dict[str, list[Uint8]] = {}
    frames, agreed, errors, places = [], [], [], []
    for index in range(len(tracks.low)):
        one = _Track(tracks, index, tools)
        for name, picture in one.pictures().items():
            made.setdefault(name, []).append(picture)
        frames.append(one.seen)
        places.append((one.best, one.best_quality))
        agreed.append(one.found.agrees)
        errors.append(one.errors_px())
        advance()
    by_method = {name: np.stack(some) for name, some in made.items()}
    best, best_quality = np.array(places).T
    own = {} if tracks.truths is None else {BEST: best, BEST_QUALITY: best_quality}
    return Pictures(by_method, own, np.stack(frames), np.stack(agreed), np.array(errors, np.float32))


def fused_alone(tracks: TrackSet, tools: Tools, advance: Callable[[], None]) -> tuple[dict[str, Uint8], NDArray[np.bool_]]:
    """Return only the pictures fused from all frames, (T, 4 h, 4 w), by the mean and, if there is one, the network; and which
    frames agreed, (T, K).
    """
    made: dict[str, list[Uint8]] = {}
    agreed = []
    for index in range(len(tracks.low)):
        one = _Track(tracks, index, tools)
        for name, picture in one.fused().items():
            made.setdefault(name, []).append(picture)
        agreed.append(one.found.agrees)
        advance()
    return {name: np.stack(some) for name, some in made.items()}, np.stack(agreed)


class _Track:
    """One track, registered and enhanced."""

    def __init__(self, tracks: TrackSet, index: int, tools: Tools) -> None:
        self._lows, self._truth, self._tools = tracks.low[index], tracks.truth[index], tools
        self._affine = None if tracks.affine is None else tracks.affine[index]
        self.found = self._kept(register(self._lows, None, 0, SCALE))
        self._enhanced = tools.generator(self._lows)
        self._qualities = np.array([quality_of(low) for low in self._lows])
        told = np.full(len(self._lows), np.nan) if tracks.qp is None else tracks.qp[index]
        self._qps = [None if np.isnan(qp) else float(qp) for qp in told]
        places = self.found.warps if self._affine is None else self._affine
        self.seen = np.stack([_seen(one, warp) for one, warp in zip(self._enhanced, places, strict=True)])
        self._alone = self.seen if tracks.truths is None else self._enhanced
        truths = [self._truth] * len(self._lows) if tracks.truths is None else tracks.truths[index]
        self.best = int(np.argmax([psnr(one, truth, SCALE) for one, truth in zip(self._alone, truths, strict=True)]))
        self.best_quality = int(np.argmax(self._qualities))

    def pictures(self) -> dict[str, Uint8]:
        found = {
            ONE_SMALL: enlarge(self._lows[0], SCALE),
            ONE: self._enhanced[0],
            BEST: self._alone[self.best],
            BEST_QUALITY: self._alone[self.best_quality],
            SMALL_MEAN: self._fuse(_PLAIN, self._shots(enhanced=False), self.found)[0],
            MEDIAN: self._median(),
        }
        if self._affine is not None:
            true = Registration(self._affine, self.found.agrees, self.found.likeness, SCALE)
            found[TRUE_MEAN], _ = self._fuse(_PLAIN, self._shots(), true)
        if (network := self._tools.network) is not None:
            for count in FRAMES[:-1]:
                _, found[f"{NETWORK}, {count}"] = self._fuse(network, self._shots()[:count], _first(self.found, count))
        return found | self.fused()

    def fused(self) -> dict[str, Uint8]:
        found: dict[str, Uint8] = {}
        found[MEAN], _ = self._fuse(_PLAIN, self._shots(), self.found)
        _, found[CAREFUL] = self._fuse(Average(SCALE), self._shots(), self.found)
        if (network := self._tools.network) is not None:
            found[FREE], found[f"{NETWORK}, {FRAMES[-1]}"] = self._fuse(network, self._shots(), self.found)
        return found

    def errors_px(self) -> list[float]:
        if self._affine is None:
            return [float("nan")] * len(self._lows)
        height, width = self._truth.shape
        grid = np.stack(np.meshgrid(np.linspace(0.25, 0.75, 7) * width, np.linspace(0.25, 0.75, 7) * height), axis=-1)
        points, apart = grid.reshape(-1, 2), self.found.warps.astype(np.float64) - self._affine
        return [float(np.linalg.norm(points @ one[:, :2].T + one[:, 2], axis=1).mean()) / SCALE for one in apart]

    def _shots(self, *, enhanced: bool = True) -> list[TrackShot]:
        pictures = self._enhanced if enhanced else [None] * len(self._lows)
        return [
            TrackShot(low, None, float(quality), one, qp)
            for low, quality, one, qp in zip(self._lows, self._qualities, pictures, self._qps, strict=True)
        ]

    def _fuse(self, fusion: Fusion, shots: list[TrackShot], found: Registration) -> tuple[Uint8, Uint8]:
        """Return the fused picture, and the same made consistent with the first frame, which the engine uses."""
        _, seen = that_agree(shots, found, 0, SCALE)
        if len(seen.seen) == 1:
            return to_levels(seen.seen[0]), to_levels(seen.seen[0])
        picture = fusion.fuse(seen, True)
        return to_levels(picture), to_levels(keep_to_reference(picture, seen)[0])

    def _median(self) -> Uint8:
        kept = np.flatnonzero(self.found.agrees)
        shots = self._shots()
        ones = np.ones(len(kept), np.float32)
        seen = seen_by_first([shots[at] for at in kept], self.found.warps[kept], ones, SCALE).seen
        return to_levels(np.asarray(np.median(seen, axis=0), np.float32))

    def _kept(self, found: Registration) -> Registration:
        """Keep the first frame as reference, because the truth is aligned with it; if it does not fit the others, it is used
        alone.
        """
        if found.agrees[0]:
            return found
        return Registration(found.warps, np.arange(len(self._lows)) == 0, found.likeness, SCALE)


def _first(found: Registration, count: int) -> Registration:
    return Registration(found.warps[:count], found.agrees[:count], found.likeness[:count], SCALE)


def _seen(picture: Uint8, warp: NDArray[np.floating]) -> Uint8:
    """Return a frame's picture warped to the reference."""
    if np.array_equal(warp, np.eye(2, 3)):
        return picture
    shape = (picture.shape[0], picture.shape[1])
    return to_levels(look_through(picture.astype(np.float32), warp.astype(np.float64), shape))


def quality_of(low: Uint8) -> float:
    """Return the squared sharpness of the centre of the picture, the only part of the engine's quality that varies here."""
    height, width = low.shape
    face = low[height // 4 : height - height // 4, width // 4 : width - width // 4]
    return max(0.001, sharpness(np.ascontiguousarray(face), float(face.shape[0])) ** 2)

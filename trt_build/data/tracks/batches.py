"""Training samples of tracks as a pure function of the step number: frames, inexact maps, weights, truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from trt_build.data.batches import ENDLESS, unit
from trt_build.data.degradation import Random
from trt_build.data.tracks.clips import SCALE, Tracks
from trt_build.recipes.track import TrackDrawSpec, TrackRecipe

Batch = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
_TURN, _ZOOM = 0.01, 0.006
"""Error of registration in rotation (radians) and scale for each 0.15 px of its error in position."""
_GROSS_PX, _GROSS_TURN, _GROSS_ZOOM = 3.0, 0.15, 0.08


class TrackBatches:
    """(luma, affine, weight, truth): float32 (B, N, 1, h, w), (B, N, 2, 3), (B, N) and (B, 1, 4h, 4w), see ``TrackNetwork``."""

    def __init__(self, tracks: Mapping[int, list[Tracks]], recipe: TrackRecipe) -> None:
        """``tracks``: by face size, one entry for each pass; a size is drawn as often as it has passes."""
        self._tracks = [one for size in sorted(tracks) for one in tracks[size]]
        self._recipe = recipe

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        rng, draw = np.random.default_rng((self._recipe.seed, step)), self._recipe.draw
        tracks = self._tracks[rng.integers(len(self._tracks))]
        frames = min(int(rng.choice(draw.frames)), tracks.low.shape[1])
        count = int(np.clip(draw.pixels // (frames * tracks.low.shape[2] ** 2), 1, self._recipe.batch))
        samples = [self._sample(tracks, int(index), frames, rng) for index in rng.integers(0, len(tracks.low), count)]
        luma, affine, weight, truth = (np.stack(part) for part in zip(*samples, strict=True))
        return unit(luma)[:, :, None], affine.astype(np.float32), weight.astype(np.float32), unit(truth)[:, None]

    def _sample(self, tracks: Tracks, index: int, frames: int, rng: Random) -> tuple[NDArray[np.generic], ...]:
        draw = self._recipe.draw
        chosen = [0, *(1 + rng.permutation(tracks.low.shape[1] - 1)[: frames - 1])]
        luma, affine, truth = tracks.low[index, chosen], tracks.affine[index, chosen], tracks.truth[index]
        affine = with_errors(affine, truth.shape[0], draw, rng)
        weight = rng.uniform(0.2, 1.0, frames) if rng.random() < draw.weighed_share else np.ones(frames)
        if frames > 2 and rng.random() < draw.wrong_share:
            place = int(rng.integers(1, frames))
            luma[place] = tracks.low[rng.integers(len(tracks.low)), rng.integers(tracks.low.shape[1])]
            weight[place] *= rng.random() >= draw.caught_share
        if rng.random() < 0.5:
            return luma[..., ::-1], mirrored_maps(affine, truth.shape[1]), weight, truth[:, ::-1]
        return luma, affine, weight, truth


def with_errors(affine: NDArray[np.float32], side: int, draw: TrackDrawSpec, rng: Random) -> NDArray[np.float32]:
    """Return maps (N, 2, 3) of pictures of ``side`` px with errors as of registration; the first one is exact."""
    found = affine.astype(np.float64).copy()
    spread = rng.uniform(0, 2) * draw.shift_px
    centre = np.full(2, (side - 1) / 2)
    for one in found[1:]:
        if rng.random() < draw.gross_share:
            shift = rng.uniform(-_GROSS_PX, _GROSS_PX, 2)
            turn, zoom = rng.uniform(-_GROSS_TURN, _GROSS_TURN), rng.uniform(-_GROSS_ZOOM, _GROSS_ZOOM)
        else:
            shift = spread * rng.standard_normal(2)
            turn, zoom = spread / 0.15 * np.array([_TURN, _ZOOM]) * rng.standard_normal(2)
        linear = one[:, :2] @ np.array([[1 + zoom, -turn], [turn, 1 + zoom]])
        one[:, 2] += one[:, :2] @ centre - linear @ centre + SCALE * shift
        one[:, :2] = linear
    return found.astype(np.float32)


def mirrored_maps(affine: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return maps (N, 2, 3) for the mirrored pictures of ``width`` px."""
    turned = affine * np.array([[1, -1, 1], [-1, 1, 1]], np.float32)
    turned[:, 0, 2] = (width - 1) * (1 - affine[:, 0, 0]) - affine[:, 0, 2]
    turned[:, 1, 2] += (width - 1) * affine[:, 1, 0]
    return turned

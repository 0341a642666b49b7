"""Validation during training: pictures of 1, 2, 4 and 8 frames, compared with methods without training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.super_resolve.registration import register
from trt_build.data.batches import unit
from trt_build.data.degradation import Luma8
from trt_build.data.face_sets import score
from trt_build.data.tracks.clips import SCALE, Tracks
from trt_build.networks.generators.compact import Compact
from trt_build.networks.track import TrackNetwork
from trt_build.recipes.track import TrackRecipe
from trt_build.training.run_state import Row

_CHUNK = 16


class TrackValidator:
    """Scores a network on tracks of other people, at each size and CRF."""

    def __init__(self, tracks: Mapping[tuple[int, int], Tracks], single: Compact, recipe: TrackRecipe) -> None:
        """``single``: the single-frame network."""
        self._tracks, self._recipe = tracks, recipe
        untrained = TrackNetwork(single.options, recipe.network.width, recipe.network.blocks)
        untrained.encoder.load_state_dict(single.state_dict())
        self._found = {key: registered(one.low) for key, one in tracks.items()}
        self._before: Row = {}
        for (size, crf), one in tracks.items():
            for name, frames in (("default", 1), ("mean", one.low.shape[1])):
                self._before[f"{name}_{size}px_crf{crf}"] = self._psnr(untrained.eval(), (size, crf), frames)

    def measure(self, network: TrackNetwork) -> Row:
        """Return the PSNR by frames, size and CRF, and `merit`: the mean gain of all frames over the default network's single
        frame.
        """
        row, gains = dict(self._before), []
        for (size, crf), one in self._tracks.items():
            most = one.low.shape[1]
            for frames in sorted({count for count in (1, 2, 4, 8) if count <= most}):
                row[f"frames{frames}_{size}px_crf{crf}"] = self._psnr(network, (size, crf), frames)
            gains.append(row[f"frames{frames}_{size}px_crf{crf}"] - row[f"default_{size}px_crf{crf}"])
        return row | {"merit": float(np.mean(gains))}

    def _psnr(self, network: TrackNetwork, key: tuple[int, int], frames: int) -> float:
        tracks, (maps, weight) = self._tracks[key], self._found[key]
        with torch.autocast("cpu", torch.bfloat16, enabled=self._recipe.precision == "bfloat16"):
            made = fused(network, tracks.low[:, :frames], maps[:, :frames], weight[:, :frames])
        return score(made, tracks.truth, SCALE).psnr


def registered(low: Luma8) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return maps (T, N, 2, 3) and weights (T, N) of tracks (T, N, h, w), as found by the live code without landmarks."""
    found = [register(frames, None, 0, SCALE) for frames in low]
    weight = np.stack([one.agrees for one in found]).astype(np.float32)
    weight[:, 0] = 1
    return np.stack([one.warps for one in found]), weight


def fused(network: TrackNetwork, low: Luma8, maps: NDArray[np.float32], weight: NDArray[np.float32]) -> Luma8:
    """Return pictures uint8 (T, 4h, 4w) of tracks: ``low`` (T, N, h, w), ``maps`` (T, N, 2, 3), ``weight`` (T, N)."""
    device, parts = next(network.parameters()).device, []
    with torch.inference_mode():
        for at in range(0, len(low), _CHUNK):
            some = slice(at, at + _CHUNK)
            given = (unit(low[some])[:, :, None], maps[some], weight[some])
            picture: Tensor = network(*(torch.from_numpy(np.ascontiguousarray(one)).to(device) for one in given))[0]
            parts.append((picture.clamp(0, 1) * 255).round().byte()[:, 0].cpu().numpy())
    return np.concatenate(parts)

"""Fuses a track's frames with a network: an ONNX file with inputs ``luma`` (N, 1, h, w) in [0, 1], ``affine`` (N, 2, 3) and
``weight`` (N,), the reference first, and outputs ``picture`` and ``deviation``, (1, 1, scale h, scale w). It runs on the CPU.

Its deviation is not used: the network gives little weight to what differs, so frames that contradict each other would seem to
agree."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.contracts.frames import Float32
from engine.contracts.manifest import Manifest, read_manifest
from engine.errors import InferenceError, ModelError
from engine.sessions.session import Session, SessionSpec, open_session, trying
from engine.super_resolve.seen_shots import SeenShots, TrackShot, seen_by_first
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_picture import Fusion

MODEL = "compact_track_x4"
_INPUTS = {"luma", "affine", "weight"}
_BLACK, _RANGE = 16.0, 219.0
"""Lowest level and span of video luma."""


class TrackNetwork:
    """See ``engine.super_resolve.track_picture.Fusion``; ``close`` frees it."""

    def __init__(self, manifest_path: Path) -> None:
        """Load the network and run it once.

        Raises:
            ModelError: a file is missing or corrupt, or is not such a network.
            MissingRuntimeError: the runtime is not installed.
        """
        manifest: Manifest = read_manifest(manifest_path)
        self.name, self.sha256, self.licence, self.scale = manifest.name, manifest.sha256, manifest.licence, manifest.scale
        self.largest_side_px = manifest.largest_side_px or math.inf
        """Largest size of crops, geometric mean of height and width; larger ones were not measured, or are not worth the time.
        """
        spec = SessionSpec(manifest_path.with_name(manifest.file))
        self._session: Session = open_session(replace(spec, name=manifest.name))
        self.runtime = self._session.runtime
        with trying(self._session):
            if (names := {one.name for one in self._session.inputs}) != _INPUTS:
                raise ModelError(
                    f"{manifest.name} takes {', '.join(sorted(names))}, and fuses no track: choose a model of kind 'track'"
                )
            shot = TrackShot(np.zeros((8, 8), np.uint8), None, 1.0)
            warps = np.stack([np.eye(2, 3)] * 2).astype(np.float32)
            self.fuse(seen_by_first([shot, shot], warps, np.ones(2, np.float32), self.scale))

    def fuse(self, shots: SeenShots, full_range: bool = False) -> Float32:
        luma = np.stack([shot.luma for shot in shots.shots]).astype(np.float32)[:, None]
        black, span = (0.0, 255.0) if full_range else (_BLACK, _RANGE)
        tensors = {
            "luma": np.clip((luma - np.float32(black)) / np.float32(span), 0, 1),
            "affine": np.ascontiguousarray(shots.warps, np.float32),
            "weight": np.ascontiguousarray(shots.weights, np.float32),
        }
        outputs = self._session.run(tensors)
        expected = (1, 1, luma.shape[2] * self.scale, luma.shape[3] * self.scale)
        if [one.shape for one in outputs] != [expected] * 2:
            got = ", ".join(str(one.shape) for one in outputs)
            raise InferenceError(f"{self.name} returned {got} where two of {expected} are right: export it again")
        picture = np.asarray(outputs[0][0, 0], np.float32)
        return np.clip(picture, 0, 1) * np.float32(span) + np.float32(black)

    def close(self) -> None:
        self._session.close()


def open_fusion(find_model: Callable[[str], Path | None], scale: int = 4) -> Fusion:
    """Open the network if its file exists and has the generator's scale; otherwise use the average of enhanced frames.

    Args:
        find_model: returns the manifest of a named model, None if there is none.
        scale: of the generator.

    Raises:
        ModelError: the file exists, but is corrupt or not such a network.
    """
    path = find_model(MODEL)
    if path is None or read_manifest(path).scale != scale:
        return Average(scale)
    return TrackNetwork(path)

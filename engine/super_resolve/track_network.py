"""Fusing the frames of a track by a network: an ONNX file with inputs ``luma`` (N, 1, h, w) in [0, 1], ``affine`` (N, 2, 3) and
``weight`` (N,), the reference first, and outputs ``picture`` and ``deviation``, (1, 1, scale h, scale w)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.contracts.frames import Float32
from engine.contracts.manifest import Manifest, read_manifest
from engine.errors import InferenceError, ModelError
from engine.runtime.session import Session, SessionSpec, open_session, trying
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_picture import Fusion, TrackShot

MODEL = "compact_track_x4"
_INPUTS = {"luma", "affine", "weight"}
_BLACK, _RANGE = 16.0, 219.0
"""Of video's luma."""


class TrackNetwork:
    """See ``engine.super_resolve.track_picture.Fusion``; ``close`` frees it."""

    def __init__(self, manifest_path: Path, *, device: str = "cpu", threads: int = 1) -> None:
        """Load the network and try it.

        Raises:
            ModelError: a file is missing, corrupt, or no such network.
            MissingRuntimeError: the runtime is not installed.
        """
        manifest: Manifest = read_manifest(manifest_path)
        self.name, self.sha256, self.licence, self.scale = manifest.name, manifest.sha256, manifest.licence, manifest.scale
        spec = SessionSpec(manifest_path.with_name(manifest.file), device=device, threads=threads)
        self._session: Session = open_session(replace(spec, name=manifest.name))
        self.runtime = self._session.runtime
        with trying(self._session):
            if (names := {one.name for one in self._session.inputs}) != _INPUTS:
                raise ModelError(
                    f"{manifest.name} takes {', '.join(sorted(names))}, and fuses no track: choose a model of kind 'track'"
                )
            shot = TrackShot(np.zeros((8, 8), np.uint8), None, 1.0)
            self.fuse([shot, shot], np.stack([np.eye(2, 3)] * 2).astype(np.float32), np.ones(2, np.float32))

    def fuse(
        self, shots: Sequence[TrackShot], warps: Float32, weights: Float32, full_range: bool = False
    ) -> tuple[Float32, Float32]:
        luma = np.stack([shot.luma for shot in shots]).astype(np.float32)[:, None]
        black, span = (0.0, 255.0) if full_range else (_BLACK, _RANGE)
        tensors = {
            "luma": np.clip((luma - np.float32(black)) / np.float32(span), 0, 1),
            "affine": np.ascontiguousarray(warps, np.float32),
            "weight": np.ascontiguousarray(weights, np.float32),
        }
        outputs = self._session.run(tensors)
        expected = (1, 1, luma.shape[2] * self.scale, luma.shape[3] * self.scale)
        if [one.shape for one in outputs] != [expected] * 2:
            got = ", ".join(str(one.shape) for one in outputs)
            raise InferenceError(f"{self.name} returned {got} where two of {expected} are right: export it again")
        picture, deviation = (np.asarray(one[0, 0], np.float32) for one in outputs)
        return np.clip(picture, 0, 1) * np.float32(span) + np.float32(black), deviation * np.float32(span)

    def close(self) -> None:
        self._session.close()


def open_fusion(find_model: Callable[[str], Path | None], scale: int = 4, name: str = MODEL, *, threads: int = 1) -> Fusion:
    """Open the network where its file is there and enlarges as the generator does; else the average of enhanced frames.

    Args:
        find_model: returns the manifest of a model by its name, None where there is none.
        scale: of the generator.
        name: of the network.
        threads: compute threads of one run.

    Raises:
        ModelError: the file is there, but corrupt or no such network.
    """
    path = find_model(name)
    if path is None or read_manifest(path).scale != scale:
        return Average(scale)
    return TrackNetwork(path, threads=threads)

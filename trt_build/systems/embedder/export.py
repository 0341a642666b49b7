"""Exports a checkpoint to the file that ships: the differences from dlib's network."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.models.dlib_adaptation import adapted, write_adaptation
from engine.models.dlib_embedder import CHIP_PX, packaged_weights
from engine.models.dlib_resnet import INPUT, build_dlib_resnet
from engine.models.dlib_weights import read_dlib_weights
from engine.sessions.session import SessionSpec, open_session
from trt_build.errors import ExportError
from trt_build.systems.embedder.training import load_embedder
from trt_build.writing import writable

TOLERANCE = 1e-3
"""The smallest accepted cosine between the network and its export is 1 minus this."""


def export_embedder(checkpoint: Path, folder: Path, name: str | None = None) -> tuple[Path, float]:
    """Write NAME.npz into ``folder``.

    Returns:
        The file, and the smallest cosine between the vectors of the network and of the file for noise.

    Raises:
        TrainingError: the checkpoint cannot be read.
        ExportError: the folder cannot be written to, or the file does not compute what the network computes.
    """
    weights = read_dlib_weights(packaged_weights())
    network, recipe = load_embedder(checkpoint, weights)
    path = folder / f"{name or recipe.name}.npz"
    with writable(path, ExportError):
        write_adaptation(weights, network.weights(), path)
    cosine = _smallest_cosine(build_dlib_resnet(network.weights()), build_dlib_resnet(adapted(weights, path)))
    if not cosine >= 1 - TOLERANCE:
        raise ExportError(f"'{path}' differs from its network: a cosine of {cosine:.5f}, less than {1 - TOLERANCE}.")
    return path, cosine


def _smallest_cosine(one: bytes, other: bytes) -> float:
    chips = np.random.default_rng(0).integers(0, 256, (8, 3, CHIP_PX, CHIP_PX)).astype(np.float32)
    vectors = []
    for graph in (one, other):
        with open_session(SessionSpec(graph, name="embedder")) as session:
            found = session.run({INPUT: chips})[0]
            vectors.append(found / np.linalg.norm(found, axis=1, keepdims=True))
    return float(np.einsum("ij,ij->i", *vectors).min())

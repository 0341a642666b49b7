"""What fusing faces is worth: ``python -m tests.bench.evidence --folder runs/names`` on what ``tests.bench.open_set`` recorded.

Eight faces of an enrolled person, drawn from all tracks that show other photographs: TAR at FMR 1 % of one of them, of the best
by quality, of the fusion by equal weights and by quality, and of ``engine.verify.evidence``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.contracts.findings import Quality
from engine.contracts.frames import Float32
from engine.verify.evidence import Evidence, FaceEvidence
from engine.verify.face_weights import FaceWeights, face_weights_of
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.bench.open_set_figures import measured, snapshot_of
from trt_build.data.people.photographs import person_of
from trt_build.data.people.recording import Arrays, joined

SIZES: tuple[tuple[float, ...], ...] = ((16.0,), (24.0,), (32.0,), (16.0, 24.0, 32.0, 48.0))
_FACES, _DRAWS, _BOOTSTRAPS, _FMR = 8, 4, 100, 0.01


def main() -> None:
    """Draw sets, fuse, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of tests.bench.open_set")
    folder = parser.parse_args().folder
    tracks = joined([dict(np.load(path)) for path in sorted((folder / "tracks").glob("*.npz"))])
    enrolled: dict[str, str] = json.loads((folder / "gallery.json").read_text(encoding="utf-8"))
    with Gallery(folder / "gallery.sqlite") as gallery:
        people = snapshot_of(gallery)
    weights = face_weights_of(measured().embedder_sha256)
    assert weights is not None
    table = Table(box=None, title="TAR at FMR 1 %, and what it is above that of single faces (95 %, bootstrap over people)")
    for heading in ("faces", "people", "fused how", "TAR", "above"):
        table.add_column(heading)
    for sizes in SIZES:
        sets, own = _sets(tracks, sizes, list(people.names), set(enrolled.values()))
        scores = {name: _scores(fuse, tracks, sets, people.matrix) for name, fuse in _fusions(weights).items()}
        for name, score in scores.items():
            above = _above(score, scores["a single one"], own)
            table.add_row(
                " ".join(f"{size:g}" for size in sizes), str(len(set(own.tolist()))), name, f"{_tar(score, own):.3f}", above
            )
    Console().print(table)


def _sets(
    tracks: Arrays, sizes: Sequence[float], names: list[str], shown: set[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (S, 8) faces of enrolled people, not of the enrolled picture, and (S,) whose they are."""
    groups: dict[int, list[int]] = {}
    of_face = tracks["face_track"]
    pictures, places = tracks["picture"][of_face].tolist(), tracks["place_px"][of_face].tolist()
    for at, (picture, place) in enumerate(zip(pictures, places, strict=True)):
        if place in sizes and picture not in shown and person_of(picture) in names:
            groups.setdefault(names.index(person_of(picture)), []).append(at)
    rng = np.random.default_rng(1)
    drawn = [
        (who, rng.permutation(one)[:_FACES]) for who, one in sorted(groups.items()) if len(one) >= _FACES for _ in range(_DRAWS)
    ]
    return np.array([faces for _, faces in drawn]), np.array([who for who, _ in drawn])


def _fusions(weights: FaceWeights) -> dict[str, Callable[[Arrays, NDArray[np.int64]], Float32]]:
    """Return ways to make of some faces (V, length) vectors; several are alternatives that count alike."""

    def evidence(tracks: Arrays, faces: NDArray[np.int64]) -> Float32:
        kept = Evidence(weights.apart_cosine)
        for second, at in enumerate(faces.tolist()):
            vector, size, score = (tracks[name][at] for name in ("face_vector", "face_size_px", "face_weight"))
            weight = weights.weight(Quality(float(size), 0.5, 1.0, float(score)), vector)
            kept = kept.add(FaceEvidence(vector, weight, second, is_nobody=weights.is_nobody(vector)))
        vector = kept.fused().vector
        assert vector is not None
        return vector[None]

    return {
        "a single one": lambda tracks, faces: tracks["face_vector"][faces],
        "best by quality": lambda tracks, faces: tracks["face_vector"][faces[[tracks["face_weight"][faces].argmax()]]],
        "equal weights": lambda tracks, faces: tracks["face_vector"][faces].sum(axis=0, keepdims=True),
        "quality": lambda tracks, faces: (tracks["face_weight"][faces] @ tracks["face_vector"][faces])[None],
        "evidence": evidence,
    }


def _scores(
    fuse: Callable[[Arrays, NDArray[np.int64]], Float32], tracks: Arrays, sets: NDArray[np.int64], matrix: Float32
) -> Float32:
    """Return (S, V, N) resemblance."""
    fused = np.stack([fuse(tracks, faces) for faces in sets])
    vectors = (fused / np.linalg.norm(fused, axis=2, keepdims=True)).reshape(-1, matrix.shape[1]).astype(np.float32)
    one = measured()
    scores = 2 * vectors @ matrix.T - one.crowding(vectors)[:, None] - one.crowding(matrix)[None]
    return scores.reshape(len(sets), -1, len(matrix))


def _tar(scores: Float32, own: NDArray[np.int64]) -> float:
    at = np.arange(len(own))
    others = np.ones(scores.shape, np.bool_)
    others[at, :, own] = False
    strangers = scores[others]
    rank = int((1 - _FMR) * len(strangers))
    return float((scores[at, :, own] >= np.partition(strangers, rank)[rank]).mean())


def _above(scores: Float32, single: Float32, own: NDArray[np.int64]) -> str:
    rng, people = np.random.default_rng(2), np.unique(own)
    gains = []
    for _ in range(_BOOTSTRAPS):
        drawn = np.concatenate([np.flatnonzero(own == who) for who in rng.choice(people, len(people))])
        gains.append(_tar(scores[drawn], own[drawn]) - _tar(single[drawn], own[drawn]))
    low, high = np.quantile(gains, [0.025, 0.975])
    return f"{_tar(scores, own) - _tar(single, own):+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()

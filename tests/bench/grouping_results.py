"""A result with very many faces, whose lines are as long as those of a run; it has no pictures."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from engine.contracts.findings import Basis
from engine.models.catalog import embedded_dir
from tests.publish.samples import as_sent, face, track

_FACES_A_TRACK = 10
_SPREAD = 0.03


def write_large_result(directory: Path, faces: int, embedder_sha256: str) -> Path:
    """Write a result of so many faces, ten a track, with vectors as strangers have them.

    Args:
        directory: is made.
        faces: a multiple of ten.
        embedder_sha256: of the embedder that ships.
    """
    directory.mkdir(parents=True)
    tracks = faces // _FACES_A_TRACK
    rng = np.random.default_rng(0)
    crowd = np.load(embedded_dir() / "dlib_open_set.npz")["crowd"].astype(np.float32).mean(axis=0)
    people = crowd + 0.045 * rng.standard_normal((tracks, 128)).astype(np.float32)
    singles = np.repeat(people, _FACES_A_TRACK, axis=0) + _SPREAD * rng.standard_normal((faces, 128)).astype(np.float32)
    vectors = np.concatenate([singles, people])
    (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f4").tofile(directory / "embeddings_128.f32")
    one, whole = (msgspec.json.decode(msgspec.json.encode(as_sent(body, 0))) for body in (face()[0], track()[0]))
    basis = Basis(10, 2, 40.0, 14.0, 0.4, 0.1, 0.01, moments=10)
    whole |= {"decision": "unknown", "basis": msgspec.to_builtins(basis)}
    one["quality"] = msgspec.to_builtins(replace(face()[0].face.quality, size_px=40.0))
    with (directory / "faces.jsonl").open("w") as lines:
        for row in range(faces):
            where = {"stream": f"camera-{row // _FACES_A_TRACK % 20}", "track_id": row // _FACES_A_TRACK, "seq": row}
            lines.write(json.dumps(one | where | _vector(row) | {"pts_seconds": row / 5}, separators=(",", ":")) + "\n")
    with (directory / "tracks.jsonl").open("w") as lines:
        for at in range(tracks):
            where = {
                "stream": f"camera-{at % 20}",
                "track_id": at,
                "first_pts_seconds": 2.0 * at,
                "last_pts_seconds": 2.0 * at + 2,
            }
            lines.write(json.dumps(whole | where | _vector(faces + at), separators=(",", ":")) + "\n")
    workers = {"enhance-1": {"embedder": "dlib", "embedder_sha256": embedder_sha256}}
    (directory / "run.json").write_text(json.dumps({"run_id": "run1", "workers": workers}), encoding="utf-8")
    return directory


def _vector(row: int) -> dict[str, object]:
    return {"embedding": {"file": "embeddings_128.f32", "row": row}}

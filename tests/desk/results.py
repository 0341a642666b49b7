"""Output directories with tracks of people whose vectors are known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.findings import Candidate
from engine.contracts.frames import Float32
from engine.contracts.messages import Part
from engine.models.catalog import embedded_dir
from engine.publish.numbering import Numbering
from engine.verify.likelihood import read_calibration
from tests.publish.samples import face, track

DLIB = read_calibration(embedded_dir() / "dlib_likelihood.npz").embedder_sha256
"""Vectors of this embedder were measured."""
Walk = tuple[str, str, float]
"""Who, the name that the gallery gives (empty: none), and the first second."""


def person_vector(who: str, look: int = 0, spread: float = 0.02) -> Float32:
    """Return a vector as dlib makes them of a face of somebody: the same person's are alike, two people's are not."""
    crowd = np.load(embedded_dir() / "dlib_open_set.npz")["crowd"].astype(np.float32)
    seed = int.from_bytes(hashlib.sha256(who.encode()).digest()[:4], "big")
    centre = crowd.mean(axis=0) + 0.045 * np.random.default_rng(seed).standard_normal(128)
    vector = centre + spread * np.random.default_rng((seed, look)).standard_normal(128)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def with_vector(parts: Sequence[Part], payloads: list[bytes], vector: Float32) -> list[Part]:
    """Put a vector in the place of the last payload, and return what the payloads are now."""
    payloads[-1] = vector.tobytes()
    return [*parts[:-1], replace(parts[-1], sha256=hashlib.sha256(payloads[-1]).hexdigest())]


def write_result(
    directory: Path,
    walks: Sequence[Walk],
    stream: str = "yard",
    run_id: str = "run1",
    faces: int = 2,
    sha256: str = DLIB,
    gallery_epoch: str = "",
) -> Path:
    """Write a finished run in which each walk is a track, with ids from 1, of two seconds."""
    sink = DirectorySink(OutputConfig(directory=str(directory)), {"run_id": run_id, "started_ns": 1})
    numbering = Numbering(run_id)
    for track_id, (who, name, first) in enumerate(walks, 1):
        candidates = [Candidate(name, 0.98)] if name else []
        decision = "known" if name else "unknown"
        for index in range(faces):
            body, payloads = face(stream, track_id, index, decision=decision, size_px=40, pts_seconds=first + index)
            seen = replace(body.face, quality=replace(body.face.quality, size_px=50.0))
            parts = with_vector(body.parts, payloads, person_vector(who, 100 * track_id + index))
            sink.write(numbering.stamp(replace(body, face=seen, candidates=candidates, parts=parts)), payloads)
        body, payloads = track(stream, track_id, first, first + 2, decision)
        parts = with_vector(body.parts, payloads, person_vector(who, 100 * track_id + 99))
        sink.write(numbering.stamp(replace(body, candidates=candidates, parts=parts)), payloads)
    facts = {"embedder": "dlib", "embedder_sha256": sha256, "gallery_epoch": gallery_epoch}
    sink.close("completed", {"workers": {"enhance-1": facts}})
    return directory

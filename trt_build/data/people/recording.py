"""Tracks of known people: clips are rendered and processed with ``facestream run``, like a user's."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from trt_build.array_files import write_arrays
from trt_build.data.people.scene import FPS, FRAMES, Actor, places, render, ways_of
from trt_build.errors import DataError
from trt_build.work import Done

Arrays = dict[str, NDArray[Any]]
CLIPS_A_RUN = 12
_NEAR = 0.4
"""A track belongs to a face if its boxes are no farther from it than this share of its size."""
_ALIKE = (0.5, 1.8)
"""And if its size is within this factor of the face's."""
NOBODY = ""
"""Owner of a track that belongs to no face: a false alarm, or somebody in the background."""


class Clip(msgspec.Struct, frozen=True):
    """The content of one clip."""

    size_px: float
    seed: int
    names: list[str]
    """The photograph at each place."""


def plan(names: Sequence[str], size_px: float, seed: int) -> list[Clip]:
    """Distribute photographs over as many clips as needed, each once."""
    room = len(places(size_px))
    starts = range(0, len(names), room)
    return [Clip(size_px, seed + number, list(names[at : at + room])) for number, at in enumerate(starts)]


@dataclass(frozen=True)
class Recorder:
    """Records clips and keeps the results of each run in ``folder``, so that an interrupted recording can continue."""

    actors: dict[str, Actor]
    folder: Path
    settings: dict[str, dict[str, Any]]
    """Sections of the configuration of ``facestream run``."""
    ground: Callable[[int], Uint8 | None] = lambda seed: None
    """Returns the background of a clip, by its seed."""

    def record(self, clips: Sequence[Clip], done: Done) -> Arrays:
        """Return all tracks, see ``_tracks_of``.

        Raises:
            DataError: the run fails, or its results cannot be read.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        groups = [clips[at : at + CLIPS_A_RUN] for at in range(0, len(clips), CLIPS_A_RUN)]
        parts = []
        for number, group in enumerate(groups):
            first = group[0]
            path = self.folder / f"{first.size_px:g}px-{first.seed}-{len(group)}.npz"
            if not path.exists():
                write_arrays(path, self._run(group))
            with np.load(path) as stored:
                parts.append({name: stored[name] for name in stored.files})
            done("clips", min((number + 1) * CLIPS_A_RUN, len(clips)), len(clips))
        return joined(parts)

    def _run(self, clips: Sequence[Clip]) -> Arrays:
        with tempfile.TemporaryDirectory(prefix="open-set-") as folder:
            work = Path(folder)
            sources = []
            for number, clip in enumerate(clips):
                path = work / f"c{number}.mp4"
                render(path, [self.actors[name] for name in clip.names], clip.size_px, clip.seed, self.ground(clip.seed))
                sources.append({"uri": str(path), "name": path.stem})
            output = {"directory": str(work / "result"), "report": False}
            config = work / "run.yaml"
            config.write_bytes(msgspec.yaml.encode(self.settings | {"sources": sources, "output": output}))
            command = [sys.executable, "-m", "engine", "run", str(config), "--quiet"]
            run = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
            if run.returncode != 0:
                raise DataError(f"facestream run failed: {run.stderr.strip()[-500:]}")
            return joined([_tracks_of(work / "result", f"c{number}", clip) for number, clip in enumerate(clips)])


def read_tracks(folder: Path) -> Arrays:
    """Return all tracks that were recorded into a folder, see ``_tracks_of``.

    Raises:
        DataError: there are none.
    """
    parts = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            parts.append({name: stored[name] for name in stored.files})
    if not parts:
        raise DataError(f"'{folder}' holds no recorded tracks: `trt-build embedder calibrate` records them.")
    return joined(parts)


def joined(parts: Sequence[Arrays]) -> Arrays:
    """Put the tracks of several runs one after the other."""
    shift, result = 0, list[Arrays]()
    for part in parts:
        result.append(part | {"face_track": part["face_track"] + shift})
        shift += len(part["picture"])
    names = [name for name in result[0] if all(name in part for part in result)]  # earlier recordings lack some arrays
    return {name: np.concatenate([part[name] for part in result]) for name in names}


def _tracks_of(result: Path, stream: str, clip: Clip) -> Arrays:
    """Return the T tracks of a clip with a vector, and their F faces.

    ``picture`` (T,): the photograph, or NOBODY; ``place_px`` (T,): the size at which it was rendered; ``vector`` (T, length):
    fused by the product; ``decision``, ``identity``, ``cosine`` (T,): the product's; ``face_track`` (F,): the track of
    each face; ``face_vector`` (F, length), ``face_seconds``, ``face_detection`` and, of its quality, ``face_weight``,
    ``face_size_px``, ``face_sharpness``, ``face_frontal`` (F,).
    """
    tracks = [line for line in _lines(result / "tracks.jsonl", stream) if line["ended"] and "embedding" in line]
    index = {line["track_id"]: at for at, line in enumerate(tracks)}
    faces = [line for line in _lines(result / "faces.jsonl", stream) if line["track_id"] in index]
    ways = ways_of(len(clip.names), clip.size_px, clip.seed)
    owners = [_owner([face for face in faces if face["track_id"] == one], clip, ways) for one in index]
    best = [line["candidates"][0] if line["candidates"] else {} for line in tracks]
    return {
        "picture": np.array(owners, np.str_),
        "place_px": np.full(len(tracks), clip.size_px, np.float32),
        "vector": _vectors(result, tracks),
        "decision": np.array([line["decision"] for line in tracks], np.str_),
        "identity": np.array([one.get("identity", "") for one in best], np.str_),
        "cosine": np.array([one.get("cosine_original", np.nan) for one in best], np.float32),
        "face_track": np.array([index[face["track_id"]] for face in faces], np.int64),
        "face_vector": _vectors(result, faces),
        "face_seconds": np.array([face["pts_seconds"] for face in faces], np.float64),
        "face_detection": np.array([face["detection_score"] for face in faces], np.float32),
        "face_weight": np.array([face["quality"]["score"] for face in faces], np.float32),
        "face_size_px": np.array([face["quality"]["size_px"] for face in faces], np.float32),
        "face_sharpness": np.array([face["quality"]["sharpness"] for face in faces], np.float32),
        "face_frontal": np.array([face["quality"]["frontal"] for face in faces], np.float32),
        "shown": np.array(clip.names, np.str_),
    }


def _owner(faces: Sequence[dict[str, Any]], clip: Clip, ways: Sequence[NDArray[np.float64]]) -> str:
    """Return the photograph to which all faces of a track belong, or NOBODY."""
    found = set()
    for face in faces:
        x, y, width, height = face["box"]
        at = min(round(face["pts_seconds"] * FPS), FRAMES - 1)
        away = [float(np.hypot(x + width / 2 - steps[at, 0], y + height / 2 - steps[at, 1])) for steps in ways]
        nearest = int(np.argmin(away))
        alike = _ALIKE[0] < float(np.sqrt(width * height)) / clip.size_px < _ALIKE[1]
        found.add(clip.names[nearest] if away[nearest] < _NEAR * clip.size_px and alike else NOBODY)
    return found.pop() if len(found) == 1 else NOBODY


def _vectors(result: Path, lines: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    if not lines:
        return np.zeros((0, 128), np.float32)
    (name,) = {line["embedding"]["file"] for line in lines}
    length = int(name.split("_")[1].split(".")[0])
    return np.fromfile(result / name, "<f4").reshape(-1, length)[[line["embedding"]["row"] for line in lines]]


def _lines(path: Path, stream: str) -> list[dict[str, Any]]:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    return [line for line in lines if line["stream"] == stream]

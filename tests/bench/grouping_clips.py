"""Simulated recordings of people who walk past several cameras: the faces are rendered and go through ``facestream run``."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from pathlib import Path

import numpy as np

from trt_build.data.people.photographs import person_of, read_photographs
from trt_build.data.people.recording import NOBODY, Arrays, Recorder, joined, plan
from trt_build.protocols.open_set.calibration import grounds_of
from trt_build.work import Done

SETTINGS = {
    "detect": {"detector": "grey", "every": 2},
    "super_resolve": {"generator": "none"},  # vectors are of the originals: without one it is faster
    "publish": {"parts": ["embedding"]},
    "crop": {"interval_seconds": 0.4},  # five faces in two seconds, as of a walk of five seconds by default
}

_MOST_LOOKS = 5


def chosen(archive: Path, people: int, most: int, seed: int = 7) -> list[str]:
    """Return the photographs of so many people, at most ``most`` of each; everyone has two at least."""
    of_people: dict[str, list[str]] = defaultdict(list)
    with zipfile.ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            if name.endswith(".jpg"):
                of_people[person_of(name)].append(name)
    rng = np.random.default_rng(seed)
    several = [person for person, names in of_people.items() if len(names) > 1]
    picked = [several[at] for at in rng.permutation(len(several))[:people]]
    return [name for person in picked for name in sorted(of_people[person])[:most]]


def record(
    archive: Path, grounds: Path, folder: Path, people: int, cameras: int, looks: int, size_px: float, done: Done
) -> Arrays:
    """Show everybody once to each camera.

    Args:
        archive: ``PERSON/PICTURE``.
        grounds: pictures without faces, which lie behind.
        folder: keeps what was found: the same arguments go on with it.
        people: that are shown.
        cameras: each with compression, noise, blur and light of its own.
        looks: photographs of a person, one camera after the other, as far as there are so many. 1: the same one everywhere, as
            on one day; more: of other days, mostly years apart.
        size_px: of every face.
        done: for progress.

    Returns:
        ``recording._tracks_of`` of all tracks of these people, and ``camera`` (T,).
    """
    photographs = folder / "photographs"
    if not photographs.is_dir():
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(photographs, chosen(archive, people, _MOST_LOOKS))
    read = read_photographs(photographs, "grey", done)
    actors = {actor.name: actor for actor in read.actors}
    names: dict[str, list[str]] = defaultdict(list)
    for name in sorted(actors):
        names[person_of(name)].append(name)
    recorder = Recorder(actors, folder / f"{looks} looks", SETTINGS, grounds_of(grounds))
    parts = []
    for camera in range(cameras):
        shown = [several[camera % min(looks, len(several))] for several in names.values()]
        np.random.default_rng(camera).shuffle(shown)
        part = recorder.record(plan(shown, size_px, 100_000 * (camera + 1) + 1000 * round(size_px)), lambda *_: None)
        parts.append(part | {"camera": np.full(len(part["picture"]), camera)})
        done(f"cameras at {size_px:g} px", camera + 1, cameras)
    tracks = joined([{key: value for key, value in part.items() if key != "shown"} for part in parts])
    return _only(tracks, tracks["picture"] != NOBODY)


def _only(tracks: Arrays, kept: np.ndarray) -> Arrays:
    place = np.cumsum(kept) - 1
    faces = kept[tracks["face_track"]]
    found = {name: values[faces if name.startswith("face_") else kept] for name, values in tracks.items()}
    return found | {"face_track": place[found["face_track"]]}

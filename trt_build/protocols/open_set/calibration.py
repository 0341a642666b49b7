"""Measures the limits of the default embedder end to end, from photographs to ``engine.verify.open_set.OpenSet``."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.config.verify import VerifyConfig
from engine.contracts.frames import Uint8
from engine.models.catalog import find_model
from engine.verify.embedder import open_embedder
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.open_set import OpenSet
from trt_build.data.chips import load_chip_faces
from trt_build.data.people.group_pictures import read_group_faces
from trt_build.data.people.photographs import Photographs, choose, person_of, read_photographs
from trt_build.data.people.recording import NOBODY, Arrays, Recorder, joined, plan
from trt_build.protocols.open_set.fit import fit
from trt_build.recipes.embedder import EmbedderRecipe
from trt_build.work import Done

SIZES_PX = (16.0, 24.0, 32.0, 48.0)
CROWD = 2500
"""Number of people in the crowd; everyone else is compared with the strangers."""
ROUND = 600
"""Number of faces of one size that are rendered before the next size."""
_MOST_ROUNDS = 40
_SEED = 11


def calibrate(
    recipe: EmbedderRecipe,
    grounds: Path,
    groups: Path,
    detector: str,
    tracks: int,
    folder: Path,
    done: Done,
    sizes_px: Sequence[float] = SIZES_PX,
) -> OpenSet:
    """Record strangers through the product and return their limits.

    The strangers are the people whom the recipe kept apart from the embedder's training: the embedder knows small faces of the
    others too well.

    Args:
        recipe: of the shipped adaptation to small faces.
        grounds: a zip of pictures without faces, for backgrounds.
        groups: a zip of pictures of several people, see ``read_group_faces``.
        detector: as ``detect.detector``.
        tracks: number of strangers' tracks at each size.
        folder: keeps the recordings; the same arguments continue them.
        done: for progress.
        sizes_px: sizes of the faces.

    Raises:
        DataError: a source is missing, a run fails, or the detector finds too few faces.
    """
    strangers = strangers_of(recipe, folder, done)
    photographs = read_photographs(Path(recipe.faces.train), detector, done)
    crowd = crowd_of(photographs, strangers)
    beside = read_group_faces(groups, detector, folder / "cache", done)
    recorded = record_strangers(photographs, strangers, grounds, detector, tracks, folder / "tracks", done, sizes_px)
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    embedder.close()
    return fit(recorded, photographs, crowd, beside, sizes_px, embedder.sha256)


def strangers_of(recipe: EmbedderRecipe, folder: Path, done: Done) -> set[str]:
    """Return the people whom the recipe kept apart from the embedder's training, see ``calibrate``."""
    faces = load_chip_faces(Path(recipe.faces.train), Path(recipe.faces.teacher), folder / "cache", done)
    return set(faces.split(recipe.faces.kept_apart, recipe.seed)[1].people)


def crowd_of(photographs: Photographs, strangers: set[str]) -> list[str]:
    """Return the people of the crowd, who are not compared."""
    others = sorted(set(photographs.of_people()) - strangers)
    return [str(one) for one in np.random.default_rng(_SEED).permutation(others)[:CROWD]]


def record_strangers(
    photographs: Photographs,
    people: set[str],
    grounds: Path,
    detector: str,
    tracks: int,
    folder: Path,
    done: Done,
    sizes_px: Sequence[float] = SIZES_PX,
) -> Arrays:
    """Record people's photographs in turn until there are ``tracks`` tracks of each size, see ``calibrate``."""
    nobody = folder / "nobody.sqlite"
    nobody.parent.mkdir(parents=True, exist_ok=True)
    Gallery(nobody).close()  # a run refuses a gallery that does not exist
    settings: dict[str, dict[str, Any]] = {
        "detect": {"detector": detector},
        "super_resolve": {"generator": "none"},  # decisions rest on the originals
        "verify": {"gallery": str(nobody), "known_cosine": 1.0},  # not by the limits that are being measured
        "publish": {"parts": ["embedding"]},
    }
    recorder = Recorder({one.name: one for one in photographs.actors}, folder, settings, grounds_of(grounds))
    names = [one.name for one in photographs.actors if person_of(one.name) in people]
    parts, count = list[Arrays](), dict.fromkeys(sizes_px, 0)
    for turn in range(_MOST_ROUNDS):
        for size in sizes_px:
            if count[size] >= tracks:
                continue
            shown = choose(names, ROUND, np.random.default_rng((_SEED, turn, int(size))))
            part = recorder.record(plan(shown, size, 1_000_000 * (turn + 1) + 10_000 * int(size)), lambda *_: None)
            count[size] += int((part["picture"] != NOBODY).sum())
            done(f"tracks at {size:g} px", min(count[size], tracks), tracks)
            parts.append(part)
        if min(count.values()) >= tracks:
            break
    return joined(parts)


def grounds_of(archive: Path) -> Callable[[int], Uint8 | None]:
    """Return the backgrounds of clips by seed: plain grey for a third of them, otherwise a picture without faces."""
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.endswith(".jpg"))

    def ground(seed: int) -> Uint8 | None:
        if seed % 3 == 0:
            return None
        with zipfile.ZipFile(archive) as opened:
            data = np.frombuffer(opened.read(names[seed * 7919 % len(names)]), np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)

    return ground

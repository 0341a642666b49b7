"""Tracks of all faces, simulated once and cached: one file for each size and pass, so that interrupted work can continue."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from trt_build.array_files import key_of, write_arrays
from trt_build.data.degradation import Luma8
from trt_build.data.face_sets import subset
from trt_build.data.faces import Faces, cached_faces, to_size
from trt_build.data.tracks.clips import SCALE, Tracks, film, per_clip
from trt_build.errors import DataError
from trt_build.recipes.track import ClipSpec, TrackRecipe
from trt_build.work import Done, WorkCount


def training_tracks(recipe: TrackRecipe, cache: Path, done: Done) -> dict[int, list[Tracks]]:
    """Return training tracks by size, one entry for each pass.

    Raises:
        DataError: faces are missing, smaller than the truth, or the cache cannot be written.
    """
    data = recipe.data
    faces = _large_enough(cached_faces(data.train, cache), recipe)
    if data.faces:
        faces = Faces(faces.images[: data.faces], faces.names[: data.faces])
    key = key_of(Path(data.train))
    work = WorkCount(done, {"tracks": len(faces.names) * sum(data.passes)})
    made: dict[int, list[Tracks]] = {}
    for turn in range(max(data.passes)):  # first one pass of each size
        for size, passes in zip(data.sizes_px, data.passes, strict=True):
            if turn < passes:
                seed = (recipe.seed, turn, size)
                one = _cached_tracks(faces, key, size, recipe.clips, seed, cache, lambda n: work.add("tracks", n))
                made.setdefault(size, []).append(one)
    return made


def validation_tracks(recipe: TrackRecipe, cache: Path) -> dict[tuple[int, int], Tracks]:
    """Return tracks of other people, by size and CRF; each face moves alike at every CRF.

    Raises:
        DataError: as for ``training_tracks``.
    """
    data = recipe.data
    faces = subset(_large_enough(cached_faces(data.validation, cache), recipe), data.validation_faces, recipe.seed)
    key, made = key_of(Path(data.validation)), {}
    for size in data.sizes_px:
        for crf in data.validation_crfs:
            clips = at_crf(recipe.clips, crf)
            made[size, crf] = _cached_tracks(faces, key, size, clips, (recipe.seed, 99, size), cache, lambda _: None)
    return made


def at_crf(clips: ClipSpec, crf: int) -> ClipSpec:
    """Return the settings of clips with rigid, sharp faces at one CRF, with the encoder's default preset."""
    plain = {"blur_share": 0.0, "bending_share": 0.0, "exposure_share": 0.0, "smear_share": 0.0, "noise_max": 4.0}
    encoder = {"crf_min": crf, "crf_max": crf, "raw_share": 0.0, "presets": ("veryfast",), "groups": (50,)}
    return msgspec.structs.replace(clips, **plain, **encoder)


def _cached_tracks(
    faces: Faces, key: str, size: int, spec: ClipSpec, seed: tuple[int, ...], cache: Path, done: Callable[[int], None]
) -> Tracks:
    """Simulate tracks of all faces, in the order of ``faces``, or read earlier ones with the same settings.

    Args:
        faces: from one file.
        key: identifies the content of that file.
        size: side of the small faces in pixels.
        spec: settings of the clips.
        seed: of all randomness.
        cache: folder.
        done: called with the number of newly finished faces.
    """
    settings = msgspec.json.encode((key, faces.names, size, spec, seed))
    path = cache / f"tracks-{size}-{hashlib.sha256(settings).hexdigest()[:12]}.npz"
    if not path.exists():
        tracks = _film_all(to_size(np.asarray(faces.images), SCALE * size), size, spec, seed, done)
        write_arrays(path, {"low": tracks.low, "truth": tracks.truth, "affine": tracks.affine})
        return tracks
    done(len(faces.names))
    with np.load(path) as stored:
        return Tracks(stored["low"], stored["truth"], stored["affine"])


def _film_all(high: Luma8, size: int, spec: ClipSpec, seed: tuple[int, ...], done: Callable[[int], None]) -> Tracks:
    """Simulate tracks of (T, 4 size, 4 size) faces, as many in a clip as fit; see ``film``."""
    order = np.random.default_rng((*seed, 1)).permutation(len(high))
    low = np.empty((len(high), spec.kept, size, size), np.uint8)
    truth = np.empty_like(high)
    affine = np.empty((len(high), spec.kept, 2, 3), np.float32)
    for start in range(0, len(high), per_clip(size)):
        chosen = order[start : start + per_clip(size)]
        clip = film(high[chosen], spec, np.random.default_rng((*seed, 2, start)), size)
        low[chosen], truth[chosen], affine[chosen] = clip.low, clip.truth, clip.affine
        done(len(chosen))
    return Tracks(low, truth, affine)


def _large_enough(faces: Faces, recipe: TrackRecipe) -> Faces:
    largest, side = SCALE * max(recipe.data.sizes_px), faces.images.shape[1]
    if side < largest:
        raise DataError(f"The faces have {side} px, and data.sizes_px ask for truth of {largest} px: lower them.")
    return faces

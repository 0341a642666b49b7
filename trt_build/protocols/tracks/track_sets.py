"""Simulated test tracks: faces of people in no training set, filmed by a simulated camera, with the truth of the
first frame.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from trt_build.array_files import key_of, write_arrays
from trt_build.data.faces import Faces, load_faces, to_size
from trt_build.data.tracks.bank import at_crf
from trt_build.data.tracks.clips import SCALE, film
from trt_build.errors import DataError
from trt_build.recipes.track import ClipSpec
from trt_build.work import Done

KINDS = ("clean", "camera", "crf18", "crf23", "crf28")
SIZES_PX = (12, 16, 24, 32)
"""Sides of the pictures; the faces are about half as wide."""
_TOGETHER = 34
"""Number of faces in one clip, which share its noise."""
_PLAIN = {"blur_share": 0.0, "bending_share": 0.0, "exposure_share": 0.0, "smear_share": 0.0}
_NOISY = {"blur_share": 0.5, "bending_share": 0.0, "exposure_share": 0.5, "smear_share": 0.3}


@dataclass(frozen=True)
class TrackSet:
    """T tracks of K frames; the first frame is the reference."""

    kind: str
    low_px: int
    low: Uint8
    """(T, K, h, w), full-range luma."""
    truth: Uint8
    """(T, 4 h, 4 w): what the reference shows, before the camera."""
    affine: NDArray[np.float32] | None
    """(T, K, 2, 3): from pixels of the enlarged reference to those of the enlarged frame, if known."""
    people: tuple[str, ...]
    """Person or clip piece of each track: the units that are drawn for the intervals."""
    truths: Uint8 | None = None
    """(T, K, 4 h, 4 w): the truth of each frame, if faces deform so that no map relates the frames."""
    qp: NDArray[np.floating] | None = None
    """(T, K): see ``Tracks.qp``."""


@dataclass(frozen=True)
class People:
    """Two photographs of each of P people, uint8 (P, S, S)."""

    probes: Uint8
    references: Uint8
    names: tuple[str, ...]
    key: str
    """SHA-256 of the file."""


def two_pictures_each(source: Path, most: int | None = None, seed: int = 0) -> People:
    """Return the first two photographs of everybody who has two, or of ``most`` such people drawn by the seed.

    Raises:
        DataError: there are fewer than two such people, or the pictures cannot be read.
    """
    faces: Faces = load_faces(source)
    of_person: dict[str, list[int]] = {}
    for index, person in enumerate(faces.identities()):
        of_person.setdefault(person, []).append(index)
    chosen = [name for name, places in of_person.items() if len(places) >= 2]
    if most is not None and most < len(chosen):
        chosen = [chosen[at] for at in sorted(np.random.default_rng(seed).permutation(len(chosen))[:most])]
    if len(chosen) < 2:
        raise DataError(f"'{source}' has no two people with two pictures each: choose faces in folders of their people.")
    first, second = ([of_person[name][at] for name in chosen] for at in (0, 1))
    return People(faces.images[first], faces.images[second], tuple(chosen), key_of(source))


def clip_spec(kind: str) -> ClipSpec:
    """Return the clip settings of a kind: rigid faces, eight frames of a second."""
    if kind.startswith("crf"):
        return at_crf(ClipSpec(), int(kind[3:]))
    noisy = kind == "camera"
    return replace(ClipSpec(), raw_share=1.0, noise_max=8.0 if noisy else 0.0, **(_NOISY if noisy else _PLAIN))


def simulated(people: People, kind: str, low_px: int, seed: int, cache: Path, done: Done) -> TrackSet:
    """Simulate tracks of everybody's first photograph, or read cached ones.

    Args:
        people: from ``two_pictures_each``.
        kind: one of ``KINDS``, or ``crf`` and another number.
        low_px: side of the frames.
        seed: of the movements and the noise.
        cache: folder.
        done: for progress.
    """
    spec = clip_spec(kind)
    key = hashlib.sha256(msgspec.json.encode((people.key, people.names, spec, low_px, seed))).hexdigest()[:12]
    path = cache / f"measured-tracks-qp-{low_px}-{key}.npz"
    if not path.exists():
        sharp = to_size(people.probes, SCALE * low_px)
        parts = []
        for start in range(0, len(sharp), _TOGETHER):
            some = sharp[start : start + _TOGETHER]
            parts.append(film(some, spec, np.random.default_rng((seed, low_px, start)), low_px))
            done(f"filming {kind} {low_px} px", start + len(some), len(sharp))
        names = ("low", "truth", "affine", "qp")
        write_arrays(path, {name: np.concatenate([getattr(one, name) for one in parts]) for name in names})
    with np.load(path) as stored:
        return TrackSet(kind, low_px, stored["low"], stored["truth"], stored["affine"], people.names, qp=stored["qp"])


def with_strangers(tracks: TrackSet, seed: int) -> tuple[TrackSet, NDArray[np.int64]]:
    """Return the tracks with one frame of each, never the first, replaced by somebody else's, and its index: (T,)."""
    rng = np.random.default_rng(seed)
    low = tracks.low.copy()
    places = rng.integers(1, low.shape[1], len(low))
    strangers = [
        next(at for at in _after(track, len(low)) if tracks.people[at] != tracks.people[track]) for track in range(len(low))
    ]
    low[np.arange(len(low)), places] = tracks.low[strangers, 0]
    return dataclasses.replace(tracks, low=low), places


def _after(index: int, count: int) -> Iterator[int]:
    return ((index + step) % count for step in range(1, count + 1))

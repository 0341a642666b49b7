"""One picture from several frames of one face: register, leave out what does not fit, fuse, keep to the reference.

shot = TrackShot(crop.planes.y, crop.landmarks_in_crop(), crop.quality.score, face.luma, qp_there(crop.quality))
picture = fuse_track([shot, ...], Average())

Luma only, in the range of its stream. Colour is the reference's: ``enlarge_planes(reference.planes, scale, picture.luma)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.super_resolve.reference_consistency import keep_to_reference
from engine.super_resolve.registration import Registration, reference_of, register
from engine.super_resolve.seen_shots import SeenShots, TrackShot, seen_by_first

_LEAST_WEIGHT = 0.2
"""Least weight of a shot, as a share of the best one's: even a poor frame samples the face at other places."""
_AGREE, _CONTRADICT = 8.0, 40.0
"""Standard deviations in grey levels: below the first, frames differ only by noise; above the second, they show different
things.
"""
_NEAR_PX = 5
"""Side of the square over which agreement is averaged, in pixels of the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackPicture:
    """One picture of a face, made of several frames."""

    luma: Uint8
    """(scale h, scale w), aligned with the reference's crop and in the range of the shots."""
    agreement: Uint8
    """Same shape: 255 where the frames agree but for noise, 0 where they contradict each other; 255 everywhere for a single
    frame. It does not depend on how they are fused: see ``SeenShots.deviation``.
    """
    reference: int
    """Index of the shot with which it is aligned."""
    weights: tuple[float, ...]
    """Share of each shot; they sum to 1. 0: the shot was left out, because it shows somebody else or could not be registered.
    The reference's share includes what it alone had to supply; if that is everything, because the face turned, the others have
    0 too.
    """
    likeness: tuple[float, ...]
    """Correlation of each shot with the mean of the others that were used, -1 to 1."""
    fusion: str
    """Name of the fusion."""


class Fusion(Protocol):
    """Fuses registered frames into one picture. ``fuse`` may be called from several threads."""

    name: str
    scale: int

    def fuse(self, shots: SeenShots, full_range: bool) -> Float32:
        """Return the picture, (scale h, scale w) in grey levels.

        Args:
            shots: registered, two or more.
            full_range: luma is 0 to 255; False: 16 to 235.

        Raises:
            InferenceError: the model fails.
        """
        ...


def fuse_track(shots: Sequence[TrackShot], fusion: Fusion, *, full_range: bool = False) -> TrackPicture | None:
    """Return one picture made of the shots of one track, or None if they do not fit each other.

    The best shot is the reference; if it does not fit the others, the best of those that do. Exposure may differ. If only one
    shot is left, its own enlargement is returned, whatever the fusion; ``keep_to_reference`` says how far a fusion of several
    may depart from the reference.

    Args:
        shots: one or more, in any order; more than 8 gain little.
        fusion: ``Average`` or ``TrackNetwork``.
        full_range: luma is 0 to 255; False: 16 to 235, as in video.

    Raises:
        ValueError: there is no shot.
        InferenceError: the model fails.
    """
    if not shots:
        raise ValueError("0 crops cannot be fused: give at least one")
    reference, found = _registered(shots, fusion.scale)
    return fuse_registered(shots, found, reference, fusion, full_range=full_range) if found.agrees[reference] else None


def fuse_registered(
    shots: Sequence[TrackShot], found: Registration, reference: int, fusion: Fusion, *, full_range: bool = False
) -> TrackPicture:
    """Fuse the shots that agree, after ``register`` onto the reference; see ``fuse_track``."""
    order, seen = that_agree(shots, found, reference, fusion.scale)
    picture, alone = keep_to_reference(fusion.fuse(seen, full_range), seen) if len(order) > 1 else (seen.seen[0], 1.0)
    shares = np.zeros(len(shots))
    shares[order] = (1 - alone) * seen.weights / seen.weights.sum()
    shares[reference] += alone
    return TrackPicture(
        luma=np.clip(np.rint(picture), 0, 255).astype(np.uint8),
        agreement=_agreement(seen.deviation()),
        reference=reference,
        weights=tuple(shares.tolist()),
        likeness=tuple(found.likeness.tolist()),
        fusion=fusion.name,
    )


def that_agree(shots: Sequence[TrackShot], found: Registration, reference: int, scale: int) -> tuple[list[int], SeenShots]:
    """Return the indices of the shots that agree, the reference first, and those shots warped to it."""
    order = [reference, *(place for place in np.flatnonzero(found.agrees).tolist() if place != reference)]
    weights = np.array([shots[place].weight for place in order], np.float32)
    weights = np.maximum(weights / weights.max(), _LEAST_WEIGHT)
    shape = shots[reference].luma.shape
    fitted = [_fitted(shots[place], found.warps[place], (shape[0], shape[1]), scale) for place in order]
    warps = np.stack([warp for _, warp in fitted])
    return order, seen_by_first([shot for shot, _ in fitted], warps, weights, scale)


def _registered(shots: Sequence[TrackShot], scale: int) -> tuple[int, Registration]:
    """Register to the best shot; if the others do not agree with it, register again to the best of those."""
    lows, landmarks = [shot.luma for shot in shots], [shot.landmarks for shot in shots]
    qualities = np.array([shot.weight for shot in shots])
    reference = reference_of(lows, qualities.tolist())
    found = register(lows, landmarks, reference, scale)
    if not found.agrees[reference] and found.agrees.any():
        reference = int(np.where(found.agrees, qualities, -np.inf).argmax())
        found = register(lows, landmarks, reference, scale)
    return reference, found


def _fitted(shot: TrackShot, warp: Float32, shape: tuple[int, int], scale: int) -> tuple[TrackShot, Float32]:
    """Crop or pad a shot to the reference's size, centred on what the reference's centre maps to, and adapt the warp."""
    height, width = shape
    middle = np.array([width, height]) * scale / 2 - 0.5
    there = (warp[:, :2] @ middle + warp[:, 2] + 0.5) / scale
    left, top = np.rint(there - np.array([width, height]) / 2).astype(int).tolist()
    if (left, top) == (0, 0) and shot.luma.shape == shape:
        return shot, warp
    moved = warp.copy()
    moved[:, 2] -= np.array([left, top], np.float32) * scale
    enlarged = (
        None if shot.enlarged is None else _window(shot.enlarged, left * scale, top * scale, height * scale, width * scale)
    )
    landmarks = None if shot.landmarks is None else shot.landmarks - np.array([left, top])
    return TrackShot(_window(shot.luma, left, top, height, width), landmarks, shot.weight, enlarged, shot.qp), moved


def _window(picture: Uint8, left: int, top: int, height: int, width: int) -> Uint8:
    """Return a (height, width) window of a picture; its border is repeated outwards."""
    rows = np.clip(np.arange(top, top + height), 0, picture.shape[0] - 1)
    columns = np.clip(np.arange(left, left + width), 0, picture.shape[1] - 1)
    return np.asarray(picture[np.ix_(rows, columns)], np.uint8)


def _agreement(deviation: Float32) -> Uint8:
    near = cv2.blur(deviation, (_NEAR_PX, _NEAR_PX), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(np.clip((_CONTRADICT - near) / (_CONTRADICT - _AGREE), 0, 1) * 255, np.uint8)

"""What makes one picture of several shots of a face: of small ones the network for it where it is there, else the mean of
enhanced frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from engine.config import SuperResolveConfig
from engine.contracts.frames import Uint8
from engine.enhancement.best_shots import Shot
from engine.super_resolve.generator import Generator
from engine.super_resolve.interpolation import INTERPOLATIONS
from engine.super_resolve.seen_shots import TrackShot, qp_there
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_network import TrackNetwork, open_fusion
from engine.super_resolve.track_picture import Fusion, TrackPicture, fuse_track

LEAST_AGREEMENT = 0.85
"""On the face, in the mean: below that somebody turned, or was covered. Of 19 tracks of cameras and a television those of
one look had 0.89 to 1, the others 0.66 to 0.80: between the enhanced frames as they came, whatever fuses them."""
_SETTLED = 0.5
"""Agreement from which on the frames decide together."""
_AROUND = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7))
"""In pixels of the crop: what has moved is taken from one frame as a whole, not its outline alone."""


class TrackFuser:
    """Fuses shots of one size of enlargement; large ones by their mean, whatever the fusion is.

    Args:
        fusion: taken over; ``close`` closes it.
        enlarged_by: the generator that enlarged the shots.
    """

    def __init__(self, fusion: Fusion, enlarged_by: str) -> None:
        self._fusion, self._enlarged_by = fusion, enlarged_by
        self._mean = Average(fusion.scale)
        self.network = fusion if isinstance(fusion, TrackNetwork) else None
        """None: it is the mean of what the generator gives."""

    def fuse(self, shots: Sequence[Shot], /) -> TrackPicture | None:
        """See ``Fuser``."""
        taken = [_taken(one) for one in shots]
        fusion = self._fusion if self._suits(shots) else self._mean
        made = fuse_track(taken, fusion, full_range=shots[0].crop.planes.full_range)
        if made is None or agreement_on_face(made, shots[made.reference]) < LEAST_AGREEMENT:
            return None
        name = fusion.name if fusion is self.network else f"{fusion.name} of {self._enlarged_by}"
        return replace(made, luma=_settled(made, shots[made.reference]), fusion=name)

    def _suits(self, shots: Sequence[Shot]) -> bool:
        side_px = math.sqrt(max(one.crop.planes.y.size for one in shots))
        return self.network is None or side_px <= self.network.largest_side_px

    def close(self) -> None:
        """Free it."""
        if self.network is not None:
            self.network.close()


def _taken(shot: Shot) -> TrackShot:
    crop = shot.crop
    return TrackShot(crop.planes.y, crop.landmarks_in_crop(), shot.score, shot.luma, qp_there(crop.quality))


def agreement_on_face(made: TrackPicture, reference: Shot) -> float:
    """Return how far the frames agree within the face box, 0 to 1."""
    left, top = (reference.crop.box[axis] - reference.crop.crop_box[axis] for axis in (0, 1))
    _, _, width, height = reference.crop.box
    rows, columns = (slice(max(0, round(low * reference.scale)), round((low + length) * reference.scale)) for low, length in
                     ((top, height), (left, width)))  # fmt: skip
    face = made.agreement[rows, columns]
    return float(face.mean()) / 255 if face.size else 0.0


def _settled(made: TrackPicture, reference: Shot) -> Uint8:
    """Return the picture without ghosts: where the frames contradict each other, and near by, it shows the reference."""
    height, width = reference.crop.planes.y.shape
    agreement = cv2.erode(made.agreement, np.ones((reference.scale, reference.scale), np.uint8))
    agreement = cv2.resize(agreement, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    doubt = cv2.dilate(np.clip(1.0 - agreement / (255 * _SETTLED), 0.0, 1.0), _AROUND)
    share = cv2.resize(cv2.GaussianBlur(doubt, (0, 0), 1.5), made.luma.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mixed = made.luma + share * (reference.luma.astype(np.float32) - made.luma)
    return np.asarray(np.rint(mixed), np.uint8)


def open_fuser(
    config: SuperResolveConfig, generator: Generator | None, find_model: Callable[[str], Path | None]
) -> TrackFuser | None:
    """Return what fuses the faces that a generator enlarges; None where it is not asked for.

    A network infers detail: it fuses only where the generator is one, too, and its whole result is wanted.

    Raises:
        ModelError: the network is there, but corrupt.
    """
    if generator is None or not config.track_pictures:
        return None
    plain = config.generator in INTERPOLATIONS or config.strength < 1.0
    fusion = Average(generator.scale) if plain else open_fusion(find_model, generator.scale)
    return TrackFuser(fusion, generator.name)

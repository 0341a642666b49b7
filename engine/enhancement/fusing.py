"""What makes one picture of several shots of a face: the network for it where it is there, else the mean of enhanced frames."""

from __future__ import annotations

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
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_network import TrackNetwork, open_fusion
from engine.super_resolve.track_picture import Fusion, TrackPicture, TrackShot, fuse_track

_SETTLED = 0.5
"""Agreement from which on the frames decide together."""
_AROUND_PX = 3
"""Of the crop: one thing that moved is taken from one frame, not its outline alone."""


class TrackFuser:
    """Fuses shots of one size of enlargement.

    Args:
        fusion: taken over; ``close`` closes it.
        enlarged_by: the generator that enlarged the shots.
    """

    def __init__(self, fusion: Fusion, enlarged_by: str) -> None:
        self._fusion = fusion
        self.network = fusion if isinstance(fusion, TrackNetwork) else None
        """None: it is the mean of what the generator gives."""
        self.name = fusion.name if self.network else f"{fusion.name} of {enlarged_by}"

    def fuse(self, shots: Sequence[Shot], /) -> TrackPicture | None:
        """See ``Fuser``."""
        taken = [TrackShot(one.crop.planes.y, one.crop.landmarks_in_crop(), one.score, one.luma) for one in shots]
        made = fuse_track(taken, self._fusion, full_range=shots[0].crop.planes.full_range)
        return made and replace(made, luma=_settled(made, shots[made.reference]))

    def close(self) -> None:
        """Free it."""
        if self.network is not None:
            self.network.close()


def _settled(made: TrackPicture, reference: Shot) -> Uint8:
    """Return the picture without ghosts: where the frames contradict each other, and near by, it shows the reference."""
    doubt = np.clip((_SETTLED - made.agreement.astype(np.float32) / 255) / _SETTLED, 0.0, 1.0)
    around = _AROUND_PX * reference.scale
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * around + 1, 2 * around + 1))
    doubt = cv2.GaussianBlur(cv2.dilate(doubt, disc), (0, 0), around / 2)
    mixed = made.luma + doubt * (reference.luma.astype(np.float32) - made.luma)
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

"""Of a track that goes on the few faces that are worth making one picture of: good ones, of different moments."""

from __future__ import annotations

from dataclasses import dataclass

from engine.contracts.faces import FaceCrop
from engine.contracts.frames import Uint8
from engine.contracts.intervals import reaches

MOST_SHOTS = 8
"""More gain little, and cost as much as the first ones."""
_APART_SECONDS = 0.1
"""Nearer ones are of one moment: the codec has copied most of one into the other, with its errors."""
_SPREAD_SECONDS = 1.0
"""So far from its neighbours a face shows a moment of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One face of a track, as it came and enlarged."""

    crop: FaceCrop
    luma: Uint8
    """(height * scale, width * scale) of the crop, in the range of its stream."""
    scale: int
    whole: float = 1.0
    """Share of the face with its margin that is in the crop: less at the border of the frame."""

    @property
    def seconds(self) -> float:
        """By the stream's clock."""
        return self.crop.time.pts_seconds

    @property
    def score(self) -> float:
        """How good it is to make a picture of."""
        return self.crop.quality.score * self.whole**2

    @property
    def colours(self) -> tuple[str, bool]:
        """What its values mean: the matrix, and whether luma is 0 to 255. A stream may change it on the way."""
        return self.crop.planes.matrix, self.crop.planes.full_range

    @property
    def size_bytes(self) -> int:
        """Of its pixels."""
        planes = self.crop.planes
        return sum(plane.nbytes for plane in (planes.y, planes.u, planes.v, self.luma))


def whole_share(crop: FaceCrop, margin: float) -> float:
    """Return the share of a face with its margin that is in its crop, 0 to 1.

    Args:
        crop: of the face.
        margin: on each side, as a share of the face box.
    """
    _, _, width, height = crop.box
    wanted = (1 + 2 * margin) ** 2 * width * height
    return min(1.0, crop.crop_box[2] * crop.crop_box[3] / wanted) if wanted > 0 else 1.0


class BestShots:
    """At most ``MOST_SHOTS`` faces of one track, no two of one moment.

    Of two of one moment the better one stays. Where there are too many the one goes that is worth least: its quality, less
    where a neighbour is near in time.
    """

    def __init__(self) -> None:
        self.shots: list[Shot] = []
        """By time."""
        self.size_bytes = 0
        """Of all their pixels."""

    @property
    def worth(self) -> float:
        """All that they are worth together: it doubles where there are twice as many, or all are twice as good."""
        return sum(shot.score for shot in self.shots)

    def offer(self, shot: Shot) -> None:
        """Keep a face if it is among the best; damaged ones are not, and none whose colours mean something else than its."""
        if shot.crop.quality.damaged:
            return
        alike = [kept for kept in self.shots if kept.colours == shot.colours]
        near = [kept for kept in alike if not reaches(abs(kept.seconds - shot.seconds), _APART_SECONDS)]
        if any(kept.score >= shot.score for kept in near):
            return
        kept = [*(one for one in alike if one not in near), shot]
        kept.sort(key=lambda one: one.seconds)
        if len(kept) > MOST_SHOTS:
            kept.remove(min(kept, key=lambda one: _worth(one, kept)))
        self.shots = kept
        self.size_bytes = sum(one.size_bytes for one in kept)


def _worth(shot: Shot, among: list[Shot]) -> float:
    nearest = min(abs(other.seconds - shot.seconds) for other in among if other is not shot)
    return shot.score * min(1.0, nearest / _SPREAD_SECONDS)

"""Training batches as a pure function of the step number: windows around candidates, as from a camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.detect.face_places import POINTS, places_in
from engine.detect.face_windows import CONTEXTS, SIDE_PX, face_windows, near_squares
from trt_build.data.batches import ENDLESS
from trt_build.data.degradation import Random
from trt_build.data.scenes.geometry import moved_boxes, moved_points, overlaps, resized, turn_about, warp
from trt_build.data.scenes.photography import photograph
from trt_build.data.scenes.teacher import Labelled
from trt_build.measures.resample import to_levels
from trt_build.recipes.second_look import SecondLookRecipe
from trt_build.systems.second_look.candidates import Candidates, sorted_by_labels

_LARGEST_PX, _LARGEST_ENLARGED = 56.0, 1.6
_UNTOUCHED = 0.3
_SURE_SCORE = 0.35
_MARGIN = 1.15
"""Size of the outer window, relative to the final crop."""
_TRIES = 8
_VIEWS = 3
"""Number of crops of each simulated picture, because simulating takes longer than cropping."""
_ASTRAY = 0.15
"""Share of the labelled faces with an inaccurate box, like a detector's below 20 px."""
Batch = tuple[Uint8, Float32, Float32]


@dataclass(frozen=True)
class _Place:
    """A box in a picture, how it is shown, and its label."""

    image: Uint8
    box: Float32
    scale: float
    truth: tuple[Float32, Float32] | None = None
    """Box (4,) and landmarks (5, 2) of its face; None: not a face."""
    spread: float = 1.0
    """Inaccuracy of the boxes of its views, relative to a detector's."""

    @property
    def is_face(self) -> bool:
        """Whether it is a face."""
        return self.truth is not None


@dataclass(frozen=True)
class _Rows:
    """Some candidates of one part."""

    numbers: NDArray[np.int64]
    reached: NDArray[np.floating]
    """Cumulative sum of the losses."""

    def __len__(self) -> int:
        return len(self.numbers)

    def one(self, hard: float, rng: Random) -> int:
        """Draw one; ``hard``: share drawn by loss."""
        if hard and self.reached[-1] > 0 and rng.random() < hard:
            return int(self.numbers[np.searchsorted(self.reached, rng.uniform(0, self.reached[-1]), side="right")])
        return int(self.numbers[rng.integers(len(self))])


class WindowBatches:
    """``batches[step]``: windows (B, contexts, 40, 40) uint8; 1 for a face, otherwise 0, (B,) float32; and places (B, 7, 2),
    NaN if there is no face or they are unknown.
    """

    def __init__(
        self, candidates: Sequence[Candidates], recipe: SecondLookRecipe, losses: Sequence[NDArray[np.floating]] | None = None
    ) -> None:
        """Draw from ``candidates``; ``losses``: of each candidate, larger for harder ones; without them all are
        equally hard.
        """
        self._parts, self._recipe = candidates, recipe
        losses = losses or [np.ones(len(part)) for part in candidates]
        self._faces = _by_part(candidates, losses, lambda one: one.is_face)
        self._alarms = _by_part(candidates, losses, lambda one: ~one.is_face)
        self._sure = _by_part(candidates, losses, lambda one: ~one.is_face & (one.scores >= _SURE_SCORE))
        self._labelled = [one for part in candidates for one in part.pictures if len(one.boxes)]
        self._anywhere = [one for part in candidates for one in part.pictures]

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self._recipe.seed, step))
        drawn = [self._draw(rng) for _ in range(-(-self._recipe.batch // _VIEWS))]
        views = [windows_of(place, _VIEWS, rng) for place in drawn]
        windows, places = (np.concatenate(some) for some in zip(*views, strict=True))
        is_face = np.repeat(np.array([place.is_face for place in drawn], np.float32), _VIEWS)
        return windows[: self._recipe.batch], is_face[: self._recipe.batch], places[: self._recipe.batch]

    def _draw(self, rng: Random) -> _Place:
        spec, draw = self._recipe.draw, rng.random()
        if draw < spec.found:
            return self._candidate(self._faces, rng)
        if draw < spec.found + spec.labelled:
            one = self._labelled[rng.integers(len(self._labelled))]
            at = int(rng.integers(len(one.boxes)))
            width = np.exp(rng.uniform(np.log(spec.smallest_px), np.log(spec.largest_px)))
            scale = min(_LARGEST_ENLARGED, float(width / max(one.boxes[at, 2], 1.0)))
            astray = 3.0 if rng.random() < _ASTRAY else 1.0
            return _Place(one.image, one.boxes[at], scale, (one.boxes[at], one.points[at]), astray)
        if draw < spec.found + spec.labelled + spec.elsewhere and (place := self._elsewhere(rng)) is not None:
            return place
        sure = any(map(len, self._sure)) and rng.random() < spec.sure
        return self._candidate(self._sure if sure else self._alarms, rng)

    def _candidate(self, rows: list[_Rows], rng: Random) -> _Place:
        """Return a candidate of any part; a part ten times as large is drawn three times as often."""
        often = np.sqrt([len(some) for some in rows])
        part = int(rng.choice(len(rows), p=often / often.sum()))
        found, at = self._parts[part], rows[part].one(self._recipe.draw.hard, rng)
        scale = float(found.scales[at]) * float(np.exp(rng.normal(0, 0.15)))
        picture = found.pictures[found.picture[at]]
        truth = _truth_of(found.boxes[at], picture) if found.is_face[at] else None
        return _Place(picture.image, found.boxes[at], scale, truth)

    def _elsewhere(self, rng: Random) -> _Place | None:
        one = self._anywhere[rng.integers(len(self._anywhere))]
        height, width = one.image.shape
        for _ in range(_TRIES):
            across = float(np.exp(rng.uniform(np.log(8), np.log(max(9.0, 0.4 * min(height, width))))))
            size = np.array([across, across * rng.uniform(1.0, 1.5)])
            corner = rng.uniform(0, 1, 2) * np.maximum(1, np.array([width, height]) - size)
            box = np.concatenate([corner, size]).astype(np.float32)
            if sorted_by_labels(box[None], one)[1][0]:
                return _Place(one.image, box, min(1.0, float(self._recipe.draw.largest_px / across)))
        return None


def _by_part(
    candidates: Sequence[Candidates],
    losses: Sequence[NDArray[np.floating]],
    chosen: Callable[[Candidates], NDArray[np.bool_]],
) -> list[_Rows]:
    rows = [np.flatnonzero(chosen(one)) for one in candidates]
    return [_Rows(some, np.cumsum(every[some])) for some, every in zip(rows, losses, strict=True)]


def _truth_of(box: Float32, picture: Labelled) -> tuple[Float32, Float32]:
    """Return box (4,) and landmarks (5, 2) of the labelled face that a box (4,) overlaps most; the picture has faces."""
    at = int(overlaps(box[None], picture.boxes)[0].argmax())
    return picture.boxes[at], picture.points[at]


def windows_of(place: _Place, count: int, rng: Random) -> tuple[Uint8, Float32]:
    """Return views of one place (count, contexts, 40, 40) and the places in them (count, 7, 2): rotated and degraded once,
    shifted and mirrored each time.
    """
    size = float(np.sqrt(place.box[2:].prod()))
    scale = min(place.scale, _LARGEST_PX / size)
    side = 2 * int(np.ceil(max(24.0, _MARGIN * CONTEXTS[-1] * size * scale) / 2))
    middle = place.box[:2] + place.box[2:] / 2
    angle, stretch = rng.uniform(-30, 30) if rng.random() < 0.15 else rng.normal(0, 4), float(rng.uniform(0.93, 1.07))
    matrix = turn_about(middle.astype(np.float64), (side / 2, side / 2), scale, angle, stretch)
    cut = warp(_part(place.image, middle, side / scale), _moved(matrix, place.image, middle, side / scale), scale, side, 1)
    image = to_levels(cut) if rng.random() < _UNTOUCHED else photograph(cut, rng)
    boxes = np.concatenate([_jittered(place.box[2:] * scale, side, place.spread, rng) for _ in range(count)])
    windows, places = face_windows(image, boxes), np.full((count, POINTS, 2), np.nan, np.float32)
    if place.truth is not None:
        # Pixel centres lie at whole numbers for a matrix, and half a pixel further for a box.
        half = np.array([0.5, 0.5, 0, 0], np.float32)
        box = moved_boxes(place.truth[0][None] - half, matrix, scale, stretch) + half
        points = moved_points(place.truth[1] - np.float32(0.5), matrix)[None] + np.float32(0.5)
        squares = near_squares(image.shape, boxes)
        places = places_in(squares, box.repeat(count, axis=0), points.repeat(count, axis=0))
    windows[::2] = windows[::2, :, :, ::-1].copy()
    places[::2] = mirrored(places[::2])
    return windows, places


def mirrored(places: Float32) -> Float32:
    """Return places (N, 7, 2) in mirrored squares: left and right are exchanged."""
    turned = places[:, [0, 1, 3, 2, 4, 6, 5]] * np.array([-1, 1], np.float32)
    turned[:, :2, 0] = turned[:, 1::-1, 0]
    return np.asarray(turned, np.float32)


def _span(image: Uint8, middle: NDArray[np.floating], span: float) -> tuple[slice, slice]:
    """Return the rows and columns that a window can need, rotated or not."""
    reach = 0.75 * span + 4
    low = np.clip(np.floor(middle - reach), 0, np.array(image.shape[::-1]) - 1).astype(int)
    high = np.clip(np.ceil(middle + reach), 1, np.array(image.shape[::-1])).astype(int)
    high = np.maximum(high, low + 1)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _part(image: Uint8, middle: NDArray[np.floating], span: float) -> Float32:
    return image[_span(image, middle, span)].astype(np.float32)


def _moved(matrix: NDArray[np.float64], image: Uint8, middle: NDArray[np.floating], span: float) -> NDArray[np.float64]:
    """Return the matrix for the part that ``_part`` returns."""
    rows, columns = _span(image, middle, span)
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2] @ (columns.start, rows.start)
    return moved


def _jittered(size: NDArray[np.floating], side: int, spread: float, rng: Random) -> Float32:
    """Return a box (1, 4) of about this size around the centre of a window, with a detector's inaccuracy."""
    size = size * np.exp(rng.normal(0, 0.1 * spread)) * np.exp(rng.normal(0, 0.04, 2))
    middle = side / 2 + rng.normal(0, 0.06 * spread, 2) * size
    return np.concatenate([middle - size / 2, size]).astype(np.float32)[None]


def plain_windows(candidates: Candidates) -> tuple[Uint8, Float32]:
    """Return the second look's input for each candidate, (N, contexts, 40, 40), at the scale at which it was found, and the
    places of the faces (N, 7, 2).
    """
    windows = np.zeros((len(candidates), len(CONTEXTS), SIDE_PX, SIDE_PX), np.uint8)
    places = np.full((len(candidates), POINTS, 2), np.nan, np.float32)
    shown: tuple[int, float] | None = None
    image = np.zeros((8, 8), np.uint8)
    for at in range(len(candidates)):
        wanted = int(candidates.picture[at]), float(candidates.scales[at])
        picture = candidates.pictures[wanted[0]]
        if wanted != shown:
            shown, image = wanted, resized(picture.image, wanted[1])
        factor = np.array([image.shape[1] / picture.image.shape[1], image.shape[0] / picture.image.shape[0]] * 2, np.float32)
        shown_box = candidates.boxes[at][None] * factor
        windows[at] = face_windows(image, shown_box)[0]
        if candidates.is_face[at]:
            box, points = _truth_of(candidates.boxes[at], picture)
            square = near_squares(image.shape, shown_box)
            places[at] = places_in(square, box[None] * factor, points[None] * factor[:2])[0]
    return windows, places

"""What is drawn into a picture: boxes, names, enhanced faces and the clock."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.client.results import Run
from engine.contracts.findings import Decision
from engine.contracts.frames import FrameTime, Planes, Uint8
from engine.footage.canvas import Box, Canvas, fitted
from engine.footage.lettering import Colour, lettered
from engine.results.cast import Cast, Role
from engine.results.finding import Seeker
from engine.words.times import clock, wall_clock

_COLOURS: dict[Decision, Colour] = {
    "known": (96, 208, 64),
    "undecided": (48, 192, 255),
    "unknown": (240, 240, 240),
    "none": (255, 192, 96),
}
_DARK = (24, 24, 24)
_WORD = "enhanced"
"""Stands in every picture that a model has made."""
_INSET_SHARE = 0.24
"""Of the picture's height."""


class Annotator:
    """Draws into one picture after the other of a recording.

    Args:
        run: which has found what is drawn.
        cast: who is in it.
    """

    def __init__(self, run: Run, cast: Cast) -> None:
        self._cast, self._seeker = cast, Seeker(run)
        self._places: list[int | None] = []
        """Which track's face is in each place, from the left."""
        self._label_places: dict[int, int] = {}
        """How each label lay to its box."""
        self._at_top = cast.share_below(_INSET_SHARE) > cast.share_above(_INSET_SHARE)

    def draw(self, planes: Planes, time: FrameTime) -> Planes:
        """Return a picture with what is known of its moment; the picture itself stays as it is.

        Args:
            planes: the picture; nothing but pixels of it is kept.
            time: its time; times must grow.
        """
        canvas = Canvas(planes)
        height = canvas.size_px[1]
        line_px = max(14, 2 * round(height / 52))
        there = self._cast.at(time.pts_seconds)
        taken = self._draw_insets(canvas, [role for role, _ in there])
        expected = [(role, self._scaled(canvas, role, box)) for role, box in there if box is not None]
        boxes = [(role, self._seeker.place(role, box, time.pts_seconds, planes.y)) for role, box in expected]
        self._seeker.forget({role.track_id for role, _ in there})
        thick = max(2, 2 * round(height / 720))
        for role, box in boxes:
            canvas.frame(box, _COLOURS[role.decision], thick)
        for role, box in boxes:
            words = lettered(role.label, line_px, _DARK, _COLOURS[role.decision])
            others = [*taken, *(other for one, other in boxes if one is not role)]
            place = self._place(canvas, role, _grown(box, thick), words, others)
            canvas.paste(words, round(place[0]), round(place[1]))
            taken.append(place)
        canvas.paste(lettered(_clock_words(time), line_px), 0, height - line_px if self._at_top else 0)
        return canvas.planes

    def _scaled(self, canvas: Canvas, role: Role, box: Box) -> Box:
        scale = canvas.size_px[0] / role.width_px if role.width_px else 1.0
        x, y, width, height = (scale * side for side in box)
        return x, y, width, height

    def _place(self, canvas: Canvas, role: Role, box: Box, words: Uint8, taken: Sequence[Box]) -> Box:
        """Return where the label of a box goes: where it hides nothing else, and if it can where it was before."""
        x, y, width, height = box
        high, wide = words.shape[:2]
        right = x + width - wide
        places = [(x, y - high), (right, y - high), (x, y + height), (right, y + height), (x + width, y), (x - wide, y)]
        inside = [min(max(0.0, left), max(0.0, float(canvas.size_px[0] - wide))) for left, _ in places]
        lowest = canvas.size_px[1] - high
        was = self._label_places.get(role.track_id, 0)
        for number in sorted(range(len(places)), key=lambda number: (number != was, number)):
            place = (inside[number], places[number][1], float(wide), float(high))
            if 0 <= place[1] <= lowest and not any(_overlap(place, other) for other in [*taken, box]):
                self._label_places[role.track_id] = number
                return place
        return inside[0], min(max(0.0, places[0][1]), float(lowest)), float(wide), float(high)

    def _draw_insets(self, canvas: Canvas, roles: Sequence[Role]) -> list[Box]:
        """Draw the faces; return where they are."""
        width, height = canvas.size_px
        side = 2 * round(_INSET_SHARE * height / 2)
        tile_width = 2 * round(0.78 * side / 2)
        self._seat(roles, max(1, width // (tile_width + 4)))
        by_id = {role.track_id: role for role in roles}
        taken: list[Box] = []
        for place, number in enumerate(self._places):
            face = None if number is None else self._cast.face_of(by_id[number])
            if number is not None and face is not None:
                tile = _tile(face, by_id[number], tile_width, side)
                left, top = place * (tile_width + 4) + 2, 2 if self._at_top else height - side - 2
                canvas.paste(tile, left, top)
                taken.append((left, top, tile_width, side))
        return taken

    def _seat(self, roles: Sequence[Role], most: int) -> None:
        """Give each track a place for as long as it is there."""
        here = {role.track_id for role in roles if role.picture is not None}
        self._places = [number if number in here else None for number in self._places[:most]]
        for number in [role.track_id for role in roles if role.track_id in here and role.track_id not in self._places]:
            if None in self._places:
                self._places[self._places.index(None)] = number
            elif len(self._places) < most:
                self._places.append(number)


def _grown(box: Box, by_px: int) -> Box:
    x, y, width, height = box
    return x - by_px, y - by_px, width + 2 * by_px, height + 2 * by_px


def _overlap(one: Box, other: Box) -> bool:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return across > 0 and down > 0


def _clock_words(time: FrameTime) -> str:
    words = clock(time.pts_seconds)
    return words if time.recorded_ns is None else f"{words}   {wall_clock(time.recorded_ns)}"


def _tile(face: Uint8, role: Role, width: int, height: int) -> Uint8:
    """Return the picture of a track with its number and the word that says what it is."""
    line_px = max(12, 2 * round(height / 18))
    colour = _COLOURS[role.decision]
    whole = np.full((height, width, 3), colour, np.uint8)
    inner = whole[2:-2, 2:-2]
    inner[:] = _DARK
    number, word = lettered(f"#{role.track_id}", line_px, _DARK, colour), lettered(_WORD, line_px, (255, 255, 255), _DARK)
    space = inner[: inner.shape[0] - line_px]
    space[:] = fitted(face, space.shape[1], space.shape[0])
    _lay(whole, number, 0, 0)
    _lay(whole, word, max(2, (width - word.shape[1]) // 2), height - line_px - 2)
    return whole


def _lay(whole: Uint8, part: Uint8, x: int, y: int) -> None:
    part = part[: whole.shape[0] - y, : whole.shape[1] - x]
    whole[y : y + part.shape[0], x : x + part.shape[1]] = part

"""Clips in which somebody is there at times that are known: a photograph's face that is carried through a hall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from engine.sample.people import PEOPLE, photographs
from engine.sample.scene import Camera, hall

FPS = 25
SIZE = (320, 240)
_FRONTAL = (1, 2, -1)
"""Those who look at the camera."""
Visit = tuple[int, int, int]
"""Somebody is there from one frame up to another; which of the people."""


def film(
    path: Path,
    frames: int,
    visits: Sequence[Visit],
    options: dict[str, str] | None = None,
    ticks: Callable[[int], int] = lambda index: index,
    cuts: Sequence[int] = (),
    codec: str = "libx264",
    ten_per_frame: int = 1,
) -> Path:
    """Write a clip.

    Args:
        path: its ending says in what container.
        frames: how many.
        visits: who is there when.
        options: of the encoder; a key frame at each 25th frame and two B-frames by default.
        ticks: when a frame is shown, in units of a ``ten_per_frame``-th of 1/25 s.
        cuts: frames with which another scene begins.
        codec: of the pictures.
        ten_per_frame: see ``ticks``.
    """
    rng = np.random.default_rng(7)
    noise = [rng.normal(0, 2.0, (SIZE[1], SIZE[0], 1)) for _ in range(5)]
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=FPS, options={"g": "25", "bf": "2", "preset": "veryfast"} | (options or {}))
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, FPS * ten_per_frame)
        stream.codec_context.thread_count = 1
        for index in range(frames):
            picture = _background(sum(cut <= index for cut in cuts)).astype(np.float64)
            for begin, end, who in visits:
                if begin <= index < end:
                    _place(picture, who, index - begin)
            shown = np.clip(picture + noise[index % 5], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(shown, "bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = ticks(index), Fraction(1, FPS * ten_per_frame)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _place(picture: np.ndarray, who: int, since: int) -> None:
    face = _face(who)
    height, width = face.shape[:2]
    room = SIZE[0] - width - 40
    left = 20 + abs((2 * since + 37 * who) % (2 * room) - room)
    top = 40 + (since // 4) % 30
    picture[top : top + height, left : left + width] = face


@cache
def _face(who: int) -> np.ndarray:
    person = PEOPLE[_FRONTAL[who % len(_FRONTAL)]]
    x, y, width, height = person.enrolment_crop
    crop = photographs()[person.photograph][y : y + height, x : x + width]
    return cv2.resize(crop, (96, round(96 * height / width)), interpolation=cv2.INTER_AREA)


@cache
def _background(scene: int) -> np.ndarray:
    picture = np.asarray(hall(Camera(*SIZE), np.random.default_rng(scene)))
    return picture if scene % 2 == 0 else picture[::-1, ::-1].copy()

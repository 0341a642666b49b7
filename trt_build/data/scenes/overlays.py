"""Draws things that are not faces over pictures: writing, logos, vests and wheels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from trt_build.data.degradation import Random
from trt_build.measures.resample import to_levels

_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)
_LETTERS = np.array(list("ABCDEFGHIKLMNOPRSTUVWXYZabcdeghiknoprstuvwx0123456789"))
_TRIES = 5


def put_overlays(canvas: Float32, faces: Float32, rng: Random) -> Float32:
    """Draw dates, words, digits, logos, vests and wheels away from the ``faces`` (N, 4)."""
    image = to_levels(canvas)
    for _ in range(int(rng.integers(1, 5))):
        _OVERLAYS[rng.integers(len(_OVERLAYS))](image, faces, rng)
    return image.astype(np.float32)


def _put_text(image: Uint8, faces: Float32, rng: Random) -> None:
    font, size = _FONTS[rng.integers(len(_FONTS))], float(np.exp(rng.uniform(np.log(0.3), np.log(1.6))))
    thick = int(rng.integers(1, int(4 + 3 * size))) if size > 0.5 else 1
    text = _words(rng)
    (width, height), below = cv2.getTextSize(text, font, size, thick)
    place = _free(image, faces, width, height + below, rng)
    if place is None:
        return
    x, y = place
    if rng.random() < 0.35:
        cv2.rectangle(image, (x - 2, y - 2, width + 4, height + below + 4), float(rng.integers(0, 256)), -1)
    tone = float(rng.choice([255, 235, 0, int(rng.integers(0, 256))]))
    if rng.random() < 0.4:
        cv2.putText(image, text, (x, y + height), font, size, 255 - tone, thick + 2, cv2.LINE_AA)
    cv2.putText(image, text, (x, y + height), font, size, tone, thick, cv2.LINE_AA)


def _words(rng: Random) -> str:
    if rng.random() < 0.5:
        date = f"{rng.integers(1, 29):02d}{'-/.'[rng.integers(3)]}{rng.integers(1, 13):02d}"
        clock = f"{rng.integers(24):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}"
        return (f"{date} {clock}", clock, f"CAM {rng.integers(1, 32):02d}", str(rng.integers(0, 10000)))[rng.integers(4)]
    return "".join(rng.choice(_LETTERS, int(rng.integers(1, 11))))


def _put_logo(image: Uint8, faces: Float32, rng: Random) -> None:
    """Rings, bars and dots in a round or square sign."""
    size = int(rng.integers(10, 60))
    place = _free(image, faces, size, size, rng)
    if place is None:
        return
    middle = (place[0] + size // 2, place[1] + size // 2)
    ground, tone = (float(value) for value in rng.integers(0, 256, 2))
    if rng.random() < 0.5:
        cv2.circle(image, middle, size // 2, ground, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(image, (*place, size, size), ground, -1)
    for _ in range(int(rng.integers(1, 5))):
        one, other = (
            tuple(int(value) for value in np.array(middle) + rng.integers(-size // 3, size // 3 + 1, 2)) for _ in range(2)
        )
        draw = int(rng.integers(3))
        if draw == 0:
            cv2.circle(
                image, one, max(1, int(rng.integers(1, max(2, size // 4)))), tone, int(rng.choice([-1, 1, 2])), cv2.LINE_AA
            )
        elif draw == 1:
            cv2.line(image, one, other, tone, int(rng.integers(1, 4)), cv2.LINE_AA)
        else:
            cv2.rectangle(image, one, other, tone, int(rng.choice([-1, 1])))


def _put_vest(image: Uint8, faces: Float32, rng: Random) -> None:
    """A bright upper body with bands, as seen from behind: common in camera footage, and often mistaken for a face."""
    width = int(np.exp(rng.uniform(np.log(7), np.log(45))))
    height = int(width * rng.uniform(1.0, 1.6))
    place = _free(image, faces, width, height, rng)
    if place is None:
        return
    x, y = place
    tone, slope = float(rng.uniform(140, 255)), int(width * rng.uniform(0, 0.2))
    outline = [(x + slope, y), (x + width - slope, y), (x + width, y + height // 2), (x + width - slope, y + height)]
    cv2.fillPoly(image, [np.array([*outline, (x + slope, y + height), (x, y + height // 2)], np.int32)], tone, cv2.LINE_AA)
    dark = tone * float(rng.uniform(0.2, 0.85))
    for at in rng.uniform(0.15, 0.95, int(rng.integers(1, 4))):
        row = y + int(at * height)
        cv2.line(image, (x + 1, row), (x + width - 1, row), dark, max(1, int(rng.uniform(0.04, 0.14) * height)), cv2.LINE_AA)
    if rng.random() < 0.6:
        for column in (x + width // 4, x + 3 * width // 4):
            cv2.line(image, (column, y), (column, y + int(height * 0.6)), dark, max(1, width // 14), cv2.LINE_AA)
    if rng.random() < 0.6:
        head = (x + width // 2, y - int(0.25 * width))
        cv2.circle(image, head, max(1, int(0.28 * width)), float(rng.uniform(5, 90)), -1, cv2.LINE_AA)


def _put_wheel(image: Uint8, faces: Float32, rng: Random) -> None:
    """A wheel of a parked car: a dark tyre under a body, a bright rim with spokes or holes, seen more or less from the side."""
    height = int(np.exp(rng.uniform(np.log(10), np.log(110))))
    across = np.array([height * rng.uniform(0.45, 1.05), height]) / 2
    reach = across * rng.uniform(1.3, 2.5, 2)  # of the body, from the middle of the wheel
    place = _free(image, faces, int(2 * reach[0]), int(reach[1] + 1.3 * across[1]), rng)
    if place is None:
        return
    middle, tilt = np.array(place) + reach, float(rng.normal(0, 6))
    if rng.random() < 0.7:
        below = place[1] + int(reach[1] + across[1] * rng.uniform(0.0, 0.6))
        cv2.rectangle(image, place, (place[0] + int(2 * reach[0]), below), float(rng.integers(0, 256)), -1)
        _put_disc(image, middle, across * rng.uniform(1.05, 1.25), tilt, float(rng.integers(0, 50)))
    tyre, rim = float(rng.integers(5, 80)), float(rng.integers(90, 256))
    _put_disc(image, middle, across, tilt, tyre)
    inner = across * rng.uniform(0.55, 0.8)
    _put_disc(image, middle, inner, tilt, rim)
    dark, count, turned = rim * float(rng.uniform(0.1, 0.7)), int(rng.integers(3, 13)), float(rng.uniform(0, 2 * np.pi))
    round_holes, spread = rng.random() < 0.5, float(rng.uniform(0.5, 0.75))
    for angle in turned + np.arange(count) * 2 * np.pi / count:
        way = np.array([np.cos(angle), np.sin(angle)])
        if round_holes:
            _put_disc(image, middle + inner * way * spread, inner * rng.uniform(0.08, 0.24), tilt, dark)
        else:
            one, other = (tuple(int(value) for value in middle + inner * way * far) for far in (0.25, 0.95))
            cv2.line(image, one, other, dark, max(1, int(height * rng.uniform(0.02, 0.08))), cv2.LINE_AA)
    _put_disc(image, middle, inner * rng.uniform(0.12, 0.35), tilt, (rim, dark, float(rng.integers(0, 256)))[rng.integers(3)])


def _put_disc(image: Uint8, middle: NDArray[np.floating], across: NDArray[np.floating], tilt: float, tone: float) -> None:
    axes = tuple(max(1, round(value)) for value in across)
    cv2.ellipse(image, tuple(int(value) for value in middle), axes, tilt, 0, 360, tone, -1, cv2.LINE_AA)


def _free(image: Uint8, faces: Float32, width: int, height: int, rng: Random) -> tuple[int, int] | None:
    """Return the corner of a rectangle that touches no face; None if a few tries find none."""
    for _ in range(_TRIES):
        x, y = int(rng.integers(-4, max(1, image.shape[1] - width // 2))), int(rng.integers(0, max(1, image.shape[0] - height)))
        apart = (
            (faces[:, 0] > x + width)
            | (faces[:, 0] + faces[:, 2] < x)
            | (faces[:, 1] > y + height)
            | (faces[:, 1] + faces[:, 3] < y)
        )
        if apart.all():
            return x, y
    return None


_OVERLAYS = (_put_text, _put_text, _put_text, _put_logo, _put_vest, _put_vest, _put_wheel, _put_wheel)

"""Draws backgrounds: shelves, stripes, shapes, writing, clouds. A detector that has seen few of them mistakes
them for faces.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Float32
from trt_build.data.degradation import Random


def texture(side: int, rng: Random) -> Float32:
    """Return (side, side) float32, 0 to 255."""
    canvas = _clouds(side, rng)
    for _ in range(int(rng.integers(1, 4))):
        painted = _PAINTERS[rng.integers(len(_PAINTERS))](side, rng)
        low, high = np.sort(rng.integers(0, side, (2, 2)), axis=0)
        part = (slice(low[1], high[1] + 1), slice(low[0], high[0] + 1)) if rng.random() < 0.6 else (slice(None), slice(None))
        canvas[part] = painted[part]
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 2.0)).astype(np.float32)
    return np.clip(canvas, 0, 255).astype(np.float32)


def _clouds(side: int, rng: Random) -> Float32:
    """Noise of several scales."""
    canvas = np.full((side, side), rng.uniform(20, 235), np.float32)
    for cells in (2, 4, 9, 20, 45):
        noise = rng.normal(0, rng.uniform(0, 40) / np.sqrt(cells), (cells, cells)).astype(np.float32)
        canvas += cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC) * 2
    return canvas


def _shelves(side: int, rng: Random) -> Float32:
    """Rows of upright spines of different widths and tones."""
    canvas = np.full((side, side), rng.uniform(10, 240), np.float32)
    top = 0
    while top < side:
        height, left = int(rng.integers(12, 90)), 0
        while left < side:
            width = int(rng.integers(2, 24))
            tone, short = rng.uniform(5, 250), int(rng.integers(0, 1 + height // 3))
            canvas[top + short : top + height - 2, left : left + width] = tone
            if width > 6 and rng.random() < 0.5:
                band = top + int(rng.integers(0, height))
                canvas[band : band + 3, left : left + width] = 255 - tone
            left += width + int(rng.integers(0, 3))
        top += height + int(rng.integers(1, 8))
    return canvas


def _stripes(side: int, rng: Random) -> Float32:
    """A grating, like fences, blinds and tiles."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(3, 40)
    y, x = np.mgrid[0:side, 0:side]
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    if rng.random() < 0.5:
        wave *= np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / (period * rng.uniform(0.5, 2)))
    if rng.random() < 0.5:
        wave = np.sign(wave)
    return np.asarray(128 + rng.uniform(20, 110) * wave, np.float32)


def _shapes(side: int, rng: Random) -> Float32:
    """Many rectangles, ellipses and lines; some ellipses hold two dark spots, like sockets, wheels and screws."""
    canvas = _clouds(side, rng)
    for _ in range(int(rng.integers(10, 70))):
        x, y = (int(value) for value in rng.integers(0, side, 2))
        wide, high = (int(value) for value in np.exp(rng.uniform(np.log(2), np.log(70), 2)))
        tone = float(rng.uniform(0, 255))
        match int(rng.integers(4)):
            case 0:
                cv2.rectangle(canvas, (x, y), (x + wide, y + high), tone, -1 if rng.random() < 0.7 else 2)
            case 1:
                cv2.ellipse(canvas, (x, y), (wide, high), float(rng.uniform(0, 180)), 0, 360, tone, -1, cv2.LINE_AA)
            case 2:
                cv2.line(canvas, (x, y), tuple(int(v) for v in rng.integers(0, side, 2)), tone, int(rng.integers(1, 6)))
            case _:
                cv2.circle(canvas, (x, y), wide, tone, -1, cv2.LINE_AA)
                spot = max(1, wide // 4)
                for place in range(int(rng.integers(0, 3))):
                    cv2.circle(canvas, (x + (place * 2 - 1) * wide // 2, y), spot, 255 - tone, -1, cv2.LINE_AA)
    return canvas


def _mirrored(side: int, rng: Random) -> Float32:
    """Shapes mirrored about vertical axes and lit from above, like the fronts of cars, plugs and cupboards."""
    canvas, left = _clouds(side, rng), 0
    while left < side:
        width = min(side - left, int(np.exp(rng.uniform(np.log(12), np.log(side)))))
        half = _shapes(side, rng)[:, : -(-width // 2)]
        canvas[:, left : left + width] = np.hstack([half, half[:, ::-1]])[:, :width]
        left += width
    light = np.linspace(rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5), side, dtype=np.float32)[:, None]
    return np.asarray(canvas * light, np.float32)


def _writing(side: int, rng: Random) -> Float32:
    """Letters and digits, as on signs and in a recorder's time stamp."""
    light = rng.random() < 0.5
    canvas = np.full((side, side), rng.integers(0, 90) if light else rng.integers(160, 255), np.uint8)
    tone = int(rng.integers(170, 255) if light else rng.integers(0, 90))
    for _ in range(int(rng.integers(3, 18))):
        text = "".join(chr(code) for code in rng.integers(33, 126, int(rng.integers(2, 14))))
        place = (int(rng.integers(-20, side)), int(rng.integers(0, side)))
        size = float(rng.uniform(0.3, 3.0))
        cv2.putText(canvas, text, place, int(rng.integers(0, 8)), size, tone, int(rng.integers(1, 5)), cv2.LINE_AA)
    return canvas.astype(np.float32)


_PAINTERS = (_clouds, _shelves, _stripes, _shapes, _mirrored, _writing)

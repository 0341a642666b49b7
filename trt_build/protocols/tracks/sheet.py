"""Draws pictures of some tracks on one sheet: a row for each track, input first, truth last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from trt_build.protocols.generators.results import Strip
from trt_build.writing import writable

_SIDE, _HEAD = 128, 14
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.3


def write_sheet(strips: Sequence[Strip], path: Path) -> None:
    """Write a PNG.

    Raises:
        DataError: the file cannot be written.
    """
    lines = [np.hstack([_tile(sample.png, sample.caption) for sample in one.samples]) for one in strips]
    width = max((line.shape[1] for line in lines), default=1)
    titled = [
        np.vstack([_text(one.inputs, width), np.pad(line, ((0, 0), (0, width - line.shape[1])))])
        for one, line in zip(strips, lines, strict=True)
    ]
    _, data = cv2.imencode(".png", np.vstack(titled) if titled else np.zeros((1, 1), np.uint8))
    with writable(path):
        path.write_bytes(data.tobytes())


def _tile(png: bytes, caption: str) -> Uint8:
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    large = cv2.resize(np.asarray(picture), (_SIDE, _SIDE), interpolation=cv2.INTER_NEAREST)
    return np.vstack([_text(caption, _SIDE), np.asarray(large, np.uint8)])


def _text(words: str, width: int) -> Uint8:
    line = np.zeros((_HEAD, width), np.uint8)
    return np.asarray(cv2.putText(line, words, (2, 10), _FONT, _SIZE, 255, 1, cv2.LINE_AA), np.uint8)

"""Pictures for the page: a seeded choice of inputs, each as input, by every method, and as truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from engine.contracts.frames import Uint8
from trt_build.protocols.generators.results import Sample, Strip

SHOWN = 4
"""Number of inputs shown of each stratum."""
CUT_PX = 192
"""Largest side shown of a large picture; its centre is shown."""


def chosen(count: int, shown: int, seed: int) -> list[int]:
    """Return the indices of ``shown`` of ``count`` inputs, drawn by ``seed``, ascending."""
    return sorted(np.random.default_rng(seed).permutation(count)[:shown].tolist())


def strip(inputs: str, name: str, low: Uint8, results: Mapping[str, Uint8], truth: Uint8) -> Strip:
    """Return one input side by side.

    Args:
        inputs: title of the group.
        name: of the input.
        low: (h, w), the input.
        results: (H, W) by method.
        truth: (H, W).
    """
    scale = truth.shape[0] // low.shape[0]
    top, left, height, width = _middle(low, max(1, CUT_PX // scale))
    small = low[top : top + height, left : left + width]
    large = {
        caption: one[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
        for caption, one in (*results.items(), ("truth", truth))
    }
    samples = [Sample("input", png(small), True), *(Sample(caption, png(one)) for caption, one in large.items())]
    return Strip(inputs, name, samples)


def png(picture: Uint8) -> bytes:
    """Return a picture (H, W), 0 to 255, as PNG."""
    _, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return data.tobytes()


def groups(strips: Sequence[Strip]) -> dict[str, list[Strip]]:
    """Return the strips by their group, in order."""
    found: dict[str, list[Strip]] = {}
    for one in strips:
        found.setdefault(one.inputs, []).append(one)
    return found


def _middle(picture: Uint8, side: int) -> tuple[int, int, int, int]:
    """Return top, left, height and width of the centre of a picture, at most ``side`` px."""
    height, width = (min(length, side) for length in picture.shape)
    return (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2, height, width

"""Whether a photograph shows a face as finely as its size says: not one that was enlarged, blurred, or compressed to blocks.

Measured on 300 LFW pictures of 144 px, and on 120 of them spoilt, at the default limits. In question as they are: 4, for their
detail. From 22x28 px enlarged again: 64 in 100; blurred by 1.5 % of the face's size 82 in 100, by 2 % 99 in 100; JPEG of
quality 4 all, 10 96 in 100, 20 22 in 100, 40 and more none for its blocks.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.enrolment.judge import EnrolLimits
from engine.enrolment.portrait import Portrait
from engine.verify.align import align
from engine.words.numbers import told_apart

_SIDE, _COARSE = 96, 40
"""Pixels of the aligned face, and of the one that it is compared with."""
_EYES_TO_MOUTH = (slice(30, 84), slice(18, 78))
_SIZES_PX, _SHARES = (48.0, 112.0), (0.75, 1.0)
"""Of smaller faces a share of the detail is asked for."""
_BLOCK = 8
_AROUND_PX = 10


def detail_doubt(portrait: Portrait, limits: EnrolLimits) -> str:
    """Return what speaks against a portrait as part of a sentence; empty where nothing does, or it has no landmarks.

    Args:
        portrait: of one person.
        limits: ``min_detail`` and ``max_blockiness``.
    """
    if portrait.landmarks is None:
        return ""
    blocks = blockiness(portrait.bgr, portrait.landmarks)
    if blocks > limits.max_blockiness:
        shown, most = told_apart(blocks, limits.max_blockiness, 1)
        return f"is compressed so strongly that its blocks show ({shown}, at most {most})"
    needed = limits.min_detail * float(np.interp(portrait.quality.size_px, _SIZES_PX, _SHARES))
    found = detail(portrait.bgr, portrait.landmarks)
    if found < needed:
        shown, least = told_apart(found, needed, 3)
        return f"is blurred or was enlarged: it shows no more than a face of 32 px (detail {shown}, needed {least})"
    return ""


def detail(picture: Uint8, landmarks: Float32) -> float:
    """Return what of a face is lost when it is reduced to 40 px, as a share of its contrast: 0 to 1.

    Args:
        picture: (height, width, 3) uint8 BGR.
        landmarks: (5, 2) in its pixels.
    """
    face = align(picture, landmarks, _SIDE).mean(axis=2).astype(np.float32)
    reduced = cv2.resize(face, (_COARSE, _COARSE), interpolation=cv2.INTER_AREA)
    lost = face - cv2.resize(reduced, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC)
    contrast = float(face[_EYES_TO_MOUTH].std())
    return float(lost[_EYES_TO_MOUTH].std()) / contrast if contrast > 0 else 0.0


def blockiness(picture: Uint8, landmarks: Float32) -> float:
    """Return how much larger steps are on the borders of JPEG's blocks than elsewhere, around a face: about 1 without blocks.

    Of a picture that was reduced or enlarged since, or cut off the grid of blocks, no blocks are seen, or others.
    """
    left, top = np.maximum(landmarks.min(axis=0) - _AROUND_PX, 0).astype(int)
    right, bottom = (landmarks.max(axis=0) + _AROUND_PX).astype(int)
    grey = picture.mean(axis=2, dtype=np.float32)[: bottom + 1, : right + 1]
    steps = np.zeros(_BLOCK)
    for turned, first, across in ((grey, left, top), (grey.T, top, left)):
        size = np.abs(np.diff(turned, axis=1))[across:]
        columns = np.arange(size.shape[1])
        for place in range(_BLOCK):
            chosen = size[:, (columns >= first) & (columns % _BLOCK == place)]
            steps[place] += float(chosen.mean()) if chosen.size else 0.0
    usual = float(np.median(steps))
    return float(steps.max()) / usual if usual > 0 else 1.0

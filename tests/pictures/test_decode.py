"""A file that somebody cut off, emptied, or put in the place of a picture is no picture, and no error."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from engine.pictures.decode import decoded


def png(size: tuple[int, int] | None = None) -> bytes:
    file = cv2.imencode(".png", np.full((8, 12, 3), 7, np.uint8))[1].tobytes()
    return file if size is None else file[:16] + struct.pack(">II", *size) + file[24:]


def test_a_picture_is_read() -> None:
    assert np.array_equal(decoded(png()), np.full((8, 12, 3), 7))  # type: ignore[arg-type]
    assert decoded(png(), cv2.IMREAD_GRAYSCALE).shape == (8, 12)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "file", [b"", b"\0" * 500, b"GIF89a", png()[:30], png((0, 0)), png((2**31 - 1, 2**31 - 1)), png((10**5, 10**5))]
)
def test_what_is_none_is_none(file: bytes) -> None:
    assert decoded(file) is None


def test_a_picture_with_more_pixels_than_are_wanted_is_not_decoded() -> None:
    """A document of a result, in which a file of 3 MB claimed 900 megapixels for each face, took 9 GB and minutes."""
    assert decoded(png(), most_px=96) is not None
    assert decoded(png(), most_px=95) is None

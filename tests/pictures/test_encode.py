from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.errors import PublishError
from engine.pictures.encode import encode_picture, small_jpeg

PICTURE = np.random.default_rng(5).integers(0, 256, (40, 90, 3), np.uint8)


def decoded(file: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)


def test_png_is_exact_and_a_jpeg_as_good_as_it_is_asked_for() -> None:
    np.testing.assert_array_equal(decoded(encode_picture(PICTURE, "png")), PICTURE)
    fine, coarse = (encode_picture(PICTURE, quality=quality) for quality in (95, 50))
    assert fine.startswith(b"\xff\xd8")
    assert len(coarse) < len(fine)


@pytest.mark.parametrize(("longest_px", "shape"), [(45, (20, 45, 3)), (500, (40, 90, 3)), (1, (1, 1, 3))])
def test_a_picture_is_made_small_and_never_large(longest_px: int, shape: tuple[int, ...]) -> None:
    assert decoded(small_jpeg(PICTURE, longest_px, quality=85)).shape == shape


def test_a_picture_that_cannot_be_encoded_is_one_sentence() -> None:
    with pytest.raises(PublishError, match="cannot encode a picture of shape"):
        encode_picture(np.zeros((0, 0, 3), np.uint8))
    with pytest.raises(PublishError, match="cannot encode a picture of shape"):
        small_jpeg(np.zeros((0, 0, 3), np.uint8), 100, quality=85)

from __future__ import annotations

import cv2
import numpy as np
import pytest

from trt_build.data.tracks.clips import SCALE, film, per_clip
from trt_build.errors import DataError
from trt_build.recipes.track import ClipSpec

SIZE = 12
PLAIN = {"blur_share": 0.0, "bending_share": 0.0, "exposure_share": 0.0, "smear_share": 0.0, "noise_max": 0.0}


def faces(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    pictures = [cv2.GaussianBlur(rng.uniform(0, 255, (48, 48)).astype(np.float32), (0, 0), 5) for _ in range(count)]
    return np.stack([cv2.normalize(one, None, 20, 235, cv2.NORM_MINMAX).astype(np.uint8) for one in pictures])


@pytest.mark.parametrize(("encoded", "worst"), [(False, 3.0), (True, 12.0)])
def test_maps_bring_every_frame_onto_the_reference_and_the_reference_shows_the_truth(encoded, worst):
    spec = ClipSpec(frames=9, kept=4, raw_share=float(not encoded), crf_min=20, crf_max=20, **PLAIN)
    tracks = film(faces(6), spec, np.random.default_rng(1), SIZE)
    inner = slice(SCALE * 3, -SCALE * 3)
    apart = []
    for low, affine, truth in zip(tracks.low, tracks.affine, tracks.truth, strict=True):
        np.testing.assert_allclose(affine[0], np.eye(2, 3), atol=1e-6)
        for frame, matrix in zip(low, affine, strict=True):
            large = cv2.resize(frame, (SCALE * SIZE,) * 2, interpolation=cv2.INTER_CUBIC).astype(np.float32)
            seen = cv2.warpAffine(large, matrix, large.shape, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=128)
            apart.append(np.abs(seen - truth)[inner, inner].mean())
    assert max(apart) < worst
    assert np.abs(tracks.affine[:, 1:, :, 2]).max() > 1, "they move"


def test_bending_exposure_and_noise_are_seen_and_seeds_repeat():
    spec = ClipSpec(frames=9, kept=3, raw_share=1.0, bending_share=1.0, exposure_share=1.0, smear_share=1.0)
    first, again = (film(faces(3), spec, np.random.default_rng(4), SIZE) for _ in range(2))
    np.testing.assert_array_equal(first.low, again.low)
    rigid = film(faces(3), ClipSpec(frames=9, kept=3, raw_share=1.0, **PLAIN), np.random.default_rng(4), SIZE)
    assert np.abs(first.low.astype(int) - rigid.low).mean() > 1


def test_faces_that_no_clip_holds_are_refused():
    with pytest.raises(DataError, match="720 px high"):
        per_clip(800)

"""Likeness, flips and verification on vectors whose answers are known."""

import numpy as np
import pytest

from trt_build.measures.bootstrap import draw_people
from trt_build.measures.comparison import Comparison
from trt_build.measures.verification import generated_pairs
from trt_build.protocols.generators import identity
from trt_build.protocols.generators.results import Figure, Row

PEOPLE = [f"p{index // 4}" for index in range(80)]
PAIRS = generated_pairs(PEOPLE, 0)
DRAWS = draw_people(PEOPLE, 30, 0)
CENTRES = np.repeat(np.random.default_rng(0).normal(size=(20, 64)), 4, axis=0)


def vectors(noise, seed=1):
    some = CENTRES + noise * np.random.default_rng(seed).normal(size=CENTRES.shape)
    return (some / np.linalg.norm(some, axis=1, keepdims=True)).astype(np.float32)


SHARP = vectors(0.3, 0)


def test_a_face_as_it_is_never_flips():
    drawn = identity.drawn_identity(SHARP, SHARP, DRAWS)
    np.testing.assert_allclose(drawn["cosine"], 1, rtol=1e-6)
    np.testing.assert_array_equal(drawn["flips"], 0)


def test_a_flip_is_a_nearest_face_of_somebody_else():
    whose = np.array([0, 0, 1])
    sharp = np.eye(3, dtype=np.float32)
    np.testing.assert_array_equal(identity.flips(sharp[[1, 2, 0]], sharp, whose), [0, 1, 1])


def test_verification_is_over_the_same_draws_and_fused_rows_come_along():
    low = {"bicubic": vectors(1.5), "net": vectors(0.6, 2)}
    told = []
    found = identity.verify(
        identity.Systems(low, SHARP, ["net"], "bicubic"), "bicubic", Comparison(DRAWS, PAIRS), lambda: told.append(1)
    )
    assert len(told) == 2
    keys = {"tar_sharp_1e-2", "tar_sharp_1e-3", "tar_low_1e-2", "tar_low_1e-3"}
    assert set(found) == {"bicubic", "net", "net + bicubic"}
    assert all(set(figures) == keys for figures in found.values())
    assert found["bicubic"]["tar_low_1e-2"].gain is None
    assert found["net"]["tar_low_1e-2"].sign == 1
    assert keys < {column.key for column in identity.columns("dlib")}

    rows = [Row("clean", 16, 4, name, {"psnr_db": Figure(1.0)}) for name in low]
    joined = identity.with_verified(rows, found)
    joined = identity.with_verified(joined, found, "second_")
    assert [row.method for row in joined] == ["bicubic", "net", "net + bicubic"]
    assert "psnr_db" in joined[1].figures
    assert set(joined[2].figures) == keys | {f"second_{key}" for key in keys}


def test_curves_stop_where_the_strangers_do():
    curves = identity.det_curves(identity.Systems({"bicubic": vectors(1.5)}, SHARP), PAIRS, ("clean", 16, 4))
    assert [(curve.gallery, curve.method) for curve in curves] == [("sharp", "bicubic"), ("low", "bicubic")]
    for curve in curves:
        assert len(curve.fmr) == len(curve.fnmr)
        assert min(curve.fmr) * (~PAIRS.same).sum() >= 1
        assert curve.fnmr[-1] == pytest.approx(0)

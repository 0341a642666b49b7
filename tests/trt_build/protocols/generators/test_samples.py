import cv2
import numpy as np

from trt_build.protocols.generators.samples import CUT_PX, chosen, strip


def test_the_choice_is_seeded():
    assert chosen(100, 4, 1) == chosen(100, 4, 1) != chosen(100, 4, 2)
    assert chosen(3, 4, 1) == [0, 1, 2]


def test_large_pictures_are_cut_at_the_same_place():
    truth = np.random.default_rng(0).integers(0, 256, (400, 300), dtype=np.uint8)
    low = truth[::4, ::4]
    one = strip("Set", "name", low, {"same": truth}, truth)
    pictures = [cv2.imdecode(np.frombuffer(sample.png, np.uint8), cv2.IMREAD_UNCHANGED) for sample in one.samples]
    assert [sample.caption for sample in one.samples] == ["input", "same", "truth"]
    assert [sample.is_input for sample in one.samples] == [True, False, False]
    assert pictures[1].shape == (CUT_PX, CUT_PX)
    np.testing.assert_array_equal(pictures[1], pictures[2])
    np.testing.assert_array_equal(pictures[0], pictures[1][::4, ::4])


def test_small_pictures_are_shown_whole():
    truth = np.zeros((48, 32), np.uint8)
    one = strip("Set", "name", truth[::4, ::4], {}, truth)
    assert cv2.imdecode(np.frombuffer(one.samples[-1].png, np.uint8), cv2.IMREAD_UNCHANGED).shape == (48, 32)

"""One picture out of several frames: nearer to the truth than any of them, without what does not belong to it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.super_resolve.interpolation import enlarge
from engine.super_resolve.registration import register
from engine.super_resolve.seen_shots import TrackShot
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_picture import fuse_registered, fuse_track, that_agree
from tests.super_resolve.tracks import drawn_face, moved, track


def _shots(px=24, count=8, seed=0, noise=8.0, weights=None):
    lows, warps, points = track(px, count, seed, noise)
    weights = np.ones(count) if weights is None else weights
    shots = [TrackShot(*part) for part in zip(lows, points, weights.tolist(), strict=True)]
    return shots, warps


def _truth(seed, warp, px, scale=4):
    """The face as the reference would show it at `scale` times its size."""
    fine = np.column_stack([scale * warp[:, :2], scale * warp[:, 2] + (scale - 1) / 2])
    side = (px * scale, px * scale)
    return cv2.warpAffine(drawn_face(seed).astype(np.float32), fine, side, borderMode=cv2.BORDER_REFLECT)


def _error(picture, truth):
    return float(np.sqrt(((picture.astype(np.float64) - truth)[8:-8, 8:-8] ** 2).mean()))


def test_eight_noisy_frames_show_more_than_the_best_of_them():
    shots, warps = _shots(noise=16.0)
    picture = fuse_track(shots, Average())
    truth = _truth(0, warps[picture.reference], 24)
    alone = min(_error(enlarge(shot.luma, 4), _truth(0, warp, 24)) for shot, warp in zip(shots, warps, strict=True))
    assert picture.luma.shape == picture.agreement.shape == (96, 96)
    assert _error(picture.luma, truth) < 0.75 * alone
    assert sum(picture.weights) == pytest.approx(1)
    assert all(picture.weights)


@pytest.mark.parametrize("best", [0, 5])
def test_the_best_shot_gives_the_place(best):
    weights = np.full(8, 0.3)
    weights[best] = 0.9
    shots, warps = _shots(weights=weights)
    picture = fuse_track(shots, Average())
    assert picture.reference == best
    assert max(picture.weights) == picture.weights[best] == pytest.approx(3 * picture.weights[best - 1], rel=0.1)
    assert _error(picture.luma, _truth(0, warps[best], 24)) < 15


@pytest.mark.parametrize("wrong", [0, 4])
def test_another_person_does_not_bleed_in(wrong):
    weights = np.linspace(1, 0.5, 8)
    shots, _ = _shots(seed=3, weights=weights)
    stranger, _ = moved(drawn_face(seed=12), 24, (0.0, 0.3), 0.0, 1.0)
    mixed = [*shots[:wrong], TrackShot(stranger, shots[wrong].landmarks, weights[wrong]), *shots[wrong + 1 :]]
    picture = fuse_track(mixed, Average())
    without = fuse_track(shots[:wrong] + shots[wrong + 1 :], Average())
    assert picture.weights[wrong] == 0
    assert picture.reference != wrong
    assert np.abs(picture.luma.astype(int) - without.luma).mean() < 1.0


def test_where_frames_contradict_each_other_is_marked():
    shots, _ = _shots(noise=1.0)
    half = [TrackShot(cv2.rectangle(s.luma.copy(), (2, 17), (6, 21), 255, -1), s.landmarks, s.weight) for s in shots[::2]]
    picture = fuse_track([*half, *shots[1::2]], Average())
    marked = picture.agreement[72:84, 12:24].mean()
    assert marked < 100 < 200 < picture.agreement[16:60].mean()


def test_a_face_that_moves_in_itself_is_not_smeared():
    shots, warps = _shots(noise=1.0, weights=np.array([1.0] + 7 * [0.9]))
    turned = [TrackShot(cv2.circle(s.luma.copy(), (12, 17), 3, 255, -1), s.landmarks, s.weight) for s in shots[4:]]
    truth = _truth(0, warps[0], 24)
    shots = [*shots[:4], *turned]
    _, seen = that_agree(shots, register([one.luma for one in shots], [one.landmarks for one in shots], 0), 0, 4)
    plain, careful = (how.fuse(seen) for how in (Average(is_plain=True), Average()))
    assert _error(careful, truth) < 0.85 * _error(plain, truth)


def test_crops_of_several_sizes_and_the_colours_range():
    shots, warps = _shots(px=28, noise=2.0, weights=np.linspace(1, 0.9, 8))
    cuts = [(2, 2), (0, 0), (4, 0), (0, 4), (2, 0), (4, 4), (0, 2), (2, 4)]
    cut = [
        TrackShot(
            shot.luma[y:26, x:26],
            shot.landmarks - np.array([x, y]),
            shot.weight,
            enlarge(shot.luma, 4)[4 * y : 104, 4 * x : 104],
        )
        for shot, (x, y) in zip(shots, cuts, strict=True)
    ]
    picture = fuse_track(cut, Average())
    assert picture.luma.shape == (96, 96)
    assert all(picture.weights)
    assert _error(picture.luma, _truth(0, warps[0], 28)[8:104, 8:104]) < 15


class Inventive(Average):
    """Gives something else than it is given, as a network does."""

    def fuse(self, shots, full_range=False):
        return 255 - super().fuse(shots, full_range)


@pytest.mark.parametrize("fusion", [Average(), Average(is_plain=True), Inventive()])
@pytest.mark.parametrize("full_range", [False, True])
def test_a_single_frame_stays_as_it_was_enhanced_whatever_fuses_several(fusion, full_range):
    low = track(16, 1)[0][0]
    enhanced = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    picture = fuse_track([TrackShot(low, None, 0.4, enhanced)], fusion, full_range=full_range)
    assert np.array_equal(picture.luma, enhanced)
    assert (picture.agreement == 255).all()
    assert picture.weights == (1.0,)


@pytest.mark.parametrize("kept", [0, 2])
def test_the_only_frame_that_is_left_stays_as_it_was_enhanced(kept):
    lows, _, points = track(16, 3)
    shots = [TrackShot(low, at, 1.0, enlarge(low, 4)) for low, at in zip(lows, points, strict=True)]
    found = replace(register(lows, points, kept), agrees=np.arange(3) == kept)
    picture = fuse_registered(shots, found, kept, Inventive())
    assert np.array_equal(picture.luma, shots[kept].enlarged)
    assert picture.weights == tuple(float(place == kept) for place in range(3))


def test_two_that_differ_make_no_picture():
    low = track(16, 1)[0][0]
    assert fuse_track([TrackShot(low, None, 1.0), TrackShot(255 - low, None, 1.0)], Average()) is None


def test_without_shots_there_is_nothing_to_fuse():
    with pytest.raises(ValueError, match="0 crops"):
        fuse_track([], Average())

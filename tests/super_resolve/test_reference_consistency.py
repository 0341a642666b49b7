"""What several frames show is kept as far as the reference bears it out: all of a still face, nothing of one that turned."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.super_resolve.interpolation import enlarge
from engine.super_resolve.reference_consistency import keep_to_reference
from engine.super_resolve.registration import Registration
from engine.super_resolve.seen_shots import TrackShot, seen_by_first
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_picture import fuse_registered
from tests.super_resolve.tracks import drawn_face, moved

PX = 24


def small(sharp):
    return moved(sharp, PX, (0.0, 0.0), 0.0, 1.0)[0]


def large(sharp):
    return cv2.resize(sharp, (4 * PX, 4 * PX), interpolation=cv2.INTER_AREA).astype(np.float32)


def speaking(step):
    face = drawn_face(3)
    cv2.ellipse(face, (72, 104), (14, 2 + 2 * step), 0, 0, 360, 20, -1)
    return face


def seen(lows, qp=None):
    shots = [TrackShot(low, None, 1.0, enlarge(low, 4), qp) for low in lows]
    return seen_by_first(shots, np.stack([np.eye(2, 3)] * len(lows)).astype(np.float32), np.ones(len(lows), np.float32), 4)


def error(picture, truth):
    return float(np.sqrt(((picture - truth)[8:-8, 8:-8] ** 2).mean()))


def noisy(low, seed, sigma):
    return np.clip(np.rint(low + np.random.default_rng(seed).normal(0, sigma, low.shape)), 0, 255).astype(np.uint8)


def test_detail_that_the_crop_bears_out_stays():
    truth = large(drawn_face(3))
    picture, alone = keep_to_reference(truth, seen([small(drawn_face(3))] * 8))
    assert alone == 0
    assert error(picture, truth) < 0.5


@pytest.mark.parametrize("sigma", [4.0, 8.0, 16.0])
def test_of_a_face_that_keeps_still_noise_is_not_brought_back(sigma):
    low = small(drawn_face(3))
    shots = seen([noisy(low, seed, sigma) for seed in range(8)])
    mean = shots.seen.mean(axis=0)
    picture, alone = keep_to_reference(mean, shots)
    truth = enlarge(low, 4)
    assert alone < 0.1
    assert error(picture, truth) < 0.6 * error(shots.seen[0], truth)


@pytest.mark.parametrize("step", [0, 7])
def test_of_a_face_that_speaks_the_picture_is_of_its_moment(step):
    order = [step, *(one for one in range(8) if one != step)]
    shots = seen([small(speaking(one)) for one in order])
    truth = enlarge(shots.shots[0].luma, 4)
    mean = shots.seen.mean(axis=0)
    picture, _ = keep_to_reference(mean, shots)
    assert error(picture, truth) < 0.35 * error(mean, truth)


def test_where_the_whole_face_turned_one_frame_is_left_as_it_was_enhanced():
    lows = [small(drawn_face(3))] + [small(np.roll(drawn_face(3), (12, 12), axis=(0, 1)))] * 3
    shots = [TrackShot(low, None, 1.0, enlarge(low, 4)) for low in lows]
    unmoved = Registration(np.stack([np.eye(2, 3)] * 4).astype(np.float32), np.ones(4, bool), np.ones(4, np.float32), 4)
    made = fuse_registered(shots, unmoved, 0, Average(is_plain=True), full_range=True)
    assert made.weights == (1.0, 0.0, 0.0, 0.0)
    assert np.array_equal(made.luma, shots[0].enlarged)


def test_what_an_encoder_changed_is_no_movement():
    """Blocks of an encoder at QP 34 against the same ones uncompressed."""
    low = small(drawn_face(3))
    blocks = np.kron(np.random.default_rng(1).normal(0, 5, (6, 6)), np.ones((4, 4)))
    damaged = np.clip(np.rint(low + blocks), 0, 255).astype(np.uint8)
    truth = enlarge(low, 4).astype(np.float32)
    told, untold = (keep_to_reference(truth, seen([damaged] + [low] * 7, qp)) for qp in (34.0, None))
    assert told[1] == 0
    assert error(told[0], truth) < 0.6 * error(untold[0], truth)


def test_a_crop_of_few_pixels():
    low = np.arange(20, dtype=np.uint8).reshape(4, 5)
    picture, _ = keep_to_reference(np.float32(enlarge(low, 4)), seen([low, low]))
    assert picture.shape == (16, 20)

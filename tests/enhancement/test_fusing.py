"""What fuses the faces of a track, with real registration."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from engine.config import SuperResolveConfig
from engine.contracts.findings import Quality
from engine.contracts.frames import Planes
from engine.enhancement import fusing
from engine.enhancement.best_shots import Shot, whole_share
from engine.enhancement.fusing import TrackFuser, open_fuser
from engine.super_resolve.enhancer import enlarge_planes
from engine.super_resolve.interpolation import Interpolation
from engine.super_resolve.track_average import Average
from tests.super_resolve.test_enhancer import crop_of, real_face


def shots_of(*lumas: np.ndarray) -> list[Shot]:
    """The first one is the best."""
    made = []
    for place, luma in enumerate(lumas):
        grey = np.full((24, 24), 128, np.uint8)
        planes = Planes(luma, grey, grey, "bt709")
        crop = replace(crop_of(planes), quality=Quality(26.0, 0.5, 0.5, 0.6 - place / 100), box=(11.0, 11.0, 26.0, 26.0))
        made.append(Shot(crop, enlarge_planes(planes, 4).y, 4))
    return made


def fuser(**settings):
    found = open_fuser(SuperResolveConfig(generator="bicubic", **settings), Interpolation("bicubic"), lambda _: None)
    assert found is not None
    return found


def noisy(luma: np.ndarray, seed: int) -> np.ndarray:
    return np.clip(luma + np.random.default_rng(seed).normal(0, 6, luma.shape), 16, 235).astype(np.uint8)


def test_many_frames_show_more_than_one_and_another_person_is_left_out():
    clean, other = real_face(0).y, real_face(2).y
    shots = shots_of(*(noisy(clean, seed) for seed in range(5)), noisy(other, 9))
    made = fuser().fuse(shots)
    assert [weight > 0 for weight in made.weights] == [True] * 5 + [False]
    truth = cv2.resize(clean, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    assert cv2.PSNR(made.luma, truth) > cv2.PSNR(shots[0].luma, truth) + 4
    assert made.fusion == "average of bicubic"
    fuser().close()


def test_where_frames_contradict_each_other_the_picture_shows_one_of_them_and_no_ghost():
    face = real_face(0).y
    changed = face.copy()
    changed[38:, :12] = 235 - changed[38:, :12] // 4
    made = fuser().fuse(shots_of(face, changed, face, changed))
    alone = cv2.resize(face, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    corner = np.s_[168:, :32]
    assert made.agreement[corner].mean() < 32
    assert np.abs(made.luma[corner].astype(int) - alone[corner]).max() < 24
    assert made.agreement[60:130, 60:130].min() > 200


def test_where_they_do_not_agree_on_the_face_there_is_no_picture():
    face = real_face(0).y
    covered = face.copy()
    covered[28:] = 60
    assert fuser().fuse(shots_of(face, covered, face, covered)) is None


def test_a_face_that_turned_is_left_to_one_frame():
    face = real_face(0).y
    turned = np.vstack([face[:20], np.roll(face, 3, axis=1)[20:]])
    shots = shots_of(face, turned, turned, turned)
    made = fuser().fuse(shots)
    assert made.weights == (1.0, 0.0, 0.0, 0.0)
    assert np.array_equal(made.luma, shots[0].luma)


@pytest.mark.parametrize(
    ("qp", "whole", "counts"), [(31.0, False, 31.0), (31.0, True, 22.0), (3.0, True, 0.0), (None, False, None)]
)
def test_how_strongly_a_face_was_compressed_is_passed_on(qp, whole, counts):
    seen = []

    class Watching(Average):
        def fuse(self, shots, full_range=False):
            seen.extend(shot.qp for shot in shots.shots)
            return super().fuse(shots, full_range)

    shots = shots_of(*(noisy(real_face(0).y, seed) for seed in range(3)))
    told = [replace(one.crop.quality, qp=qp, qp_of_picture=whole) for one in shots]
    coded = [dataclasses.replace(one, crop=replace(one.crop, quality=each)) for one, each in zip(shots, told, strict=True)]
    TrackFuser(Watching(), "x").fuse(coded)
    assert seen == [counts] * 3


@pytest.mark.parametrize(("side", "name"), [(48, "network"), (49, "average of x")])
def test_large_faces_are_left_to_the_mean(side, name, monkeypatch):
    class Network(Average):
        largest_side_px = 48.0

        def close(self) -> None: ...

    monkeypatch.setattr(fusing, "TrackNetwork", Network)
    network = Network()
    network.name = "network"
    luma = cv2.resize(real_face(0).y, (side, side))
    grey = np.full(((side + 1) // 2, (side + 1) // 2), 128, np.uint8)
    planes = Planes(luma, grey, grey, "bt709")
    crop = replace(crop_of(planes), box=(10.0, 10.0, 26.0, 26.0), quality=Quality(26.0, 0.5, 0.5, 0.6))
    made = TrackFuser(network, "x").fuse([Shot(crop, enlarge_planes(planes, 4).y, 4)] * 2)
    assert made.fusion == name


@pytest.mark.parametrize("change", [{"generator": "bicubic"}, {"strength": 0.5}])
def test_who_wants_no_network_gets_none(change):
    def find(name: str) -> Path:
        raise AssertionError(name)

    found = open_fuser(replace(SuperResolveConfig(), **change), Interpolation("bicubic"), find)
    assert found is not None
    assert found.network is None
    assert open_fuser(SuperResolveConfig(track_pictures=False), Interpolation("bicubic"), find) is None
    assert open_fuser(SuperResolveConfig(), None, find) is None


def test_a_face_that_the_frame_cuts_off_is_worth_less():
    crop = replace(crop_of(real_face(0)), box=(10.0, 10.0, 20.0, 20.0), crop_box=(2, 2, 36, 36))
    assert whole_share(crop, 0.4) == pytest.approx(1.0)
    assert whole_share(replace(crop, crop_box=(2, 2, 18, 36)), 0.4) == pytest.approx(0.5)
    assert whole_share(replace(crop, box=(10.0, 10.0, 0.0, 20.0)), 0.4) == 1.0

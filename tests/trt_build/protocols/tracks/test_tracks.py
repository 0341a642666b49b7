"""Several-frame pictures measured beside single frames: tracks, methods and the table, on a few drawn faces."""

from __future__ import annotations

import csv
import zipfile

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from engine.super_resolve.warps import compose, enlarged, inverse
from tests.super_resolve.tracks import drawn_face, track
from tests.trt_build.systems.redeg.made import clip_of_a_face
from trt_build.cli import main
from trt_build.errors import DataError
from trt_build.measures.bootstrap import draw_people
from trt_build.measures.verification import unit
from trt_build.protocols.tracks import evaluation, track_sets
from trt_build.protocols.tracks import pictures as names
from trt_build.protocols.tracks.clip_sets import Clips
from trt_build.protocols.tracks.pictures import Tools, fused_alone, make_pictures
from trt_build.protocols.tracks.track_sets import TrackSet, simulated, two_pictures_each, with_strangers
from trt_build.protocols.tracks.verified import tars


@pytest.fixture
def faces(tmp_path):
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for person in range(4):
            for number in range(2 if person < 3 else 1):
                _, data = cv2.imencode(".png", drawn_face(20 + person))
                archive.writestr(f"P_{person}/P_{person}_{number:04d}.png", data.tobytes())
    return path


def _bicubic(lows):
    return np.stack([cv2.resize(low, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC) for low in lows])


def test_people_with_one_picture_are_left_out(faces, tmp_path):
    assert two_pictures_each(faces).names == ("P_0", "P_1", "P_2")
    assert len(two_pictures_each(faces, most=2, seed=1).names) == 2
    with zipfile.ZipFile(tmp_path / "few.zip", "w") as archive:
        archive.writestr("A/a.png", cv2.imencode(".png", drawn_face())[1].tobytes())
    with pytest.raises(DataError, match="no two people"):
        two_pictures_each(tmp_path / "few.zip")


def _drawn_tracks(px=16):
    """Three tracks of drawn faces and their truth, without a camera."""
    lows, truths, affine = [], [], []
    for person in range(3):
        low, warps, _ = track(px, 8, 30 + person, noise=4.0)
        truth = np.column_stack([4 * warps[0][:, :2], 4 * warps[0][:, 2] + 1.5])
        flags = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REFLECT}
        truths.append(cv2.warpAffine(drawn_face(30 + person), truth, (4 * px, 4 * px), **flags))
        lows.append(low)
        affine.append([enlarged(compose(one, inverse(warps[0])), 4) for one in warps])
    return TrackSet("crf28", px, np.stack(lows), np.stack(truths), np.float32(affine), ("A", "B", "C"))


def test_tracks_are_filmed_once(faces, tmp_path, monkeypatch):
    short = replace(track_sets.clip_spec("crf23"), frames=9)
    monkeypatch.setattr(track_sets, "clip_spec", lambda kind: short)
    people = two_pictures_each(faces)
    tracks = simulated(people, "crf23", 12, 3, tmp_path, lambda *_: None)
    monkeypatch.setattr(track_sets, "film", None)
    again = simulated(people, "crf23", 12, 3, tmp_path, lambda *_: None)
    assert tracks.low.shape == (3, 8, 12, 12)
    assert np.array_equal(again.low, tracks.low)
    for low, truth in zip(tracks.low, tracks.truth, strict=True):
        shrunk = cv2.resize(truth, (12, 12), interpolation=cv2.INTER_AREA)
        assert np.corrcoef(shrunk.ravel(), low[0].ravel())[0, 1] > 0.9


def test_methods_are_in_the_place_of_the_first_frame_and_strangers_are_of_others():
    tracks, seen = _drawn_tracks(), []
    made = make_pictures(tracks, Tools(_bicubic, None), lambda: seen.append(1))
    assert len(seen) == 3
    error = {name: np.abs(some.astype(float) - tracks.truth)[:, 8:-8, 8:-8].mean() for name, some in made.by_method.items()}
    assert error[names.TRUE_MEAN] < error[names.ONE]
    assert error[names.MEAN] < error[names.ONE]
    assert error[names.BEST] <= error[names.ONE]
    assert np.median(made.errors_px[:, 1:]) < 0.15
    mixed, places = with_strangers(tracks, 5)
    changed = (mixed.low != tracks.low).any(axis=(2, 3))
    assert np.array_equal(np.argwhere(changed), np.stack([np.arange(3), places], axis=1))
    fused, agreed = fused_alone(mixed, Tools(_bicubic, None), lambda: None)
    assert set(fused) == {names.MEAN, names.CAREFUL}
    assert agreed.shape == (3, 8)


def test_who_is_alike_is_accepted():
    rng = np.random.default_rng(0)
    gallery = unit(rng.normal(size=(40, 16)).astype(np.float32))
    draws = draw_people([str(person) for person in range(40)], 5, 0)
    assert (tars(gallery, gallery, draws) == 1).all()
    strangers = unit(rng.normal(size=(40, 16)).astype(np.float32))
    assert tars(strangers, gallery, draws)[0] < 0.2


def test_faces_of_a_clip_have_their_truth(tmp_path):
    clip = clip_of_a_face(tmp_path / "clip.mp4", frames=26)
    tracks = Clips([clip], lambda *_: None).tracks(16, 28, seed=1)
    assert tracks.low.shape[1:] == (8, 16, 16)
    assert tracks.affine is None
    assert np.array_equal(tracks.truths[:, 0], tracks.truth)
    for low, truth in zip(tracks.low, tracks.truth, strict=True):
        shrunk = cv2.resize(truth, (16, 16), interpolation=cv2.INTER_AREA)
        assert np.corrcoef(shrunk.ravel(), low[0].ravel())[0, 1] > 0.9
    with pytest.raises(DataError, match="No clip shows"):
        Clips([clip_of_a_face(tmp_path / "none.mp4", faces=False)], lambda *_: None).tracks(16, None, seed=1)


def test_the_command_writes_table_and_pictures(faces, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "simulated", lambda *_: _drawn_tracks(12))
    out = tmp_path / "out"
    given = ["--data", str(faces), "--out", str(out), "--cache", str(tmp_path), "--rounds", "5"]
    chosen = ["--kinds", "crf28", "--sizes", "12", "--verified", "none"]
    assert main(["track", "evaluate", *given, *chosen]) == 0
    with (out / "results.csv").open() as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert float(rows[names.MEAN]["psnr_db"]) > float(rows[names.ONE_SMALL]["psnr_db"])
    assert rows[names.MEAN]["stranger_db"]
    assert cv2.imread(str(out / "pictures.png")) is not None
    assert "mean of enhanced" in capsys.readouterr().out

"""ByteTrack of our own follows what the library ``trackers`` follows: every id of every detection, frame by frame."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine.track.bytetrack import ByteTrack

trackers = pytest.importorskip("trackers", reason="the reference is the library trackers")
supervision = pytest.importorskip("supervision")


class Library:
    """What it is compared with; the library numbers a track only at its second detection, so it is numbered here."""

    def __init__(self, frame_rate: float, lost_seconds: float, start_score: float, near: float) -> None:
        self._tracker = trackers.ByteTrackTracker(
            lost_track_buffer=round(lost_seconds * 30),
            frame_rate=frame_rate,
            minimum_consecutive_frames=1,
            track_activation_threshold=start_score,
            high_conf_det_threshold=0.0,
            iou=trackers.utils.iou.BIoU(buffer_ratio=near),
        )
        self._numbers, self._start_score = itertools.count(), start_score

    @property
    def tracks(self):
        return self._tracker.tracks

    def update(self, corners, scores, seconds):
        data = {"index": np.arange(len(corners))}
        given = supervision.Detections(xyxy=corners, confidence=scores, data=data)
        found = self._tracker.update(given, timestamp=seconds)
        if not len(found):
            return []
        pairs = list(zip(found.data["index"].tolist(), found.tracker_id.tolist(), strict=True))
        begun = [track for track in self.tracks if track.tracker_id == -1]
        for track in begun:
            track.tracker_id = next(self._numbers)
        new = [index for index, number in pairs if number < 0 and scores[index] >= self._start_score]
        old = [pair for pair in pairs if pair[1] >= 0]
        return old + [(index, track.tracker_id) for index, track in zip(new, begun, strict=True)]


def walk(rng: np.random.Generator, frame_rate: float, frames: int):
    """Give corners, scores and the time of faces that walk, cross, are missed, and are seen at uneven times."""
    count = int(rng.integers(1, 9))
    places, size = rng.random((count, 2)) * [300, 200], rng.uniform(10, 60, count)
    speed = rng.normal(0, rng.choice([1, 6]), (count, 2))
    seconds = 0.0
    for _ in range(frames):
        seconds += rng.choice([1, 1, 1, 2, 5]) / frame_rate + abs(rng.normal(0, 0.0003))
        places = places + speed + rng.normal(0, 1, (count, 2))
        seen = rng.random(count) < 0.8
        sides = (size[seen] * rng.uniform(0.9, 1.1, seen.sum()))[:, None]
        corners = np.concatenate([places[seen] - 0.5 * sides, places[seen] + 0.6 * sides], axis=1)
        yield corners.astype(np.float32), rng.uniform(0.1, 1, len(corners)).astype(np.float32), seconds


@pytest.mark.parametrize("seed", range(12))
def test_every_track_is_the_librarys(seed: int):
    rng = np.random.default_rng(seed)
    frame_rate, near = float(rng.choice([5, 12.5, 25, 29.97, 60])), float(rng.choice([0, 0.4]))
    settings = (frame_rate, float(rng.choice([0.2, 0.5, 1.5])), float(rng.choice([0, 0.5])), near)
    ours, theirs = ByteTrack(*settings), Library(*settings)
    for corners, scores, seconds in walk(rng, frame_rate, 60):
        assert sorted(ours.update(corners, scores, seconds)) == sorted(theirs.update(corners, scores, seconds))
        assert sorted(ours.ids) == sorted(track.tracker_id for track in theirs.tracks)


def test_ids_go_on_after_a_reset():
    boxes = ByteTrack(25.0, 1.5, 0.0, 0.0)
    face, score = np.float32([[10, 10, 50, 50]]), np.float32([0.9])
    assert boxes.update(face, score, 0.0) == [(0, 0)]
    boxes.reset()
    assert boxes.ids == []
    assert boxes.update(face, score, 5.0) == [(0, 1)]

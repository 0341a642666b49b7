"""When more waits for an enhance worker than it can do."""

from __future__ import annotations

import select
import threading

import pytest

from engine.enhancement.enhancement import Said
from engine.enhancement.enlarging import Enlarged
from engine.workers import face_line
from engine.workers.face_line import FaceLine
from tests.patience import PATIENCE_SECONDS
from tests.super_resolve.test_enhancer import crop_of, noise_planes


class Core:
    """Enlarges nothing, once it may."""

    def __init__(self) -> None:
        self.may, self.loads, self.closed = threading.Event(), list[bool](), list[int]()
        self.due, self.order = 0, list[str]()

    @property
    def has_picture_due(self) -> bool:
        return self.due > 0

    def picture_due(self):
        self.due -= 1
        self.order.append("picture")
        return []

    def enlarge(self, crops, *, hurry=False):
        self.may.wait(PATIENCE_SECONDS)
        return Enlarged([], [], {}, 0.0)

    def finish(self, crops, enlarged):
        self.order.append("face")
        return []

    def forget_recordings(self):
        return [1, 2, 3]

    def close_track(self, closed):
        self.closed.append(closed)
        return Said(closed, [])

    def note_load(self, *, is_behind: bool) -> None:
        self.loads.append(is_behind)


@pytest.mark.parametrize(("seconds", "loads"), [(0.3, [False] * 4), (0.7, [True, True, False, False])])
def test_a_worker_is_behind_once_all_its_threads_have_had_something_to_do_for_long(monkeypatch, seconds, loads):
    now = 100.0
    monkeypatch.setattr(face_line.time, "monotonic", lambda: now)
    core = Core()
    line = FaceLine(core, 1, 0.0, 2, 0.5)  # type: ignore[arg-type]
    now = 200.0
    for _ in range(4):
        line.put(crop_of(noise_planes(8, 8)))
    now += seconds
    core.may.set()
    done = 0
    while done < 4:
        assert select.select([line.pool], [], [], 20)[0]
        done += sum(items for items, _ in line.flow())
    line.close()
    assert core.loads == loads


def test_tracks_that_end_together_are_closed_one_by_one():
    """What reads beats between them."""
    core = Core()
    line = FaceLine(core, 1, 0.0, 1)  # type: ignore[arg-type]
    line.forget_tracks()
    seen = [(items, len(said), len(core.closed)) for items, said in line.flow()]
    line.close()
    assert seen == [(0, 1, 1), (0, 1, 2), (0, 1, 3)]


def _give(line: FaceLine, faces: int) -> None:
    for _ in range(faces):
        line.put(crop_of(noise_planes(8, 8)))


def _take(line: FaceLine, core: Core, faces: int) -> None:
    while core.order.count("face") < faces:
        assert select.select([line.pool], [], [], 20)[0]
        list(line.flow())


def test_pictures_of_tracks_wait_until_no_face_does_and_are_made_one_by_one():
    core = Core()
    core.may.set()
    core.due = 2
    line = FaceLine(core, 1, 0.0, 1)  # type: ignore[arg-type]
    _give(line, 3)
    _take(line, core, 3)
    assert core.order == ["face", "face", "face", "picture"]
    assert line.seconds_left == 0.0, "what reads looks for a face first, and comes back at once"
    _give(line, 1)
    _take(line, core, 4)
    assert core.order[4:] == ["face", "picture"]
    assert line.seconds_left is None
    line.close()


def test_where_faces_never_end_a_picture_is_made_between_them_once_a_second(monkeypatch):
    now = 100.0
    monkeypatch.setattr(face_line.time, "monotonic", lambda: now)
    core = Core()
    core.due = 5
    line = FaceLine(core, 1, 0.0, 1)  # type: ignore[arg-type]
    _give(line, 1)
    for tenth in range(1, 32):
        now = 100.0 + tenth / 10
        list(line.flow())
        assert line.seconds_left == pytest.approx(1.0 - (now - 100.0) % 1.0, abs=1e-6)
    assert core.order == ["picture"] * 3
    core.may.set()
    line.close()

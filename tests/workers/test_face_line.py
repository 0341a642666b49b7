"""When more waits for an enhance worker than it can do."""

from __future__ import annotations

import select
import threading

import pytest

from engine.enhancement.enhancement import Said
from engine.enhancement.enlarging import Enlarged
from engine.workers import face_line
from engine.workers.face_line import FaceLine
from tests.super_resolve.test_enhancer import crop_of, noise_planes


class Core:
    """Enlarges nothing, once it may."""

    def __init__(self) -> None:
        self.may, self.loads, self.closed = threading.Event(), list[bool](), list[int]()

    def enlarge(self, crops, *, hurry=False):
        self.may.wait(20)
        return Enlarged([], [], {}, 0.0)

    def finish(self, crops, enlarged):
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

from __future__ import annotations

import errno
import os
import time

import numpy as np
import pytest

from engine.decode import v4l2
from tests.decode.watching import watching

SIZE = (48, 64)


class FakeCapture:
    """Gives ``count`` pictures, then none."""

    def __init__(self, picture: np.ndarray, count: int) -> None:
        self._picture, self._left = picture, count
        self.released = False

    def read(self):
        if self._left == 0:
            return False, None
        self._left -= 1
        time.sleep(0.01)  # a camera's own pace
        return True, self._picture.copy()

    def get(self, _prop: int) -> float:
        return 30.0

    def release(self) -> None:
        self.released = True


@pytest.fixture
def fake(monkeypatch):
    """Return a function that makes every device the given capture."""

    def use(capture: FakeCapture | None) -> None:
        monkeypatch.setattr(v4l2, "check_device", lambda _path: 0)
        monkeypatch.setattr(v4l2, "open_capture", lambda _camera: capture)

    return use


@pytest.mark.parametrize("shape", [(*SIZE, 3), SIZE, (*SIZE, 1)])
def test_pictures_of_a_device_become_planes(fake, shape):
    picture = np.full(shape, 200, np.uint8)
    picture[:24] = 40
    capture = FakeCapture(picture, 20)
    fake(capture)
    with watching("/dev/video0", detect_fps=1000.0) as watch:
        watch.until(lambda w: len(w.frames) == 20)
    assert watch.order[:3] == ["connecting", "live", "frame"]
    live = watch.states[1]
    assert (live.width_px, live.height_px, live.frame_rate) == (64, 48, 30.0)
    seconds = [frame.time.pts_seconds for frame in watch.frames]
    assert seconds == sorted(seconds)
    planes = watch.frames[-1].planes
    luma = (planes.y.astype(float) - 16) * 255 / 219 if len(shape) == 3 and shape[2] == 3 else planes.y.astype(float)
    assert luma[:20].mean() == pytest.approx(40, abs=3)
    assert luma[28:].mean() == pytest.approx(200, abs=3)
    assert capture.released


def test_a_device_that_is_pulled_out_is_opened_again(fake, monkeypatch):
    captures = [FakeCapture(np.zeros((*SIZE, 3), np.uint8), 5) for _ in range(3)]
    left = iter(captures)
    fake(None)
    monkeypatch.setattr(v4l2, "open_capture", lambda _camera: next(left))
    with watching("/dev/video0") as watch:
        watch.until(lambda w: len(w.frames) == 12)
    assert watch.order[:7] == ["connecting", "live", "frame", "discontinuity", "connecting", "live", "frame"]
    assert watch.states[2].reason == "not_found"
    assert watch.decoder.counters["reconnects"] == 2
    assert all(capture.released for capture in captures)


def test_a_device_of_another_program_is_busy(fake):
    for capture in (None, FakeCapture(np.zeros((*SIZE, 3), np.uint8), 0)):
        fake(capture)
        with watching("/dev/video0", max_reconnects=0) as watch:
            watch.until(lambda w: w.count("failed") == 1)
        assert watch.states[-1].reason == "busy"
        assert "another program" in watch.states[-1].detail


@pytest.mark.parametrize(
    ("path", "reason"), [("/dev/video97", "not_found"), ("/dev/null", "no_video"), ("/dev/full", "no_video")]
)
def test_what_is_no_camera_is_said_in_one_sentence(path, reason):
    with watching(path, max_reconnects=0) as watch:
        watch.until(lambda w: w.count("failed") == 1)
    assert watch.states[-1].reason == reason
    assert watch.states[-1].detail.startswith(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_device_that_may_not_be_read(tmp_path):
    path = tmp_path / "video0"
    path.touch(mode=0)
    assert v4l2.check_device(str(path)) == errno.EACCES


def test_a_file_is_no_device(tmp_path):
    (tmp_path / "video0").touch()
    assert v4l2.check_device(str(tmp_path / "video0")) == errno.ENOTTY

"""A look at cameras of all kinds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engine.config import Redact
from engine.contracts.camera import Camera
from engine.contracts.frames import Detections
from engine.errors import SourceError
from engine.pictures.veil import hide
from engine.probe.probe import look_at, rate_of
from tests.decode.watching import camera
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import frame_number
from tests.rtsp.script import Behaviour


class Finds:
    """In the place of a detector: finds faces of the given widths in each picture in turn."""

    def __init__(self, *widths: list[float]) -> None:
        self._widths = list(widths)
        self.looks = 0

    def detect(self, pictures):
        found = []
        for _ in pictures:
            widths = self._widths[self.looks % len(self._widths)]
            self.looks += 1
            boxes = np.array([[10, 10, width, width] for width in widths], np.float32).reshape(-1, 4)
            count = len(widths)
            found.append(Detections(boxes, np.full(count, 0.9, np.float32), np.zeros((count, 5, 2), np.float32)))
        return found


def looked(source: Camera, *widths: list[float], seconds: float = 0.7):
    return look_at(source, Finds(*widths) if widths else None, seconds)


@pytest.mark.alone
def test_a_real_server_is_described(gst, small_clip):
    server = gst({"cam": small_clip}, user="u", password="secret")
    probed = looked(camera(server.url("cam", "u:secret")), [30.0], [60.0, 20.0], [], seconds=1.3)
    assert (probed.codec, probed.width_px, probed.height_px) == ("h264", 320, 240)
    assert "Baseline" in probed.profile
    assert probed.fps == pytest.approx(25.0, abs=2.5)
    assert (probed.time_base, probed.clock) == ((1, 90000), "ntp")
    assert probed.clock_behind_seconds == pytest.approx(0.0, abs=1.0)
    assert probed.kbps > 1
    assert 2 <= probed.looked_at <= 4
    assert (probed.most_faces, probed.face_sizes_px[-1]) == (2, 60.0)
    assert [face.size_px for face in probed.faces] == [60.0, 20.0]
    with Image.open(io.BytesIO(probed.picture)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 240))
    assert "secret" not in repr(probed)


def test_without_reports_the_clock_is_the_streams(scripted, small_clip):
    server = scripted(small_clip, Behaviour(ntp_offset_seconds=None, speed=4.0))
    probed = looked(camera(server.url()))
    assert (probed.clock, probed.clock_behind_seconds) == ("stamps", None)
    assert probed.fps == pytest.approx(25.0, abs=1.0), "by its own clock, not by ours"
    assert (probed.verdict, probed.looked_at, probed.faces, probed.advice) == ("not_looked", 0, [], "")
    with Image.open(io.BytesIO(probed.picture)) as picture:
        assert frame_number(np.asarray(picture.convert("L"))) < 50


def test_a_web_server_of_live_video_is_described(http, small_clip):
    server = http(small_clip)
    probed = looked(camera(server.url("live.ts")), [14.0])
    assert (probed.codec, probed.width_px, probed.clock, probed.verdict) == ("h264", 320, "stamps", "too_small")
    assert "use the main stream" in probed.advice


@pytest.mark.parametrize(
    ("behaviour", "reason", "says"),
    [
        (Behaviour(credentials="u:p"), "auth", "asks for a user name and password.*in a file with `credentials`"),
        (Behaviour(sdp="audio"), "no_video", "sends no video|offers no video"),
        (Behaviour(answers={"DESCRIBE": 404}), "not_found", "no stream under this path"),
        (Behaviour(answers={"SETUP": 453}), "busy", "no session free"),
        (Behaviour(answers={"OPTIONS": 500}), "server_error", "error of its own"),
    ],
)
def test_what_gives_no_picture_says_why(scripted, small_clip, behaviour, reason, says):
    server = scripted(small_clip, behaviour)
    with pytest.raises(SourceError, match=says) as told:
        looked(camera(server.url(), connect_seconds=PATIENCE_SECONDS))
    assert told.value.reason == reason
    server.wait(lambda: server.connections_open == 0)


def test_a_camera_that_falls_silent_at_once_is_bounded(scripted, small_clip):
    server = scripted(small_clip, Behaviour(silent=frozenset({"PLAY"})))
    with pytest.raises(SourceError, match=r"did not answer|sent nothing|gave no picture"):
        looked(camera(server.url(), connect_seconds=0.5, stall_seconds=0.5), seconds=0.2)


@pytest.mark.parametrize(
    ("moments", "rate"),
    [
        ([], 0.0),
        ([3.0], 0.0),
        ([3.0, 3.0], 0.0),
        ([number / 25 for number in range(50)], 25.0),
        ([0.0, *(1.7 + number / 25 for number in range(50))], 25.0),
        ([0.0, 0.033, 0.1, 0.133, 0.2, 0.233, 0.3], 20.0),
        ([number / 2 for number in range(5)], 2.0),
    ],
)
def test_the_rate_is_that_of_the_stream_and_not_of_this_machine(moments, rate):
    assert rate_of(moments) == pytest.approx(rate)


def test_the_picture_shows_no_more_than_may_leave(scripted, small_clip):
    def picture(redact: Redact, *widths: list[float]) -> np.ndarray | None:
        server = scripted(small_clip, Behaviour(speed=4.0))
        found = look_at(camera(server.url()), Finds(*widths) if widths else None, 0.3, redact)
        if not found.picture:
            return None
        with Image.open(io.BytesIO(found.picture)) as opened:
            return np.array(opened.convert("RGB"))

    shown, hidden = picture("none", [100.0]), picture("blur", [100.0])
    assert shown is not None
    assert hidden is not None
    wanted = shown.copy()
    hide(wanted, [(10.0, 10.0, 100.0, 100.0)])
    assert np.abs(wanted.astype(int) - hidden).mean() < 0.5 * np.abs(shown.astype(int) - hidden).mean()
    assert picture("vectors", [100.0]) is None
    assert picture("blur") is None, "where nobody looked for faces nobody knows what is to be hidden"

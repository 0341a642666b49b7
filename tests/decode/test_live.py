"""A camera, live: what comes of it, and when."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from engine.contracts.recording import Appearance
from engine.crop.combs import combed
from tests.carried import carried
from tests.decode.byte_server import ByteServer, http, raw
from tests.decode.clips import render
from tests.decode.test_deinterlace import interlaced, read
from tests.decode.watching import TRANSPORTS, Watch, watching
from tests.rtsp.clips import frame_number, numbered_clip
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frames_come_at_once_in_order_with_their_times(clip, transport):
    with ScriptedServer(clip) as server, watching(server.url(), transport=transport) as watch:
        watch.until(lambda w: len(w.frames) == 1)
        assert server.counts.pictures < 40, "what FFmpeg may take to analyse a stream is seconds"
        before = time.time_ns()
        watch.until(lambda w: len(w.frames) == 40)
        after = time.time_ns()
    assert watch.order == ["connecting", "live", "frame"]
    live = watch.states[1]
    assert (live.width_px, live.height_px, live.frame_rate, live.reason) == (320, 240, 25.0, "")
    assert [frame.time.frame_index for frame in watch.frames] == list(range(40))
    assert [frame_number(frame.planes.y) for frame in watch.frames] == list(range(40))
    assert np.diff([frame.time.pts_seconds for frame in watch.frames]) == pytest.approx(0.04, abs=0.002)
    captured = [frame.time.captured_ns for frame in watch.frames]
    assert captured == sorted(captured)
    arrived = [frame.time.arrived_seconds for frame in watch.frames]
    assert np.diff(arrived) == pytest.approx(np.diff(captured) / 1e9, abs=0.5)
    assert before <= captured[5]
    assert captured[-1] <= after
    assert watch.decoder.counters["packets"] == 40
    assert watch.decoder.counters["bytes"] > 0
    server.wait(lambda: server.connections_open == 0)
    assert server.counts.teardowns == 1
    for state in watch.states:
        assert carried(state) == state


def test_ten_detections_a_second_are_marked(clip):
    with ScriptedServer(clip, Behaviour(speed=4.0)) as server, watching(server.url(), detect_fps=10.0) as watch:
        watch.until(lambda w: len(w.frames) == 50)
    assert sum(frame.detect for frame in watch.frames) == pytest.approx(20, abs=1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_cameras_own_time_comes_with_the_frames(clip, transport):
    ahead_seconds = 3600.0
    behaviour = Behaviour(ntp_offset_seconds=ahead_seconds, report_every_seconds=0.2)
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), transport=transport) as watch:
        watch.until(lambda w: len(w.frames) == 30)
    late = [(f.time.captured_ns - f.time.ntp_ns) / 1e9 + ahead_seconds for f in watch.frames[3:] if f.time.ntp_ns is not None]
    assert len(late) > 20
    # FFmpeg knows that a picture is whole when the next one begins; on a busy machine some come later.
    assert 0.0 < min(late) < 0.08


def test_without_reports_there_is_no_camera_time(clip):
    with ScriptedServer(clip, Behaviour(ntp_offset_seconds=None)) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 10)
    assert {frame.time.ntp_ns for frame in watch.frames} == {None}


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_with_odd_characters_is_accepted(clip, auth):
    behaviour = Behaviour(credentials="admin:p@ss/w:rd", auth=auth)
    with ScriptedServer(clip, behaviour) as server, watching(server.url(credentials="admin:p%40ss%2Fw%3Ard")) as watch:
        watch.until(lambda w: len(w.frames) == 3)


def test_a_transport_stream_by_http_and_by_tcp(tmp_path):
    options = {"tune": "zerolatency", "g": "12"}
    body = render(tmp_path / "live.ts", frames=60, codec_options=options).read_bytes()
    for scheme, answer in (("http", http(200, body)), ("tcp", raw(body))):
        with ByteServer(answer) as server, watching(server.url(scheme), stall_seconds=1.2) as watch:
            watch.until(lambda w: len(w.frames) == 58)  # of the last two FFmpeg does not know yet that they are whole
            assert watch.order == ["connecting", "live", "frame"]
            assert watch.states[1].frame_rate == 25.0
            assert np.diff([frame.time.pts_seconds for frame in watch.frames]) == pytest.approx(0.04)
            watch.until(lambda w: w.count("discontinuity") == 1)
        assert watch.states[-1].reason == "timeout"


@pytest.mark.parametrize("kind", ["jpeg", "h264", "h265"])
@pytest.mark.parametrize("pause_seconds", [0.12, 0.25])
def test_what_has_no_time_stamps_has_the_time_at_which_it_comes(tmp_path, kind, pause_seconds):
    """FFmpeg counts 25 pictures a second: with a camera of 5 time went five times slower, and it was looked at less often."""
    head = b""
    if kind == "jpeg":
        head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
        pictures = [cv2.imencode(".jpg", np.full((48, 64, 3), 8 * number, np.uint8))[1].tobytes() for number in range(20)]
        pieces = [b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + picture + b"\r\n" for picture in pictures]
    else:
        pieces = numbered_clip(tmp_path / "clip", kind).units[:20]

    def answer(client):
        client.sendall(head)
        for piece in pieces:
            client.sendall(piece)
            time.sleep(pause_seconds)

    with ByteServer(answer) as server, watching(server.url("http" if head else "tcp")) as watch:
        watch.until(lambda w: len(w.frames) == 15 or w.count("connecting") == 2)
    frames = watch.frames[-8:]
    assert len(frames) == 8
    passed, told = (np.diff([getattr(one.time, name) for one in frames]) for name in ("arrived_seconds", "pts_seconds"))
    assert told == pytest.approx(passed, abs=0.06)  # by FFmpeg's count it is 0.04
    assert (watch.states[1].state, watch.states[1].frame_rate) == ("live", 0.0)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/jpg", "image/pjpeg", "IMAGE/JPG", "application/octet-stream", ""])
@pytest.mark.parametrize("boundary", ["b", '"b"', "--b"])
def test_jpeg_over_http_is_read_whatever_its_parts_are_called(kind, boundary):
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    type_line = f"Content-Type: {kind}\r\n" if kind else ""
    part = f"--b\r\n{type_line}Content-Length: {len(picture)}\r\n\r\n".encode() + picture + b"\r\n"

    def answer(client):
        client.sendall(f"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary={boundary}\r\n\r\n".encode())
        for _ in range(20):
            client.sendall(part)
            time.sleep(0.02)

    with ByteServer(answer) as server, watching(server.url("http")) as watch:
        watch.until(lambda w: len(w.frames) == 10 or len(w.states) > 3)
    assert len(watch.frames) >= 10
    assert watch.frames[0].planes.y.shape == (48, 64)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/jpg", "text/plain", ""])
@pytest.mark.parametrize("has_length", [True, False])
def test_two_pictures_of_jpeg_over_http_are_enough_to_begin_with(kind, has_length):
    """Up to 15 were wanted: a camera of one in two or three seconds could not be opened."""
    picture = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8))[1].tobytes()
    lines = (f"Content-Type: {kind}\r\n" if kind else "") + (f"Content-Length: {len(picture)}\r\n" if has_length else "")
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
    part = f"--b\r\n{lines}\r\n".encode() + picture + b"\r\n"
    with ByteServer(raw(head + 2 * part)) as server, watching(server.url("http")) as watch:
        watch.until(lambda w: len(w.frames) == 1 or len(w.states) > 2)
    assert watch.order == ["connecting", "live", "frame"]


def watched_parts(before: str, off: int = 0) -> Watch:
    """Watch a camera that sends 40 JPEG pictures as parts, up to the 30th or to a second connection.

    Args:
        before: what stands before the head of each part.
        off: by how much each says a wrong length.
    """
    picture = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
    lines = f"{before}Content-Type: image/jpeg\r\nContent-Length: {len(picture) + off}\r\n\r\n"
    part = lines.encode() + picture + b"\r\n"
    with ByteServer(raw(head + 40 * part)) as server, watching(server.url("http")) as watch:
        return watch.until(lambda w: len(w.frames) == 30 or w.count("connecting") == 2)


@pytest.mark.parametrize("off", [500, -60])
def test_jpeg_over_http_is_read_where_its_parts_say_a_wrong_length(off):
    """One picture came of each connection, or none at all."""
    watch = watched_parts("--b\r\n", off)
    assert len(watch.frames) == 30
    assert watch.count("live") == 1


@pytest.mark.parametrize("before", ["b\r\n", "A message of several parts\r\n--b\r\n"])
def test_jpeg_over_http_is_read_where_its_boundaries_are_none_to_ffmpeg(before):
    watch = watched_parts(before)
    assert (len(watch.frames), watch.count("live")) == (30, 1)


def test_three_pictures_one_after_the_other_are_enough_to_begin_with():
    """14 were wanted, and then two more of another connection: a camera of one in seven seconds was never opened."""
    picture = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8))[1].tobytes()
    connections = []

    def answer(client):
        connections.append(client)
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/x-motion-jpeg\r\n\r\n" + 3 * picture)

    with ByteServer(answer) as server, watching(server.url("http"), connect_seconds=15.0) as watch:
        watch.until(lambda w: len(w.frames) == 1 or len(w.states) > 2)
    assert (watch.order, len(connections)) == (["connecting", "live", "frame"], 1)


def test_pictures_one_after_the_other_have_the_time_at_which_they_come():
    """Each was 40 ms after the one before, whatever the camera's rate."""
    noise = np.random.default_rng(0)
    pictures = [cv2.imencode(".jpg", noise.integers(0, 255, (240, 320, 3), np.uint8))[1].tobytes() for _ in range(8)]

    def answer(client):
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: video/x-motion-jpeg\r\n\r\n")
        for number in range(60):
            client.sendall(pictures[number % 8])
            time.sleep(0.12)

    with ByteServer(answer) as server, watching(server.url("http")) as watch:
        watch.until(lambda w: len(w.frames) == 20)
    frames = watch.frames[-6:]
    passed, told = (np.diff([getattr(one.time, name) for one in frames]) for name in ("arrived_seconds", "pts_seconds"))
    assert told == pytest.approx(passed, abs=0.06)
    assert np.mean(told) > 0.08


def test_parts_that_are_no_jpeg_are_refused_with_what_to_choose():
    picture = cv2.imencode(".png", np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    head = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
    part = b"--b\r\nContent-Type: image/png\r\n\r\n" + picture + b"\r\n"
    with ByteServer(raw(head + 20 * part)) as server, watching(server.url("http")) as watch:
        watch.until(lambda w: w.states and w.states[-1].reason)
    assert "not JPEG pictures" in watch.states[-1].detail


@pytest.mark.parametrize("codec", ["mpeg1video", "mpeg2video", "mpeg4", "libx264", "libx265"])
def test_pictures_that_others_build_on_are_shown_in_their_order(tmp_path, codec):
    """Of MPEG-2 and MPEG-4 they came in the order in which they were sent, two of three with the time of another."""
    options = {"bf": "2", "g": "12"} if codec != "libx265" else {"x265-params": "bframes=2:keyint=12:log-level=none"}
    body = render(tmp_path / "live.ts", codec=codec, frames=50, codec_options=options).read_bytes()
    with ByteServer(raw(body)) as server, watching(server.url("tcp")) as watch:
        watch.until(lambda w: len(w.frames) == 40)
    assert np.diff([frame.time.pts for frame in watch.frames]) == pytest.approx(3600)
    assert watch.count("discontinuity") == 0


def test_a_camera_is_shown_as_a_player_does(tmp_path):
    """Square pixels, no combs, and turned as it hangs: the rules of recordings."""
    path = interlaced(tmp_path / "a.ts", 30)
    truth = read(path, rotate=180, aspect="16:9")
    with ByteServer(raw(path.read_bytes())) as server:
        appearance = Appearance(rotate=180, aspect="16:9")
        with watching(server.url("tcp"), appearance=appearance) as watch:
            watch.until(lambda w: len(w.frames) >= 20)
    assert {(f.planes.width_px, f.planes.height_px) for f in watch.frames} == {(214, 120)}
    by_pts = {frame.time.pts: frame for frame in truth}
    assert min(combed(frame.planes.y[30:90, 60:160]) for frame in read(path, deinterlace="off")[5:10]) > 0.3
    for frame in watch.frames[1:]:
        np.testing.assert_array_equal(frame.planes.y, by_pts[frame.time.pts].planes.y)

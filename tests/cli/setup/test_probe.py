"""``facestream probe``."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from tests.cli.command import complains, here
from tests.rtsp.clips import Clip, encode, numbered_clip
from tests.rtsp.fixtures import gst, http, scripted, small_clip
from tests.rtsp.listener import refusing_port
from tests.rtsp.script import Behaviour

__all__ = ["gst", "http", "scripted", "small_clip"]


def photograph(folder: Path) -> Clip:
    """Return a second of a photograph of six people."""
    import insightface.data

    picture = cv2.resize(insightface.data.get_image("t1"), (640, 480), interpolation=cv2.INTER_AREA)
    return encode([cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420)] * 10, folder / "people.h264", fps=10)


def test_faces_of_a_camera_are_measured(gst, tmp_path, capsys):
    pytest.importorskip("insightface")
    server = gst({"cam": photograph(tmp_path)})
    outcome = here(capsys, "probe", server.url("cam"), "--seconds", 1, "--picture", tmp_path / "one.jpg")
    assert outcome.code == 0
    for words in ("h264", "640x480", "NTP", "pictures a second", "up to 6 in one", "faces are"):
        assert words in outcome.out
    assert (tmp_path / "one.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_json_is_one_object_without_the_picture(gst, small_clip, capsys):
    server = gst({"cam": small_clip}, user="u", password="secret")
    outcome = here(capsys, "probe", server.url("cam", "u:secret"), "--seconds", 0.6, "--detector", "none", "--json")
    told = json.loads(outcome.out)
    assert (told["codec"], told["width_px"], told["verdict"], told["picture"]) == ("h264", 320, "not_looked", "")
    assert "secret" not in outcome.out + outcome.err


def test_a_wrong_password_is_one_sentence(gst, small_clip, tmp_path, capsys):
    server = gst({"cam": small_clip}, user="u", password="right")
    secret = tmp_path / "door.txt"
    secret.write_text("u:wrong-secret\n")
    secret.chmod(0o600)
    outcome = here(capsys, "probe", server.url("cam"), "--credentials", secret)
    complains(outcome, 1, "refuses the user name or password")
    assert "wrong-secret" not in outcome.err


def test_an_address_with_brackets_is_no_markup(capsys):
    with refusing_port() as port:
        complains(here(capsys, "probe", f"rtsp://127.0.0.1:{port}/[/b]"), 1, f"rtsp://127.0.0.1:{port}/[/b] ")


def test_sound_alone_is_no_video(gst, capsys):
    server = gst({"cam": "audio"})
    complains(here(capsys, "probe", server.url("cam")), 1, "no video")


def test_what_is_no_camera_is_refused_before_anything_is_opened(tmp_path, capsys):
    (tmp_path / "clip.mp4").write_bytes(b"a recording")
    for what in (
        tmp_path / "clip.mp4",
        tmp_path,
        tmp_path / "missing.mkv",
        "user:secret@192.0.2.1/stream",
        f"file://{tmp_path}",
    ):
        outcome = here(capsys, "probe", what)
        complains(outcome, 2)
        assert "secret" not in outcome.err
    complains(here(capsys, "probe", "gopher://host/1"), 2, "scheme")
    complains(here(capsys, "probe", "rtsp://"), 2)
    complains(here(capsys, "probe", "rtsp://192.0.2.1/1", "--seconds", 0), 2, "--seconds")


def test_what_answers_and_is_no_video_says_so(http, scripted, small_clip, capsys):
    page = http(small_clip)
    complains(here(capsys, "probe", page.url("nothing.html")), 1)
    complains(here(capsys, "probe", page.url("clip.mp4")), 1, "is a recording")
    plain = scripted(small_clip, Behaviour(sdp="nothing"))
    complains(here(capsys, "probe", plain.url()), 1)


def test_an_unknown_host_and_a_closed_port_say_so(scripted, small_clip, capsys):
    complains(here(capsys, "probe", "rtsp://no-such-host.invalid/1"), 1, "host name that is not known")
    server = scripted(small_clip)
    server.down()
    complains(here(capsys, "probe", server.url()), 1, "refuses the connection")


def test_both_streams_of_a_camera_are_looked_at(gst, small_clip, tmp_path, capsys):
    main = numbered_clip(tmp_path / "main.h264", size_px=(640, 480), seconds=1.0)
    server = gst({"sub": small_clip, "main": main}, user="u", password="secret")
    addresses = (server.url("sub", "u:secret"), "--crop-uri", server.url("main"), "--detector", "none", "--seconds", 0.5)
    outcome = here(capsys, "probe", *addresses)
    assert outcome.code == 0
    for words in ("320x240", "640x480", "faces cut from the main stream are 2.0 times as large"):
        assert words in outcome.out
    assert [one["width_px"] for one in json.loads(here(capsys, "probe", *addresses, "--json").out)] == [320, 640]
    complains(
        here(capsys, "probe", server.url("sub"), "--crop-uri", "main.mp4"), 2, "crop_uri: main.mp4 is not a camera's address"
    )

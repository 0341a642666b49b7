"""What ``facestream doctor`` says about cameras."""

from __future__ import annotations

import errno
import os

import av
import pytest

from engine.cli.setup.doctor_cameras import cameras, decoding_rate, devices, hardware_decoding, two_streams
from engine.source.camera_url import has_protocol


def test_the_network_protocols_of_this_ffmpeg_are_told():
    told = dict(cameras())
    assert "rtsp://" in told["ok"]
    assert "http://" in told["ok"]
    assert ("rtsps://" in told["ok"]) == has_protocol("tls")


def test_a_protocol_that_is_missing_is_named(monkeypatch):
    monkeypatch.setattr("engine.source.camera_url.has_protocol", lambda name: name != "tls")
    (_, first), (state, second) = list(cameras())[:2]
    assert "rtsps://" not in first
    assert state == "optional"
    assert "built without rtsps://, https://" in second


def test_ffmpeg_without_rtsp_is_told(monkeypatch):
    monkeypatch.setattr(av, "formats_available", {"mpegts"})
    (_, first), (_, second) = cameras()
    assert "rtsp" not in first
    assert "rtsp://, rtsps://" in second


def test_without_a_device_that_is_said(tmp_path):
    assert list(devices(tmp_path)) == [("optional", f"there is no camera device ({tmp_path}/video*)")]


@pytest.mark.parametrize(
    ("number", "state", "says"),
    [
        (0, "ok", "gives pictures"),
        (errno.EACCES, "optional", "add the user to the group video"),
        (errno.ENOTTY, "optional", "gives no pictures"),
        (errno.EBUSY, "optional", os.strerror(errno.EBUSY)),
    ],
)
def test_each_device_is_told_of(tmp_path, monkeypatch, number, state, says):
    (tmp_path / "video0").touch()
    monkeypatch.setattr("engine.decode.v4l2.check_device", lambda path: number)
    ((found, sentence),) = devices(tmp_path)
    assert found == state
    assert sentence.startswith(f"{tmp_path}/video0 ")
    assert says in sentence


def test_a_file_is_no_camera(tmp_path):
    for name in ("video10", "video2"):
        (tmp_path / name).touch()
    told = [sentence for _, sentence in devices(tmp_path)]
    assert [sentence.split()[0].rpartition("/")[2] for sentence in told] == ["video2", "video10"]
    assert all("gives no pictures" in sentence for sentence in told)


def test_hardware_that_decodes_is_told(monkeypatch):
    def probe(kind):
        return (True, "") if kind == "cuda" else (False, "no device answers")

    monkeypatch.setattr("engine.decode.hwaccel.probe_hwaccel", probe)
    assert list(hardware_decoding()) == [("ok", "cuda decodes H.264"), ("optional", "vaapi cannot be used: no device answers")]


def test_without_hardware_software_does_it(monkeypatch):
    monkeypatch.setattr("engine.decode.hwaccel.probe_hwaccel", lambda kind: (False, "no device answers"))
    assert list(hardware_decoding())[-1] == ("ok", "cameras are decoded in software")


@pytest.mark.parametrize(
    ("rate", "state", "says"), [(80.2, "ok", "up to 80 pictures"), (9.0, "optional", "up to 9"), (None, "optional", "no H.264")]
)
def test_whether_a_main_stream_could_be_decoded_is_told(monkeypatch, rate, state, says):
    monkeypatch.setattr("engine.cli.setup.doctor_cameras.decoding_rate", lambda: rate)
    ((found, sentence),) = two_streams()
    assert found == state
    assert says in sentence


def test_the_rate_is_measured_where_there_is_an_encoder(monkeypatch):
    monkeypatch.setattr("engine.cli.setup.doctor_cameras._MAIN_PX", (320, 192))
    assert (decoding_rate() or 0.0) > 1.0
    monkeypatch.setattr(av, "codecs_available", set())
    assert decoding_rate() is None

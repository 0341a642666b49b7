"""One camera's settings: its source's own, else those of all cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.config import LiveConfig, SourceConfig
from engine.contracts.camera import Camera, CameraDefaults, CameraSettings
from engine.errors import ConfigError
from engine.source.cameras import CAMERA_KEYS, camera_of, check_recording

URL = "rtsp://host/1"
OTHER: dict[str, Any] = {"transport": "udp", "silent_by_design": True, "options": {"a": "b"}, "hwaccel": "none"}
"""Values that are no defaults; of the other keys any number is one."""


def other(key: str) -> Any:
    return OTHER.get(key, 7)


def resolved(source: dict[str, Any], live: dict[str, Any]) -> Camera:
    camera, _ = camera_of(SourceConfig(uri=URL, **source), LiveConfig(**live), lambda sentence: None)
    return camera


@pytest.mark.parametrize("key", CameraDefaults.__struct_fields__)
def test_what_is_said_for_all_cameras_holds_for_each(key: str):
    assert getattr(resolved({}, {}), key) == getattr(CameraSettings(), key)
    assert getattr(resolved({}, {key: other(key)}), key) == other(key)


@pytest.mark.parametrize("key", [key for key in CAMERA_KEYS if key not in ("credentials", "crop_uri")])
def test_what_a_source_says_wins(key: str):
    live = {key: other(key)} if key in CameraDefaults.__struct_fields__ else {}
    mine = "vaapi" if key == "hwaccel" else 9 if live else other(key)
    assert getattr(resolved({key: mine}, live), key) == mine
    assert resolved({key: mine}, live).shown == URL


def test_a_key_of_a_source_is_a_key_of_cameras_or_of_recordings():
    assert set(CAMERA_KEYS) <= set(SourceConfig.__struct_fields__)
    assert not set(LiveConfig.__struct_fields__) & {"transport", "silent_by_design", "options"}, "these are of one camera"


def both(uri: str, crop_uri: str, tmp_path: Path | None = None, **keys: Any) -> Camera:
    if tmp_path is not None:
        (tmp_path / "door.txt").write_text("me:from-file\n")
        (tmp_path / "door.txt").chmod(0o600)
        keys["credentials"] = str(tmp_path / "door.txt")
    camera, _ = camera_of(SourceConfig(uri=uri, crop_uri=crop_uri, **keys), LiveConfig(), lambda sentence: None)
    return camera


def test_the_main_stream_is_a_camera_with_the_same_settings():
    camera = both("rtsp://host/2", "rtsp://host/1", rotate=180, transport="udp")
    assert (camera.url, camera.shown, camera.crop_shown) == ("rtsp://host/2", "rtsp://host/2", "rtsp://host/1")
    main = camera.main
    assert main is not None
    assert (main.url, main.name, main.transport, main.appearance.rotate) == ("rtsp://host/1", camera.name, "udp", 180)
    assert main.main is None
    assert resolved({}, {}).main is None


@pytest.mark.parametrize(
    ("uri", "crop_uri", "opened"),
    [
        ("rtsp://me:p@host/2", "rtsp://host/1", "rtsp://me:p@host/1"),
        ("rtsp://me:p@host/2", "rtsp://host:8554/1", "rtsp://me:p@host:8554/1"),
        ("rtsp://me:p@host/2", "rtsp://you:q@host/1", "rtsp://you:q@host/1"),
        ("rtsp://me:p@host/2", "rtsp://other/1", "rtsp://other/1"),
        ("rtsp://host/2", "rtsp://you:q@host/1", "rtsp://you:q@host/1"),
    ],
)
def test_a_password_holds_for_both_streams_of_one_host(uri: str, crop_uri: str, opened: str):
    camera = both(uri, crop_uri)
    assert camera.crop_url == opened
    assert "@" not in camera.shown + camera.crop_shown


def test_a_file_with_credentials_is_for_both(tmp_path: Path):
    camera = both("rtsp://host/2", "rtsp://other/1", tmp_path)
    assert (camera.url, camera.crop_url) == ("rtsp://me:from-file@host/2", "rtsp://me:from-file@other/1")


@pytest.mark.parametrize(
    ("crop_uri", "says"),
    [
        ("main.mp4", "crop_uri: main.mp4 is not a camera's address"),
        ("me:secret@host/1", "is not a camera's address"),
        ("file:///clip.mp4", "is not a camera's address"),
        ("rtsp://host/2", "is the stream that faces are looked for in"),
        ("gopher://me:secret@host/1", "scheme that is not known"),
        ("rtsp://", "needs a host|has no host|host"),
        ("http://host/video.mjpg", "is for rtsp:// only"),
    ],
)
def test_a_wrong_main_stream_is_said_without_its_password(crop_uri: str, says: str):
    with pytest.raises(ConfigError, match=says) as told:
        both("rtsp://host/2", crop_uri, transport="udp")
    assert "secret" not in str(told.value)


def test_a_recording_has_no_main_stream():
    with pytest.raises(ConfigError, match="`crop_uri` is for cameras"):
        check_recording(SourceConfig(uri="clip.mp4", crop_uri="rtsp://host/1"))


def told_of(uri: str, **options: str) -> list[str]:
    told: list[str] = []
    camera_of(SourceConfig(uri=uri, options=options), LiveConfig(), told.append)
    return told


@pytest.mark.parametrize("uri", ["rtsps://host/1", "https://host/1"])
def test_a_certificate_that_nobody_verifies_is_told(uri: str):
    (told,) = told_of(uri)
    assert told.startswith(f"{uri}: its certificate is not verified, so anybody on the way can pass for it")


@pytest.mark.parametrize("options", [{"tls_verify": "1"}, {"verify": "0"}, {"ca_file": "/a.pem"}])
def test_what_was_said_of_certificates_is_enough(options: dict[str, str]):
    assert told_of("rtsps://host/1", **options) == []
    assert told_of("rtsp://host/1", tls_verfy="1") == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("tls_verfy", "tls_verify"),
        ("tls-verify", "tls_verify"),
        ("TLS_VERIFY", "tls_verify"),
        ("cafiel", "cafile"),
        ("ca_flie", "ca_file"),
    ],
)
def test_a_misspelt_option_does_not_leave_a_certificate_unverified(wrong: str, right: str):
    with pytest.raises(ConfigError, match=f"the option {wrong} is not known: it is spelt {right}"):
        told_of("https://host/1", **{wrong: "1"})

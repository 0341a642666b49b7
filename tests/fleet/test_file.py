"""What may stand in FLEET.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.fleet.file import FleetCamera, difference, read_fleet

GOOD = """
cameras:
  - {uri: "rtsp://192.0.2.10/one", name: door, credentials: door.txt, detect_fps: 5, needs: {site: north}, prefers: [box-1]}
  - {uri: /dev/video0, name: desk, only: box-2, weight: 0.5}
"""


def test_a_camera_has_its_settings_and_where_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "FLEET.yaml"
    path.write_text(GOOD)
    door, desk = read_fleet(path).cameras
    assert door.needs == {"site": "north"}
    assert (door.source.name, door.source.detect_fps, door.source.credentials) == ("door", 5.0, "door.txt")
    assert not hasattr(door.source, "needs")
    assert (desk.only, desk.weight) == ("box-2", 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cameras: [{uri: 'rtsp://h/x'}]", r"cameras\[0\].name is missing"),
        ("cameras: [{uri: 'rtsp://h/x', name: 'a b'}]", "not usable in a topic"),
        ("cameras: [{uri: 'rtsp://h/x', name: a}, {uri: 'rtsp://h/y', name: a}]", "a appears twice"),
        (
            "cameras: [{uri: 'rtsp://ada:secret@h/x', name: a}]",
            "holds a user or password, which would be stored in the database",
        ),
        ("cameras: [{uri: 'rtsp://h/x', crop_uri: 'rtsp://u:p@h/y', name: a}]", "crop_uri holds a user or password"),
        ("cameras: [{uri: 'rtsp://h/x', name: a, credentials: /etc/door}]", "credentials is a path"),
        ("cameras: [{uri: 'rtsp://h/x?user=ada&password=secret', name: a}]", "uri holds a user, password or token"),
        ("cameras: [{uri: 'rtsp://h/user=ada_password=secret_channel=1', name: a}]", "name this camera in `sources`"),
        ("cameras: [{uri: 'http://h/v.mjpg?usr=ada&userpwd=secret', name: a}]", "name this camera in `sources`"),
        ("cameras: [{uri: 'rtsp://h/ch=1%26password%3Dsecret', name: a}]", "name this camera in `sources`"),
        ("cameras: [{uri: 'rtsp://h/x', name: a, options: {token: secret}}]", "options hold a password or token"),
        ("cameras: [{uri: a.mkv, name: a, fps: 5}]", "fps is for recordings"),
        ("cameras: [{uri: 'rtsp://h/x', name: a, only: b, prefers: [c]}]", "leave out `prefers`"),
        ("cameras: [{uri: 'rtsp://h/x', name: a, wieght: 2}]", "wieght"),
        ("cameras: [{uri: 'rtsp://h/x', name: a, weight: 0}]", "weight"),
        ("cameras: []\nlease_seconds: 1", "lease_seconds"),
        ("", "the key cameras is missing"),
        ("# cut off", "the key cameras is missing"),
        ("camera: []", "camera"),
        ("[]", "must be a mapping with the keys cameras, lease_seconds"),
        ("cameras: [{", "is not usable YAML"),
    ],
)
def test_what_is_wrong_is_said_and_no_password_is_shown(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "FLEET.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says) as refused:
        read_fleet(path)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        read_fleet(tmp_path / "missing.yaml")


def test_the_difference_is_a_line_a_camera() -> None:
    one, two = (FleetCamera(uri=f"rtsp://192.0.2.1/{name}", name=name) for name in ("one", "two"))
    assert difference([one], [one]) == []
    assert difference([one], [two]) == ["- one", "+ two rtsp://192.0.2.1/two"]

"""One camera's settings: its source's own, else those of all cameras."""

from __future__ import annotations

from typing import Any

import pytest

from engine.config import LiveConfig, SourceConfig
from engine.contracts.camera import Camera, CameraDefaults, CameraSettings
from engine.source.cameras import CAMERA_KEYS, camera_of

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


@pytest.mark.parametrize("key", [key for key in CAMERA_KEYS if key != "credentials"])
def test_what_a_source_says_wins(key: str):
    live = {key: other(key)} if key in CameraDefaults.__struct_fields__ else {}
    mine = "vaapi" if key == "hwaccel" else 9 if live else other(key)
    assert getattr(resolved({key: mine}, live), key) == mine
    assert resolved({key: mine}, live).shown == URL


def test_a_key_of_a_source_is_a_key_of_cameras_or_of_recordings():
    assert set(CAMERA_KEYS) <= set(SourceConfig.__struct_fields__)
    assert not set(LiveConfig.__struct_fields__) & {"transport", "silent_by_design", "options"}, "these are of one camera"

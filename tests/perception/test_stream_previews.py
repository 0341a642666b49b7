"""When the core makes a preview of a stream, and what it shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from engine.contracts.tap import Preview
from tests.perception.test_perception import Core, frame


def previewed(run: Core, index: int, square: int | None, now: float, stream: str = "clip") -> Preview | None:
    run.show(index, square, stream)
    made = run.core.preview(frame(index, square, stream), now)
    return made and made[0]


def test_previews_of_a_stream_keep_their_distance_and_show_its_faces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.perception.perception._PREVIEW_SHARE", 1e9)
    run = Core(live=True)
    assert run.core.preview(frame(0, 20), 0.0) is None, "nothing of this stream was taken"
    first, second, other, later = (
        previewed(run, 0, 20, 10.0), previewed(run, 1, 24, 10.9), previewed(run, 0, 50, 10.9, "b"), previewed(run, 2, 28, 11.0)
    )  # fmt: skip
    assert first is not None
    assert [(box.x, box.y, box.width, box.height, box.accepted) for box in first.boxes] == [(20.0, 60.0, 40.0, 50.0, False)]
    assert second is None
    assert other is not None
    assert later is not None
    assert [(box.x, box.accepted) for box in later.boxes] == [(28.0, True)]


def test_previews_take_a_share_of_the_time_whatever_is_asked_for():
    run = Core(live=True)
    assert previewed(run, 0, 20, 10.0, "a") is not None
    assert previewed(run, 0, 20, 10.0, "b") is None, "at once"
    assert previewed(run, 1, 20, 20.0, "b") is not None


def test_previews_are_rare_under_overload(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.perception.perception._PREVIEW_SHARE", 1e9)
    run = Core(live=True)
    run.core._governor.level = 1
    assert [previewed(run, index, 20, index + 100.0) is not None for index in range(11)] == [True, *[False] * 9, True]


def test_none_are_made_where_the_configuration_says_so():
    run = Core(live=True)
    run.core._config = replace(run.core._config, live=replace(run.core._config.live, preview_seconds=0.0))
    assert previewed(run, 0, 20, 10.0) is None


def test_previews_hide_faces_where_pictures_are_redacted():
    """``vectors``: no picture leaves; ``blur``: nobody knows here who is recognised, so every face is hidden."""
    pictures = []
    textured = frame(0, 20)
    textured.planes.y[60:110, 20:60] = np.random.default_rng(2).integers(0, 255, (50, 40))
    for redact in ("none", "blur", "vectors"):
        run = Core(live=True)
        run.core._config = replace(run.core._config, publish=replace(run.core._config.publish, redact=redact))
        run.show(0, 20)
        pictures.append(run.core.preview(textured, 10.0))
    shown, hidden = (cv2.imdecode(np.frombuffer(made[1], np.uint8), cv2.IMREAD_GRAYSCALE) for made in pictures[:2] if made)
    assert shown is not None
    assert hidden is not None
    face, elsewhere = (slice(62, 108), slice(22, 58)), (slice(0, 240), slice(150, 320))
    assert shown[face].std() > 3 * hidden[face].std()
    assert np.abs(shown[elsewhere].astype(int) - hidden[elsewhere]).max() < 12
    assert pictures[2] is None

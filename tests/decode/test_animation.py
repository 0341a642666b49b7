"""``engine.decode.animation``, and what a single file is: its content says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.decode.recording import reader_of
from tests.decode.clips import render

DURATIONS = [40, 80, 0, 200, 50]
"""A picture of no duration is shown for a tenth of a second, as in browsers."""
TIMES = [0.0, 0.04, 0.12, 0.22, 0.42]


def animated(path: Path, **options: object) -> Path:
    """Write pictures of growing brightness."""
    pictures = [Image.new("RGB", (48, 32), (40 * n + 30,) * 3) for n in range(len(DURATIONS))]
    kind = str(options.pop("format", path.suffix[1:]))
    pictures[0].save(path, kind, save_all=True, append_images=pictures[1:], duration=DURATIONS, **options)
    return path


def read(path: Path, *, is_picture: bool = True) -> tuple[list[Frame], StreamChanged]:
    with reader_of(Recording("cam", path, (path,) if is_picture else ()), DecodeConfig()) as reader:
        items = list(reader)
    return [item for item in items if isinstance(item, Frame)], items[-1]


@pytest.mark.parametrize(
    ("name", "is_picture"), [("a.webp", True), ("a.png", True), ("a.avif", True), ("a.gif", False), ("b", False)]
)
def test_all_pictures_of_an_animation_are_read_at_their_times(tmp_path, name, is_picture):
    path = animated(tmp_path / name, **({"format": "webp"} if name == "b" else {}))
    frames, end = read(path, is_picture=is_picture)
    light = [float(frame.planes.y.mean()) for frame in frames]
    assert light == sorted(light)
    assert light[-1] - light[0] > 100
    if name != "a.avif":  # Pillow writes a duration of 0 as it is, and AVIF's last one is that of the others
        assert [frame.time.pts_seconds for frame in frames] == pytest.approx(TIMES)
    assert [frame.time.frame_index for frame in frames] == list(range(5))
    assert (end.state, end.detail, end.frames_expected) == ("ended", "", 5)


def test_a_picture_before_an_animation_is_not_of_it(tmp_path):
    frames, _ = read(animated(tmp_path / "a.png", default_image=True))
    assert len(frames) == 4


def test_an_animation_that_is_cut_gives_what_it_has(tmp_path):
    whole = animated(tmp_path / "whole.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) * 6 // 10])
    frames, end = read(tmp_path / "a.png")
    assert 0 < len(frames) < 5
    assert (
        f"{5 - len(frames)} of 5 pictures were left out; the first: {tmp_path / 'a.png'} is damaged at its picture"
        in end.detail
    )


def test_an_animation_is_as_large_as_a_picture_may_be(tmp_path, monkeypatch):
    small = [Image.new("RGB", (48, 4), (90 * n, 20, 20)) for n in range(3)]
    small[0].save(tmp_path / "small.png", save_all=True, append_images=small[1:])
    _, end = read(tmp_path / "small.png")
    assert end.state == "failed"
    assert "has only 48x4 pixels: give a larger picture" in end.detail
    monkeypatch.setattr("engine.decode.still.MOST_PIXELS", 1500)
    _, end = read(animated(tmp_path / "a.webp"))
    assert end.state == "failed"
    assert "is too large" in end.detail


def test_a_large_picture_is_read_without_a_warning_of_the_library(tmp_path, monkeypatch, recwarn):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    Image.new("RGB", (48, 32)).save(tmp_path / "a.png")
    frames, _ = read(tmp_path / "a.png")
    assert len(frames) == 1
    assert not recwarn.list


def test_a_video_that_is_called_like_a_picture_is_one(tmp_path):
    path = render(tmp_path / "a.mp4", frames=5).rename(tmp_path / "a.jpg")
    frames, end = read(path)
    assert (len(frames), end.state) == (5, "ended")


def test_pages_that_are_not_read_are_told(tmp_path):
    pages = [Image.new("RGB", (48, 32), (90 + n, 20, 20)) for n in range(3)]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    for name in ("1.gif", "2.gif"):
        (tmp_path / name).write_bytes((tmp_path / "a.gif").read_bytes())
    pictures = (tmp_path / "1.gif", tmp_path / "2.gif")
    with reader_of(Recording("cam", tmp_path, pictures), DecodeConfig()) as reader:
        items = list(reader)
    assert sum(isinstance(item, Frame) for item in items) == 2
    assert items[-1].detail == f"2 files of {tmp_path} hold several pictures: the first was read"

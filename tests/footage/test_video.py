from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.contracts.recording import Recording
from engine.errors import PublishError
from engine.footage.copying import copy_part
from engine.footage.encoders import ENCODERS
from engine.footage.video import Sound, VideoFile
from engine.pictures.colour import planes_from_bgr
from tests.footage.moving import record, seconds_of_sound, shown


def _planes(width: int, height: int, level: int = 120):
    return planes_from_bgr(np.full((height, width, 3), level, np.uint8))


def test_each_picture_is_shown_at_its_own_time(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.5, 0.5, 0.7]
    with VideoFile(tmp_path / "a.mp4", ENCODERS["libx264"], Fraction(25)) as video:
        for index, seconds in enumerate(times):
            video.write(_planes(64, 48, 40 + 30 * index), seconds)
    found = shown(Recording("a", tmp_path / "a.mp4"))
    assert [seconds for seconds, _ in found] == pytest.approx(times, abs=0.001)
    assert np.diff([bright for _, bright in found]).min() > 15


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
def test_odd_sides_grow_by_a_line_and_others_are_fitted(tmp_path: Path, encoder: str) -> None:
    with VideoFile(tmp_path / "a.mp4", ENCODERS[encoder], Fraction(25)) as video:
        video.write(_planes(65, 49), 0.0)
        video.write(_planes(33, 49, 200), 0.04)
        video.write(_planes(641, 11, 200), 0.08)
    with av.open(str(tmp_path / "a.mp4")) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(50, 66)] * 3
    assert frames[1][25, 33] > 150
    assert frames[1][25, 5] < 40
    assert frames[2][5, 33] < 40


def test_sound_that_such_a_file_cannot_hold_is_said_with_what_can(tmp_path: Path) -> None:
    source = record(tmp_path / "a.mov", frames=12, sound="pcm_alaw")
    with (
        pytest.raises(
            PublishError, match=r"ends with \.mp4 cannot hold the sound of the recording \(pcm_alaw\): let it end with \.mov"
        ),
        VideoFile(tmp_path / "b.mp4", ENCODERS["mpeg4"], Fraction(25), Sound(source)) as video,
    ):
        video.write(_planes(64, 48), 0.0)


def test_all_the_sound_is_there_at_the_end(tmp_path: Path) -> None:
    source = record(tmp_path / "a.mp4", frames=50, sound="aac")
    with VideoFile(tmp_path / "b.mp4", ENCODERS["mpeg4"], Fraction(25), Sound(source)) as video:
        for index in range(50):
            video.write(_planes(64, 48), index / 25)
    assert seconds_of_sound(tmp_path / "b.mp4") == pytest.approx(2.0, abs=0.3)


def test_a_full_disk_is_no_matter_of_the_kind_of_file(tmp_path: Path) -> None:
    """It was said that a file that ends with .mp4 cannot hold libx264."""
    (tmp_path / "a.mkv").symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match="No space left"),
        VideoFile(tmp_path / "a.mkv", ENCODERS["mpeg4"], Fraction(25)) as video,
    ):
        video.write(_planes(64, 48), 0.0)
    source = record(tmp_path / "b.mkv", frames=12)
    with pytest.raises(OSError, match="No space left"):
        copy_part(source, tmp_path / "a.mkv", 0.0, 0.4)

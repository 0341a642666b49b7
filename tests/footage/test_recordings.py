from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.config import DecodeConfig, SourceConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Reading, Recording
from engine.decode.recording import reader_of
from engine.errors import SourceError
from engine.footage.recordings import recording_of
from engine.source.files import recordings_of


def _pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.fromarray(np.full((16, 24, 3), 10 * number, np.uint8)).save(folder / f"{number}.png")
    return folder


def test_a_series_is_found_again_with_the_numbers_of_its_frames(tmp_path: Path) -> None:
    (series,) = recordings_of(SourceConfig(uri=str(_pictures(tmp_path / "seq", 3)), fps=5.0))
    again = recording_of("seq", series.facts())
    assert again.pictures == series.pictures
    assert again.fps == 5.0
    frames = [item.time.frame_index for item in reader_of(again, DecodeConfig()) if isinstance(item, Frame)]
    assert frames == [0, 1, 2]


def test_what_the_user_said_of_it_is_known_again(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"video")
    reading = Reading(started_ns=5, clock="start_time")
    assert recording_of("a", Recording("a", tmp_path / "a.mp4", reading=reading).facts()).reading == reading


def test_one_whose_name_is_not_utf8_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"latin\xe9.mp4")
    path.write_bytes(b"video")
    assert recording_of("latin", Recording("latin", path).facts()).path == path


def test_one_that_has_gone_or_is_another_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"video")
    facts = Recording("a", path).facts()
    path.write_bytes(b"another")
    with pytest.raises(
        SourceError,
        match=r"the recording of a, .*a\.mp4, has 7 bytes, and had 5 when it was read: say where it is now with --recording$",
    ):
        recording_of("a", facts)
    path.unlink()
    with pytest.raises(SourceError, match="is not there: say where"):
        recording_of("a", facts)
    (tmp_path / "moved.mp4").write_bytes(b"video")
    assert recording_of("a", facts, tmp_path / "moved.mp4").path == tmp_path / "moved.mp4"


def test_a_series_with_a_picture_less_is_another(tmp_path: Path) -> None:
    (series,) = recordings_of(SourceConfig(uri=str(_pictures(tmp_path / "seq", 3))))
    facts = series.facts()
    (tmp_path / "seq" / "1.png").unlink()
    with pytest.raises(SourceError, match="no longer has that many pictures"):
        recording_of("seq", facts)


def test_a_series_of_which_the_rate_is_not_known_has_the_usual_one(tmp_path: Path) -> None:
    (series,) = recordings_of(SourceConfig(uri=str(_pictures(tmp_path / "seq", 2))))
    facts = {name: value for name, value in series.facts().items() if name != "fps"}
    assert recording_of("seq", facts).fps == 25.0

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine.config import DecodeConfig, SourceConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Recording
from engine.decode.recording import reader_of
from engine.errors import PublishError, SourceError
from engine.footage.clip import Moment, cut_clip, suffix_for
from engine.source.files import recordings_of
from tests.decode.clips import render
from tests.decode.test_edit_list import PLAYED, with_edits
from tests.footage.moving import numbers, record, seconds_of_sound, shown


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "mov"])
def test_a_clip_is_copied_from_the_key_frame_before_it(tmp_path: Path, kind: str) -> None:
    path = record(tmp_path / f"a.{kind}")
    made = cut_clip(Recording("a", path), Moment(1.0, 1.4), tmp_path / "clip.mp4")
    assert made.encoder == ""
    assert made.begins_seconds == pytest.approx(0.8, abs=0.001)
    assert made.ends_seconds == pytest.approx(1.4, abs=0.05)
    assert numbers(made.path)[:16] == list(range(20, 36))
    assert shown(Recording("c", made.path))[0][0] == 0


def test_an_exact_one_begins_with_its_first_picture(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", sound="aac")
    made = cut_clip(Recording("a", path), Moment(1.0, 1.4), tmp_path / "clip.mp4", exact=True)
    assert made.encoder in ("libx264", "mpeg4")
    assert numbers(made.path) == list(range(25, 36))
    assert seconds_of_sound(made.path) == pytest.approx(0.4, abs=0.15)


def test_sound_is_copied_with_its_pictures(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", sound="aac")
    made = cut_clip(Recording("a", path), Moment(1.0, 1.4), tmp_path / "clip.mp4")
    assert seconds_of_sound(made.path) == pytest.approx(0.6, abs=0.15)


def test_pictures_without_time_stamps_of_their_own_are_copied_in_order(tmp_path: Path) -> None:
    path = record(tmp_path / "a.avi", codec="mpeg4", sound="pcm_s16le")
    made = cut_clip(Recording("a", path), Moment(1.0, 1.4), tmp_path / "clip.mkv")
    assert made.encoder == ""
    assert 0.4 < made.begins_seconds <= 1.0
    assert numbers(made.path)[0] == round(25 * made.begins_seconds)


def test_pictures_that_do_not_say_when_they_are_shown_are_encoded_anew(tmp_path: Path) -> None:
    """An AVI of H.264 with B-frames: a copy would show them in the order of decoding."""
    path = render(tmp_path / "b.avi", frames=30, codec_options={"bf": "2", "g": "10"})
    made = cut_clip(Recording("a", path), Moment(0.4, 0.8), tmp_path / "clip.mp4")
    assert made.why_encoded == "its pictures do not say when they are shown"


@pytest.mark.parametrize(("begins", "moment"), [(0.2, (0.0, 0.3)), (0.56, (0.1, 0.5)), (0.36, (0.0, 0.2))])
def test_what_an_edit_list_leaves_out_is_in_no_clip(tmp_path: Path, begins: float, moment: tuple[float, float]) -> None:
    """A copy begins at a key frame, and that is among the pictures that were cut away."""
    path = with_edits(record(tmp_path / "a.mp4"), (1.0, begins, PLAYED))
    made = cut_clip(Recording("a", path), Moment(*moment), tmp_path / "clip.mp4")
    assert made.why_encoded == "a copy would show pictures that its edit list leaves out"
    assert made.begins_seconds >= 0
    assert numbers(made.path)[0] == round(25 * (begins + made.begins_seconds))


def test_behind_them_a_clip_of_a_shortened_recording_is_copied(tmp_path: Path) -> None:
    path = with_edits(record(tmp_path / "a.mp4"), (1.0, 0.2, PLAYED))
    made = cut_clip(Recording("a", path), Moment(0.7, 0.9), tmp_path / "clip.mp4")
    assert (made.encoder, numbers(made.path)[0]) == ("", 20)


def test_a_turned_recording_stays_turned(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", turned=90)
    for exact in (False, True):
        made = cut_clip(Recording("a", path), Moment(1.0, 1.4), tmp_path / f"{exact}.mp4", exact=exact)
        frame = _first(made.path)
        assert (frame.planes.width_px, frame.planes.height_px) == (64, 96)


def test_where_time_stamps_jump_its_pictures_are_found_by_their_time(tmp_path: Path) -> None:
    path = record(tmp_path / "a.ts", ticks=lambda index: index * 40 + (100_000 if index >= 25 else 0))
    jumped = Moment(1.2, 1.6, ((101.2, 1.2), (101.6, 1.6)))
    made = cut_clip(Recording("a", path), jumped, tmp_path / "clip.mp4")
    assert made.why_encoded == "its time stamps jump"
    assert numbers(made.path) == list(range(30, 41))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("b_frames", ["0", "2"])
def test_a_pause_behind_a_moment_is_not_in_its_clip(tmp_path: Path, b_frames: str, exact: bool) -> None:
    """The last picture before it stands for an hour; with B-frames the first one behind it is decoded before that one."""
    pts = [index + (90_000 if index >= 37 else 0) for index in range(50)]
    path = render(tmp_path / "a.mp4", frames=50, pts=pts, codec_options={"bf": b_frames, "g": "20", "b-adapt": "0"})
    made = cut_clip(Recording("a", path), Moment(1.2, 1.6, ((1.24, 1.24), (1.44, 1.44))), tmp_path / "clip.mp4", exact=exact)
    assert made.ends_seconds == pytest.approx(1.44)
    assert bool(made.encoder) == (exact or b_frames == "2")
    with av.open(str(made.path)) as clip:
        assert clip.duration == pytest.approx((1.6 - made.begins_seconds) * av.time_base, abs=0.2 * av.time_base)


def test_a_series_of_pictures_becomes_a_video(tmp_path: Path) -> None:
    folder = tmp_path / "seq"
    folder.mkdir()
    for index in range(20):
        Image.fromarray(np.full((33, 41, 3), 40 + 3 * index, np.uint8)).save(folder / f"{index:02d}.png")
    (series,) = recordings_of(SourceConfig(uri=str(folder), fps=10.0))
    made = cut_clip(series, Moment(0.55, 1.2), tmp_path / "clip.mp4")
    assert len(numbers(made.path)) == 7
    assert made.begins_seconds == pytest.approx(0.6)


def test_a_moment_without_a_picture_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", frames=12)
    with pytest.raises(SourceError, match=r"has no picture from 9\.0 to 9\.5 s"):
        cut_clip(Recording("a", path), Moment(9.0, 9.5), tmp_path / "clip.mp4", exact=True)
    assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]


def test_an_ending_that_says_nothing_is_refused(tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", frames=12)
    with pytest.raises(PublishError, match=r"no kind of video file ends with \.clip: use \.mp4 or \.mkv"):
        cut_clip(Recording("a", path), Moment(0.0, 0.2), tmp_path / "a.clip")


@pytest.mark.parametrize(
    ("name", "sound", "suffix"),
    [("a.mp4", "", ".mp4"), ("b.mkv", "aac", ".mp4"), ("c.mov", "pcm_alaw", ".mov"), ("d.mov", "pcm_s16le", ".mkv")],
)
def test_the_ending_fits_what_is_in_it(tmp_path: Path, name: str, sound: str, suffix: str) -> None:
    path = record(tmp_path / name, frames=12, sound=sound)
    assert suffix_for(Recording("a", path)) == suffix
    cut_clip(Recording("a", path), Moment(0.0, 0.2), tmp_path / f"clip{suffix}")


def _first(path: Path) -> Frame:
    return next(item for item in reader_of(Recording("x", path), DecodeConfig()) if isinstance(item, Frame))

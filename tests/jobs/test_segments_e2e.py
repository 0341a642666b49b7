"""Recordings in segments give what they give in one run, whatever is at the seams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import Config, DetectConfig, OutputConfig
from engine.contracts.recording import Recording
from engine.jobs.segments import WHOLE
from engine.jobs.warm import Warm
from tests.decode.clips import cut
from tests.jobs.clips import Visit, film
from tests.jobs.driving import Processed, finish, joined, process
from tests.jobs.same import same_results

TWO_VISITS: list[Visit] = [(30, 75, 0), (150, 190, 1)]


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    config = Config(output=OutputConfig(report=False), detect=DetectConfig(every=4))
    with Warm(config, lambda warned: pytest.fail(warned.detail)) as models:
        yield models


def _compared(recording: Recording, folder: Path, warm: Warm, seconds: float) -> tuple[Processed, Processed]:
    """Process it in segments and as a whole; the results must be the same."""
    parts = process(recording, folder / "parts", warm, seconds)
    joined(folder / "joined", warm, [parts])
    plan = parts.part.plan
    whole = finish(type(plan)(plan.stream, plan.path, plan.input, plan.scan, [WHOLE]), recording, folder / "whole", warm)
    joined(folder / "reference", warm, [whole])
    assert same_results(folder / "reference", folder / "joined") == ""
    return parts, whole


def _faces(folder: Path) -> int:
    return (folder / "joined" / "faces.jsonl").read_bytes().count(b"\n")


def test_two_three_and_five_segments(tmp_path: Path, warm: Warm):
    recording = Recording("hall", film(tmp_path / "hall.mp4", 250, TWO_VISITS))
    whole, _ = _compared(recording, tmp_path, warm, 5.0)
    assert _faces(tmp_path) >= 2
    assert len(whole.part.plan.segments) == 2
    for number, seconds in (3, 3.0), (5, 1.7):
        parts = process(recording, tmp_path / f"in-{number}", warm, seconds)
        assert len(parts.part.plan.segments) == number
        assert joined(tmp_path / f"of-{number}", warm, [parts]).twice == sum(piece.frames for piece in parts.pieces) - 250
        assert same_results(tmp_path / "reference", tmp_path / f"of-{number}") == ""


def test_somebody_across_a_seam(tmp_path: Path, warm: Warm):
    clip = film(tmp_path / "hall.mkv", 200, [(60, 120, 0)])
    parts, _ = _compared(Recording("hall", clip), tmp_path, warm, 4.0)
    assert [piece.segment.first_frame for piece in parts.pieces][:2] == [0, 100]
    assert parts.pieces[0].last_frame >= 120, "the first segment has followed him to his end"


def test_a_scene_that_is_cut_at_a_seam(tmp_path: Path, warm: Warm):
    clip = film(tmp_path / "hall.mp4", 150, [(20, 50, 0), (60, 100, 1)], cuts=[75])
    _compared(Recording("hall", clip), tmp_path, warm, 3.0)


def test_a_street_that_is_never_empty_is_one_segment_in_the_end(tmp_path: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.jobs.segments._LEAST_PATIENCE", 30)
    clip = film(tmp_path / "street.mp4", 200, [(0, 200, 0)])
    parts, _ = _compared(Recording("street", clip), tmp_path, warm, 4.0)
    assert parts.pieces[0].ending == "end"
    assert [(piece.ending, piece.frames) for piece in parts.pieces[1:]] == [("busy", 34)]


def test_frames_at_uneven_times_and_with_a_pause(tmp_path: Path, warm: Warm):
    clip = film(
        tmp_path / "hall.mkv", 200, [(30, 60, 0), (130, 160, 1)],
        ticks=lambda index: 10 * index + (index % 7) + (3000 if index >= 110 else 0), ten_per_frame=10,
    )  # fmt: skip
    _compared(Recording("hall", clip), tmp_path, warm, 3.0)


def test_open_groups_of_pictures_with_b_frames(tmp_path: Path, warm: Warm):
    options = {"x264-params": "open-gop=1:bframes=3:keyint=25:min-keyint=25:scenecut=0"}
    clip = film(tmp_path / "hall.ts", 150, [(30, 60, 0), (100, 120, 1)], options)
    parts, _ = _compared(Recording("hall", clip), tmp_path, warm, 3.0)
    assert len(parts.part.plan.segments) > 1


def test_a_file_that_is_damaged_in_its_middle(tmp_path: Path, warm: Warm):
    clip = film(tmp_path / "hall.ts", 250, TWO_VISITS)
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 900] = bytes(900)
    clip.write_bytes(content)
    _compared(Recording("hall", clip), tmp_path, warm, 3.0)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("hall.mkv", "libx264", {}),
        ("hall.flv", "flv", {"bf": "0"}),
        ("hall.avi", "mpeg4", {"bf": "0"}),
        ("hall.wmv", "wmv2", {"bf": "0"}),
        ("hall.webm", "libvpx", {"bf": "0", "cpu-used": "8", "deadline": "realtime"}),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_wherever_the_seams_are(tmp_path: Path, warm: Warm, name: str, codec: str, options):
    """The last segment alone told it, of what it had read, and of damage it knew only its own."""
    clip = film(tmp_path / name, 250, [], options, codec=codec)
    content = bytearray(clip.read_bytes())
    for share in (0.15, 0.45):
        begin = int(len(content) * share)
        length = max(len(content) // 8, 9000)
        content[begin : begin + length] = bytes(length)
    clip.write_bytes(content)
    parts, whole = _compared(Recording("hall", clip), tmp_path, warm, 3.0)
    assert len(parts.part.plan.segments) > 1
    end = whole.pieces[-1].end
    assert end is not None
    assert "of its pictures are missing" in end.detail


def test_a_file_that_breaks_off(tmp_path: Path, warm: Warm):
    whole = film(tmp_path / "whole.avi", 250, TWO_VISITS, {"bf": "0"})
    clip = cut(whole, 0.8, tmp_path / "hall.avi")
    _compared(Recording("hall", clip), tmp_path, warm, 3.0)


def test_what_is_no_video_has_failed(tmp_path: Path, warm: Warm):
    (tmp_path / "notes.mp4").write_text("no video")
    parts, _ = _compared(Recording("notes", tmp_path / "notes.mp4"), tmp_path, warm, 3.0)
    end = parts.pieces[0].end
    assert end is not None
    assert (end.state, end.reason) == ("failed", "not_a_video")

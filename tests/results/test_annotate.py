from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.archive.hiding import check_shown
from engine.config import DecodeConfig
from engine.contracts.frames import Frame, FrameTime
from engine.contracts.recording import Recording
from engine.decode.recording import reader_of
from engine.errors import SourceError, UsageError
from engine.footage.encoders import ENCODERS
from engine.pictures.colour import planes_from_bgr
from engine.results.annotate import annotate
from engine.results.annotation import Annotator
from engine.results.cast import Cast
from engine.results.tracks_of import recording_in
from tests.footage.moving import record, seconds_of_sound, shown
from tests.results.runs import make_run


def test_who_is_there_at_each_time(tmp_path: Path) -> None:
    cast = Cast(make_run(tmp_path).run, "door")
    assert len(cast) == 2
    assert cast.at(0.2) == []
    ((role, box),) = cast.at(0.6)
    assert (role.label, role.decision) == ("#1 Eileen Collins", "known")
    assert box == pytest.approx((34, 10, 12, 16))
    face = cast.face_of(role)
    assert face is not None
    assert face.shape == (128, 128, 3)
    assert [role.label for role, _ in cast.at(0.8)] == ["#1 Eileen Collins", "#2 unknown"]
    assert cast.at(1.3) == []


def test_a_video_has_the_boxes_the_times_and_the_sound_of_its_recording(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    told: list[float] = []
    out = tmp_path / "out.mp4"
    done = annotate(made.run, recording_in(made.run, "door"), out, told.append, ENCODERS["libx264"])
    assert (done.pictures, done.tracks, done.trouble) == (50, 2, "")
    assert told[-1] == 1.0
    assert [seconds for seconds, _ in shown(Recording("x", out))] == pytest.approx([n / 25 for n in range(50)], abs=0.001)
    assert seconds_of_sound(out) == pytest.approx(2.0, abs=0.3)
    green = {n: _green(frame) for n, frame in enumerate(_frames(out))}
    assert green[15] > 40
    assert green[45] == 0


def test_a_turned_recording_of_changing_rate_comes_out_upright_in_its_time(tmp_path: Path) -> None:
    times = [0, 40, 400, 440, 1200, 1240]
    path = record(tmp_path / "phone.mp4", frames=6, turned=90, ticks=lambda index: times[index])
    made = make_run(tmp_path, recording=path)
    annotate(made.run, recording_in(made.run, "door"), tmp_path / "out.mkv", encoder=ENCODERS["libx264"])
    frames = _frames(tmp_path / "out.mkv")
    assert (frames[0].planes.width_px, frames[0].planes.height_px) == (64, 96)
    assert [round(1000 * frame.time.pts_seconds) for frame in frames] == pytest.approx(times, abs=1)


def test_a_recording_that_breaks_off_gives_what_there_was(tmp_path: Path) -> None:
    path = record(tmp_path / "cut.avi", frames=50, codec="mpeg4")
    made = make_run(tmp_path, recording=path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    done = annotate(made.run, Recording("door", path), tmp_path / "out.mp4", encoder=ENCODERS["libx264"])
    assert 10 < done.pictures < 50
    assert "cut.avi" in done.trouble


def test_what_is_no_recording_leaves_nothing(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    made.recording.write_bytes(b"no video")
    with pytest.raises(SourceError, match="is not a video"):
        annotate(made.run, Recording("door", made.recording), tmp_path / "out.mp4", encoder=ENCODERS["libx264"])
    assert not (tmp_path / "out.mp4").exists()


def test_a_label_hides_no_other_face_and_keeps_its_place(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    annotator = Annotator(run, Cast(run, "door"))
    grey = planes_from_bgr(np.full((640, 960, 3), 90, np.uint8))
    at = [annotator.draw(grey, FrameTime(0, 0, (1, 25), seconds, 0)) for seconds in (0.76, 0.8)]
    assert all(planes.y.shape == (640, 960) for planes in at)
    assert (grey.y == grey.y[0, 0]).all()


def test_the_clock_has_the_wall_clock_where_that_is_known(tmp_path: Path) -> None:
    grey = planes_from_bgr(np.full((480, 960, 3), 90, np.uint8))
    inked = []
    for recorded_ns in (None, 1_700_000_000_000_000_000):
        run = make_run(tmp_path / str(recorded_ns)).run
        annotator = Annotator(run, Cast(run, "door"))
        drawn = annotator.draw(grey, FrameTime(0, 0, (1, 25), 0.0, 0, recorded_ns=recorded_ns))
        inked.append((drawn.y != grey.y).any(axis=0).sum())
    assert inked[1] > 2 * inked[0] > 0


def test_a_run_that_hid_faces_is_not_shown_unasked() -> None:
    record_of = {"config": {"publish": {"redact": "blur"}}}
    with pytest.raises(UsageError, match=r"told to hide faces \(publish\.redact: blur\).*--show-hidden"):
        check_shown(record_of, show_hidden=False)
    check_shown(record_of, show_hidden=True)
    check_shown({"config": {"publish": {"redact": "none"}}}, show_hidden=False)
    check_shown({}, show_hidden=False)


def _frames(path: Path) -> list[Frame]:
    return [item for item in reader_of(Recording("x", path), DecodeConfig()) if isinstance(item, Frame)]


def _green(frame: Frame) -> int:
    u, v = frame.planes.u.astype(int), frame.planes.v.astype(int)
    return int(((u < 118) & (v < 108)).sum())

"""``engine.jobs.chain``: one segment into a directory of its own, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.config import Config, OutputConfig
from engine.contracts.recording import Recording
from engine.errors import DeviceLostError, PublishError
from engine.jobs.chain import Progress, process_segment
from engine.jobs.pieces import PIECE, POINTS, read_piece, read_points
from engine.jobs.seat import Enhancing, Here, Seat
from engine.jobs.segments import WHOLE, Segment
from engine.jobs.warm import Warm
from engine.lock import DirectoryLock
from tests.jobs.clips import film


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm(Config(output=OutputConfig(report=False)), lambda warned: pytest.fail(warned.detail)) as models:
        yield models


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return Recording("hall", film(tmp_path_factory.mktemp("clip") / "hall.mp4", 60, [(5, 40, 0)]))


def test_it_is_done_once(tmp_path: Path, warm: Warm, recording: Recording):
    told: list[Progress] = []
    piece = process_segment(recording, WHOLE, tmp_path / "piece", warm, told.append)
    assert (piece.ending, piece.last_frame, piece.frames) == ("end", 59, 60)
    assert told[-1] == Progress(60, 60)
    assert [one.done for one in told] == sorted(one.done for one in told)
    written = (tmp_path / "piece" / "faces.jsonl").read_bytes()
    assert written
    assert process_segment(recording, WHOLE, tmp_path / "piece", warm, lambda progress: pytest.fail("again")) == piece
    other = Segment(stop_after=30)
    assert process_segment(recording, other, tmp_path / "piece", warm).segment == other


def test_while_much_that_is_no_video_is_read_over_that_is_told(
    tmp_path: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing had shown that it lives, and it was stopped."""
    monkeypatch.setattr("engine.jobs.chain._TELL_SECONDS", 0.0)
    tape = film(tmp_path / "tape.ts", 20, [])
    with tape.open("ab") as file:
        file.write(bytes(1 << 21))
    told: list[Progress] = []
    process_segment(Recording("tape", tape), WHOLE, tmp_path / "piece", warm, told.append)
    assert len(told) > 20 + 16


def test_a_segment_whose_work_fails_is_not_there(
    tmp_path: Path, warm: Warm, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Here, "put", lost)
        with pytest.raises(DeviceLostError):
            process_segment(recording, WHOLE, tmp_path / "piece", warm)
    assert read_piece(tmp_path / "piece") is None
    left = process_segment(recording, WHOLE, tmp_path / "piece", warm)
    fresh = process_segment(recording, WHOLE, tmp_path / "fresh", warm)
    assert (left.counts, left.calls) == (fresh.counts, fresh.calls)
    lines = [(tmp_path / name / "faces.jsonl").read_bytes().count(b"\n") for name in ("piece", "fresh")]
    assert lines[0] == lines[1] > 0


def test_what_a_kill_has_left_goes(tmp_path: Path, warm: Warm, recording: Recording):
    process_segment(recording, WHOLE, tmp_path / "piece", warm)
    (tmp_path / "piece" / PIECE).unlink()
    with (tmp_path / "piece" / POINTS).open("ab") as file:
        file.write(b'{"frame_index": 9')
    process_segment(recording, WHOLE, tmp_path / "piece", warm)
    assert [point.frame_index for point in read_points(tmp_path / "piece")] == sorted(
        {point.frame_index for point in read_points(tmp_path / "piece")}
    )


def test_two_do_not_write_into_one_directory(tmp_path: Path, warm: Warm, recording: Recording, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("engine.lock.WAIT_SECONDS", 0.1)
    (tmp_path / "piece").mkdir()
    lock = DirectoryLock(tmp_path / "piece")
    try:
        with pytest.raises(PublishError, match="another run is writing"):
            process_segment(recording, WHOLE, tmp_path / "piece", warm)
    finally:
        lock.close()


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path, warm: Warm, recording: Recording):
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(PublishError, match="cannot write"):
        process_segment(recording, WHOLE, tmp_path / "file" / "piece", warm)


def test_a_piece_of_another_version_is_said(tmp_path: Path):
    (tmp_path / PIECE).write_text('{"stream": 5}')
    with pytest.raises(PublishError, match="is not what this version writes"):
        read_piece(tmp_path)


def test_enhancement_may_be_elsewhere(tmp_path: Path, warm: Warm, recording: Recording):
    """Two seats at the same models, each with the same stream and tracks, by turns; what they say comes late."""
    assert warm.models is not None
    models, late = warm.models, list[Late]()

    def seat_for(stream: str) -> Enhancing:
        late.append(Late(Seat(models, stream), Seat(models, stream)))
        return late[-1]

    here = process_segment(recording, WHOLE, tmp_path / "here", warm)
    with Warm(warm.config, lambda warned: None, (seat_for, models.facts)) as decoder:
        there = process_segment(recording, WHOLE, tmp_path / "there", decoder)
    assert (here.facts, here.enhanced, here.calls) == (there.facts, there.enhanced, there.calls)
    for name in ("embeddings_128.f32",):
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    assert late[0].is_closed


def lost(*given: object) -> None:
    raise DeviceLostError("the GPU is gone")


class Late(Here):
    """Gives back nothing before it must; beside it another one does the same work."""

    def __init__(self, seat: Seat, shadow: Seat) -> None:
        super().__init__(seat)
        self._shadow, self.is_closed = shadow, False
        self.close = self._close

    def put(self, work):
        super().put(work)
        self._shadow.enhance(work)

    def take(self, *, all_of_it):
        return super().take(all_of_it=True) if all_of_it else []

    def _close(self) -> None:
        self.is_closed = True

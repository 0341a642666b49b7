"""A transport stream whose video changes in the middle is read to its end, as one recording."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Reading, Recording
from engine.contracts.streams import StreamChanged
from engine.decode.recording import reader_of
from engine.decode.transport_stream import pieces_of
from engine.jobs.scan import scan
from tests.decode.clips import X265, render

OTHER_NUMBERS = {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "768"}


def part(folder: Path, codec: str, **options: object) -> bytes:
    coding = {"libx265": X265, "libx264": {"bf": "0"}}.get(codec, {})
    return render(folder / "part.ts", codec, codec_options=coding, **options).read_bytes()  # type: ignore[arg-type]


def read(path: Path, reading: Reading | None = None) -> tuple[list[Frame], list[StreamChanged]]:
    with reader_of(Recording("cam", path, reading=reading or Reading()), DecodeConfig()) as reader:
        items = list(reader)
        assert items[-1].counters == reader.counters  # type: ignore[union-attr]
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.time.frame_index for frame in frames] == list(range(len(frames)))
    return frames, [item for item in items if isinstance(item, StreamChanged)]


def joined(folder: Path, parts: Sequence[bytes]) -> Path:
    path = folder / "a.ts"
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize(
    "codecs",
    [
        ("libx264", "libx265"),
        ("libx265", "libx264"),
        ("mpeg2video", "libx264"),
        ("libx264", "mpeg4"),
        ("libx265", "libx264", "libx265", "mpeg2video"),
        ("libx264", "libx264", "libx265", "libx265"),
    ],
)
def test_all_of_it_is_read(tmp_path: Path, codecs: Sequence[str]) -> None:
    path = joined(tmp_path, [part(tmp_path, codec) for codec in codecs])
    frames, states = read(path)
    assert [frame.time.pts_seconds for frame in frames] == pytest.approx([n / 25 for n in range(12 * len(codecs))], abs=0.002)
    assert (states[-1].state, states[-1].detail, states[-1].counters["frames"]) == ("ended", "", 12 * len(codecs))
    assert [state.state for state in states[:2]] == ["connecting", "live"]
    assert {state.state for state in states[2:-1]} == {"discontinuity"}
    changes = [state.reason for state in states if state.reason == "codec_change"]
    assert len(changes) == sum(one != other for one, other in pairwise(codecs))
    assert [frame.detect for frame in frames[::12]] == [True] * len(codecs)


@pytest.mark.parametrize("frames", [12, 60])
def test_what_goes_on_in_a_stream_of_another_number_is_read_too(tmp_path: Path, frames: int) -> None:
    """FFmpeg finds it at once, or in the middle, which PyAV does not expect."""
    other = part(tmp_path, "libx264", frames=frames, container_options=OTHER_NUMBERS)
    found, states = read(joined(tmp_path, [part(tmp_path, "libx264", frames=frames), other]))
    assert len(found) == 2 * frames
    assert states[-1].detail == ""


@pytest.mark.parametrize("later_seconds", [0, 1, 9])
def test_time_goes_on_as_the_time_stamps_do(tmp_path: Path, later_seconds: int) -> None:
    first = part(tmp_path, "libx264", pts=list(range(12)))
    second = part(tmp_path, "mpeg2video", pts=[12 + 25 * later_seconds + n for n in range(12)])
    frames, _ = read(joined(tmp_path, [first, second]))
    assert frames[12].time.pts_seconds - frames[11].time.pts_seconds == pytest.approx(0.04 + later_seconds, abs=0.1)


def test_a_wall_clock_goes_on_too(tmp_path: Path) -> None:
    path = joined(tmp_path, [part(tmp_path, "libx264"), part(tmp_path, "mpeg2video")])
    frames, _ = read(path, Reading(started_ns=10**18))
    assert [frame.time.recorded_ns for frame in frames] == [10**18 + round(frame.time.pts_seconds * 1e9) for frame in frames]


def test_another_size_and_a_piece_of_which_nothing_can_be_decoded_are_no_end(tmp_path: Path) -> None:
    small = part(tmp_path, "mpeg2video", size=(64, 64))
    frames, states = read(joined(tmp_path, [part(tmp_path, "libx264"), small]))
    assert ({frame.planes.y.shape for frame in frames}, states[-1].state) == ({(64, 96), (64, 64)}, "ended")
    broken = bytearray(part(tmp_path, "libx264"))
    for at in range(188 * 4, len(broken), 188):
        broken[at + 40 : at + 188] = bytes(148)
    frames, states = read(joined(tmp_path, [bytes(broken), part(tmp_path, "mpeg2video")]))
    assert (len(frames) >= 12, states[-1].state) == (True, "ended")


@pytest.mark.parametrize("what", ["the same", "chosen", "no transport stream", "none", "two programs", "back again, far away"])
def test_what_is_read_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    first, second = part(tmp_path, "libx264"), part(tmp_path, "mpeg2video")
    path = joined(tmp_path, {"the same": [first, first], "none": []}.get(what, [first, second]))
    if what == "no transport stream":
        render(path, "mpeg4", container="mp4")
    elif what == "two programs":
        other = part(tmp_path, "mpeg2video", container_options=OTHER_NUMBERS | {"mpegts_service_id": "2"})
        joined(tmp_path, [first, other, second])
    elif what.startswith("back"):
        monkeypatch.setattr("engine.decode.transport_stream._ENDS_BYTES", min(len(first), len(second)) // 2)
        joined(tmp_path, [first, second, first])
    assert bool(pieces_of(path)) == (what == "chosen")
    _, states = read(path, Reading(video_stream=0) if what == "chosen" else None)
    assert "codec_change" not in [state.reason for state in states]


def test_what_cannot_be_read_has_no_pieces(tmp_path: Path) -> None:
    assert pieces_of(tmp_path / "nowhere") == pieces_of(tmp_path) == pieces_of(tmp_path / "a\0b") == []


def test_what_changes_again_too_far_behind_is_read_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [part(tmp_path, codec) for codec in ("libx264", "mpeg2video", "libx265")]
    path = joined(tmp_path, parts)
    assert len(pieces_of(path)) == 3
    monkeypatch.setattr("engine.decode.transport_stream._ENDS_BYTES", min(map(len, parts)) // 2)
    monkeypatch.setattr("engine.decode.transport_stream._BLOCK_BYTES", len(parts[0]) + len(parts[1]) // 2)
    monkeypatch.setattr("engine.decode.transport_stream._MOST_BLOCKS", 1)
    assert pieces_of(path) == []


def test_it_is_not_cut_into_segments(tmp_path: Path) -> None:
    path = joined(tmp_path, [part(tmp_path, "libx264"), part(tmp_path, "mpeg2video")])
    assert scan(Recording("cam", path), DecodeConfig()).whole == "its video changes to another one part way through"

"""The tracks of a run that matter most, out of files of any length."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.publish.samples import as_sent, face, track
from tests.report.selection import select_tracks

FACE, TRACK = as_sent(face()[0]), as_sent(track()[0])


def write(directory: Path, faces: list[tuple[str, int, float, float]], tracks: list[tuple[str, int, float, bool, str]]) -> None:
    """Write faces as (stream, track, seconds, score) and tracks as (stream, track, first seconds, ended, decision)."""
    directory.mkdir(exist_ok=True)
    with (directory / "faces.jsonl").open("wb") as file:
        for seq, (stream, track_id, seconds, score) in enumerate(faces):
            quality = replace(FACE.quality, score=score)
            line = replace(FACE, stream=stream, track_id=track_id, pts_seconds=seconds, quality=quality, seq=seq, run_id="run1")
            file.write(msgspec.json.encode(line) + b"\n")
    with (directory / "tracks.jsonl").open("wb") as file:
        for seq, (stream, track_id, first, ended, decision) in enumerate(tracks):
            line = replace(TRACK, stream=stream, track_id=track_id, first_pts_seconds=first, last_pts_seconds=first + 1,
                           ended=ended, decision=decision, seq=seq, run_id="run1")  # fmt: skip
            file.write(msgspec.json.encode(line) + b"\n")


STREAMS, IDS, SECONDS = (
    st.sampled_from(["a", "b"]),
    st.sampled_from([1, 2, 3, 65_535, 65_536, 1_000_000_001]),
    st.integers(0, 9),
)
FACES = st.lists(st.tuples(STREAMS, IDS, SECONDS.map(float), st.integers(0, 9).map(lambda tenths: tenths / 10)), max_size=30)
ENDS = st.dictionaries(st.tuples(STREAMS, IDS), st.tuples(SECONDS.map(float), st.booleans(), st.booleans()), max_size=8)


@settings(max_examples=40, deadline=None)
@given(FACES, ENDS, st.integers(1, 12), st.integers(1, 3))
def test_it_is_what_one_would_pick_with_everything_in_memory(tmp_path_factory, faces, ends, most, best):
    directory = tmp_path_factory.mktemp("run")
    tracks = []
    for (stream, track_id), (first, has_ended, was_told_before) in ends.items():
        tracks += [(stream, track_id, first, False, "undecided")] * (was_told_before or not has_ended)
        tracks += [(stream, track_id, first, True, "known")] * has_ended
    write(directory, faces, tracks)
    expected: dict[tuple[str, int], tuple] = {}
    for key in {(stream, track_id) for stream, track_id, *_ in [*faces, *tracks]}:
        own = [
            (score, seq, seconds) for seq, (stream, track_id, seconds, score) in enumerate(faces) if (stream, track_id) == key
        ]
        ranked = [seq for _, seq, _ in sorted(own, key=lambda one: (-one[0], one[1]))]
        if key in ends:
            span, decision = (ends[key][0], ends[key][0] + 1), "known" if ends[key][1] else "undecided"
        else:
            span, decision = (min(one[2] for one in own), max(one[2] for one in own)), "known"
        expected[key] = (span, *key, decision, ranked[:best], len(own))
    found = select_tracks(directory, most, best)
    shown = [
        (
            record.span_seconds,
            record.stream,
            record.track_id,
            record.decision,
            [line.face.seq for line in record.faces],
            record.faces_seen,
        )
        for record in found.records
        if record.track is not None or record.faces_seen <= best
    ]
    chosen = [(record.stream, record.track_id) for record in found.records]
    assert len(set(chosen)) == len(chosen) == min(most, len(expected))
    assert sum(record.decision == "known" for record in found.records) == min(
        most, sum(one[3] == "known" for one in expected.values())
    ), "those with a name come first"
    assert shown == [one for key in chosen if (one := expected[key]) and (key in ends or one[5] <= best)]
    assert (found.tracks, found.faces) == (len(expected), len(faces))


def peak_bytes(directory: Path, tracks: int) -> int:
    write(directory, [("cam", number, float(number), 0.5) for number in range(tracks)],
          [("cam", number, float(number), True, "known") for number in range(tracks)])  # fmt: skip
    tracemalloc.start()
    found = select_tracks(directory, 20, 7)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.tracks, found.faces, len(found.records)) == (tracks, tracks, 20)
    return peak


def test_memory_does_not_grow_with_the_run(tmp_path: Path):
    """It was 17 KB for a track of four faces."""
    small, large = peak_bytes(tmp_path / "small", 200), peak_bytes(tmp_path / "large", 2000)
    assert large < small + 20_000


@pytest.mark.parametrize("tail", [b"", b"{", b"[]\n", b'{"stream":"cam"}\n', b"\xff\n"])
def test_lines_that_cannot_be_read_are_left_out(tmp_path: Path, tail: bytes):
    write(tmp_path, [("cam", 1, 0.0, 0.5)], [("cam", 1, 0.0, True, "known")])
    for name in ("faces.jsonl", "tracks.jsonl"):
        with (tmp_path / name).open("ab") as file:
            file.write(tail)
    found = select_tracks(tmp_path, 5, 5)
    assert (found.tracks, found.faces) == (1, 1)

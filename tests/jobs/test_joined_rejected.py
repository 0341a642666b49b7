"""What was not believed in the segments of an archive: the likeliest of all, by numbers that no track has."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive.reader import track_lines
from engine.archive.rejected import rejected_lines
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.exhibit.verify import verify
from engine.jobs.joined_lines import Lines
from engine.publish.numbering import Numbering
from tests.publish.samples import face, rejected, track

SCORES = st.lists(st.integers(0, 9).map(lambda tenths: tenths / 10), max_size=8)


def sink(directory, most=3):
    return DirectorySink(OutputConfig(directory=str(directory), rejected_pictures=most), {"run_id": directory.name})


def segment(directory: Path, scores, first_frame: int) -> Path:
    """Write a segment: its first track belongs to the one before, as does its first rejected one; then another of each kind."""
    written, numbering = sink(directory, 9), Numbering(directory.name)
    for track_id in (1, 20):
        for body, payloads in (face(track_id=track_id, index=first_frame), track(track_id=track_id)):
            written.write(numbering.stamp(body), payloads)
    for track_id, score in enumerate([0.99, *scores], 2):
        written.write_rejected(*rejected(track_id=track_id, score=score, index=first_frame + track_id))
    written.close("completed")
    return directory


def joined(target: Path, segments, most=3):
    written = sink(target, most)
    lines = Lines(written, "joined", most)
    for directory in segments:
        lines.take(directory, 3)
    lines.finish()
    written.close("completed")
    return target


def test_they_follow_all_tracks_and_show_what_the_segments_show(tmp_path):
    segments = [segment(tmp_path / "a", [0.7, 0.9], 0), segment(tmp_path / "b", [0.8, 0.6], 100)]
    out = joined(tmp_path / "joined", segments)
    found = list(rejected_lines(out))
    assert [(line.frame_index, line.score) for line in found] == [(4, 0.9), (103, 0.8), (3, 0.7)]
    assert {line.run_id for line in found} == {"joined"}
    assert min(line.track_id for line in found) > max(line.track.track_id for line in track_lines(out))
    for line in found:
        assert line.picture(out).read_bytes() == rejected()[1][0]
    assert verify(out).is_whole


def test_pictures_that_have_gone_are_left_out(tmp_path):
    first = segment(tmp_path / "a", [0.7, 0.9], 0)
    for line in rejected_lines(first):
        if line.score == 0.9:
            line.picture(first).unlink()
    assert [line.score for line in rejected_lines(joined(tmp_path / "joined", [first]))] == [0.7]


@settings(deadline=None, max_examples=20)
@given(segments=st.lists(SCORES, min_size=1, max_size=3), most=st.integers(0, 4))
def test_there_are_no_more_than_in_a_run_that_has_seen_all(tmp_path_factory, segments, most):
    folder = tmp_path_factory.mktemp("archive")
    parts = [segment(folder / str(number), scores, 100 * number) for number, scores in enumerate(segments)]
    found = [line.score for line in rejected_lines(joined(folder / "joined", parts, most))]
    assert found == sorted((score for scores in segments for score in scores), reverse=True)[:most]

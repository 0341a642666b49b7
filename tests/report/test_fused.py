"""A picture that was made of many frames of a track, in the report."""

import base64
import json
import re

import pytest

from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.track_picture import FusedFrame, TrackPicture
from engine.publish.numbering import Numbering
from engine.report.fused import frames_words
from tests.publish.samples import face, track
from tests.report.test_page import FACTS, RUN, cards, report


def with_picture(directory, *said, frames=(1, 2, 3), left=(0,)):
    """Write a run of one track whose lines are ``said``: whether each is its end, and whether it has a picture."""
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(directory)), RUN)
    for index in range(5):
        message, payloads = face(track_id=0, index=index, score=index / 10, codec="png", pts_seconds=index)
        sink.write(numbering.stamp(message), payloads)
    for ended, pictured in said:
        message, payloads = track(track_id=0, ended=ended, frames=frames if pictured else (), left=left)
        sink.write(numbering.stamp(message), payloads)
    sink.close("completed", FACTS)
    return directory


@pytest.mark.parametrize("said", [[(True, True)], [(False, True), (True, False)], [(False, True), (False, False)]])
def test_the_picture_of_a_track_stands_first_with_what_it_was_made_from_below(tmp_path, said):
    page = report(with_picture(tmp_path, *said))
    [card] = cards(page)
    figures = re.findall(r'<figure class="([^"]*)".*?<figcaption>(.*?)</figcaption>(.*?)</figure>', card)
    marked = [("not for identification" in after) for _, _, after in figures]
    assert [(kind, caption) for kind, caption, _ in figures] == [
        ("enhanced fused", "made from 3 frames, mean_x4"), ("pixels", "original 32 x 32 px"),
        ("smooth", "the same, interpolated"), ("enhanced alone", "one frame alone, compact_x4"),
        ("agreement", "frames agree: 75 %"),
    ]  # fmt: skip
    assert marked == [True, False, False, True, False]
    groups = re.split(r'<span class="of">', card)
    assert [(group.split("<")[0], group.count('<span class="small')) for group in groups[1:]] == [
        ("made from", 3), ("did not fit", 1), ("others", 1)
    ]  # fmt: skip
    assert card.count(", share 33 %") == 2 * 3, "for those who see it, and for those who do not"
    assert "frames agree</dt><dd>75 %" in card
    assert 'id="show-agreement"' in page


def test_where_the_frames_disagree_the_picture_is_marked(tmp_path):
    [card] = cards(report(with_picture(tmp_path, (True, True))))
    line = json.loads((tmp_path / "tracks.jsonl").read_text())
    agreement = base64.b64encode((tmp_path / line["files"]["agreement"]).read_bytes()).decode()
    over = re.search(r'class="overlay".*?base64,([^"]+)', card)[1]
    assert over == agreement
    assert card.index('class="overlay"') < card.index("<figcaption>")


def test_without_its_picture_the_best_face_stands_for_a_track(tmp_path):
    with_picture(tmp_path, (True, True))
    line = json.loads((tmp_path / "tracks.jsonl").read_text())
    (tmp_path / line["files"]["track"]).unlink()
    page = report(tmp_path)
    assert "made from" not in "".join(cards(page))
    assert "interpolated" in page


@pytest.mark.parametrize(("shares", "words"), [
    ((0.4, 0.3, 0.3), "3 frames"), ((0.8, 0.1, 0.1), "3 frames, mostly from one of them"), ((0.8, 0.2), "2 frames"),
])  # fmt: skip
def test_it_is_said_where_a_picture_is_mostly_one_frame(shares, words):
    frames = [FusedFrame(index, 0.0, share) for index, share in enumerate(shares)]
    assert frames_words(TrackPicture("mean_x4", 4, frames, [], 96, 96, 0.9)) == words

"""Pictures of tracks that were not believed, when a person is erased who may be on them, or pictures expire."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.archive.rejected import rejected_lines
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.exhibit.verify import verify
from engine.privacy import Policy, cutting, erase, expire
from engine.publish.numbering import Numbering
from engine.report.page import write_report
from tests.privacy.output import candidates
from tests.publish.samples import face, rejected, stream_event, track

ADA, BOB = "Ada Lovelace", "Bob"
DAY_NS = 86_400 * 10**9


@pytest.fixture
def result(tmp_path) -> Path:
    """A run with a track of Ada and one of Bob on one camera; of three rejected tracks on another the least likely has gone."""
    directory, numbering = tmp_path / "result", Numbering("run1")
    written = DirectorySink(OutputConfig(directory=str(directory), rejected_pictures=2), {"run_id": "run1"})
    written.write(numbering.stamp(stream_event()), [])
    for track_id, name in enumerate((ADA, BOB), 1):
        for body, payloads in (face(track_id=track_id), track(track_id=track_id)):
            written.write(numbering.stamp(replace(body, candidates=candidates([name]))), payloads)
    for track_id, score in ((3, 0.7), (4, 0.8), (5, 0.75)):
        written.write_rejected(*rejected("cam2", track_id, score))
    written.close("completed", {"counters": {"rejected": 3}})
    write_report(directory)
    return directory


def pictures(directory):
    return sorted(path.parent.name for path in directory.glob("faces/cam2/*/*.jpg"))


def test_they_go_with_anybody_who_is_erased_from_the_run(result):
    assert pictures(result) == ["4", "5"]
    assert "Perhaps faces" in (result / "report.html").read_text()
    told = erase([ADA], outputs=[result], dry_run=True).runs[0]
    assert (told.tracks, told.pictures) == (1, 4), "two of Ada's face, and two that may be of her"
    assert pictures(result) == ["4", "5"]
    receipt = erase([ADA], outputs=[result])
    assert receipt.is_complete
    assert (receipt.runs[0].tracks, receipt.runs[0].faces, receipt.runs[0].pictures) == (1, 1, 4)
    assert {file.file for file in receipt.runs[0].files} == {"rejected.jsonl", "faces.jsonl", "tracks.jsonl"}
    assert pictures(result) == []
    assert not (result / "faces/cam2/4").exists()
    assert list(rejected_lines(result)) == []
    assert "Perhaps faces" not in (result / "report.html").read_text()
    found = verify(result)
    assert found.is_whole, found.faults
    assert not erase([ADA], outputs=[result]).found


def test_they_stay_where_somebody_is_erased_who_is_not_in_the_run(result):
    before = (result / "rejected.jsonl").read_bytes()
    assert not erase(["Carol"], outputs=[result]).found
    assert pictures(result) == ["4", "5"]
    assert (result / "rejected.jsonl").read_bytes() == before


def test_an_erasure_that_a_kill_has_cut_short_is_finished_by_another(result, monkeypatch):
    """Nothing of her is told any more by the files that were rewritten first: the lines of these must have gone before."""
    rewrite = cutting._rewrite

    def killed(path, becomes):
        if path.name == "tracks.jsonl":
            raise KeyboardInterrupt
        return rewrite(path, becomes)

    with monkeypatch.context() as patch:
        patch.setattr(cutting, "_rewrite", killed)
        with pytest.raises(KeyboardInterrupt):
            erase([ADA], outputs=[result])
    assert erase([ADA], outputs=[result]).is_complete
    assert list(rejected_lines(result)) == []
    found = verify(result)
    assert found.is_whole, found.faults


@pytest.mark.parametrize("policy", [{"pictures_days": 5}, {"strangers_days": 5}, {"records_days": 5}])
def test_they_expire_as_pictures_as_strangers_and_as_lines(result, policy):
    young, old = time.time_ns() + 4 * DAY_NS, time.time_ns() + 6 * DAY_NS
    assert expire(result, Policy(**policy), young)[0].pictures == 0
    assert pictures(result) == ["4", "5"]
    [done] = expire(result, Policy(**policy), old)
    assert not done.error
    assert not (result / "faces/cam2").is_dir() or pictures(result) == []
    if "records_days" in policy:
        assert done.removed
        assert not (result / "rejected.jsonl").exists()
        return
    assert list(rejected_lines(result)) == []
    assert "Perhaps faces" not in (result / "report.html").read_text()
    said = [fault for fault in verify(result).faults if "it was to stay" not in fault.what]  # that clock is ours
    assert said == []


def test_vectors_that_expire_leave_them(result):
    expire(result, Policy(vectors_days=5), time.time_ns() + 6 * DAY_NS)
    assert pictures(result) == ["4", "5"]


def test_a_picture_that_no_line_names_any_more_is_an_orphan_and_one_that_a_line_names_is_none(result):
    lines = (result / "rejected.jsonl").read_text().splitlines(keepends=True)
    (result / "rejected.jsonl").write_text("".join(line for line in lines if json.loads(line)["track_id"] != 5))
    expire(result, Policy(pictures_days=5), time.time_ns() + 4 * DAY_NS)
    assert pictures(result) == ["4", "5"]
    expire(result, Policy(pictures_days=5), time.time_ns() + 6 * DAY_NS)
    assert pictures(result) == []

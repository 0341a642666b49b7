"""Pictures of tracks that were not believed: the likeliest of a run, no more than it may have, and treated like all others."""

from __future__ import annotations

import errno
import hashlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive import rejected as under_test
from engine.archive.claim import held_by_a_run, is_of_a_run
from engine.archive.rejected import rejected_lines
from engine.archive.resume import plan_resume, reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.recording import Recording
from engine.errors import OutputError
from engine.exhibit.verify import verify
from engine.publish.numbering import Numbering
from tests.publish.samples import face, rejected, stream_event, track

SCORES = st.lists(st.integers(0, 9).map(lambda tenths: tenths / 10), max_size=40)


def sink(directory, most=3, resume=None, expires=False, run_id="run1", **keep):
    config = OutputConfig(directory=str(directory), rejected_pictures=most, **keep)
    return DirectorySink(config, {"run_id": run_id}, resume=resume, expires=expires)


def write(written, scores, first=1, stream="cam1"):
    for track_id, score in enumerate(scores, first):
        written.write_rejected(*rejected(stream, track_id, score))


def shown(directory):
    """Return number and score of those whose picture is there, by number."""
    lines = list(rejected_lines(directory))
    return sorted((line.track_id, line.score) for line in lines if line.picture(directory) is not None)


def pictures(directory):
    return sorted(path.relative_to(directory).as_posix() for path in (directory / "faces").rglob("*.jpg"))


def test_one_is_a_line_with_a_picture_as_the_source_has_it(tmp_path):
    written = sink(tmp_path)
    track, payloads = rejected(track_id=9, score=0.71)
    written.write_rejected(track, payloads)
    written.close("completed")
    [line] = [json.loads(line) for line in (tmp_path / "rejected.jsonl").read_text().splitlines()]
    assert (line["kind"], line["run_id"], line["stream"], line["track_id"], line["frame_index"]) == (
        "rejected", "run1", "cam1", 9, 9,
    )  # fmt: skip
    assert (line["score"], line["looks"], line["box"]) == (0.71, 3, [12.0, 20.0, 24.0, 24.0])
    assert line["files"] == {"original": "faces/cam1/9/000000_original.jpg"}
    picture = (tmp_path / line["files"]["original"]).read_bytes()
    assert picture == payloads[0]
    assert hashlib.sha256(picture).hexdigest() == line["parts"][0]["sha256"]
    assert "embedding" not in line
    assert "candidates" not in line
    found = verify(tmp_path)
    assert found.is_whole
    assert found.pictures == 1


def test_a_run_that_has_none_has_no_file(tmp_path):
    sink(tmp_path).close("completed")
    assert not (tmp_path / "rejected.jsonl").exists()
    assert not (tmp_path / "faces").exists()


@settings(deadline=None, max_examples=60)
@given(scores=SCORES, most=st.integers(0, 5))
def test_the_likeliest_are_kept_and_never_more(scores, most):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        written = sink(directory, most)
        for track_id, score in enumerate(scores, 1):
            written.write_rejected(*rejected(track_id=track_id, score=score))
            assert len(pictures(directory)) <= most
        written.close("completed")
        likeliest = sorted(enumerate(scores, 1), key=lambda one: (-one[1], one[0]))[:most]
        assert shown(directory) == sorted(likeliest)
        assert len(pictures(directory)) == len(likeliest)
        found = verify(directory)
        assert found.is_whole, found.faults
        assert found.went == 0, "none went by retention"


@settings(deadline=None, max_examples=30)
@given(scores=SCORES, cuts=st.lists(st.integers(0, 40), max_size=3))
def test_it_is_the_same_over_restarts_of_the_publisher(scores, cuts):
    with tempfile.TemporaryDirectory() as folder:
        directory, at, resume = Path(folder), 0, None
        for cut in [*sorted(cuts), len(scores)]:
            written = sink(directory, 3, resume)
            write(written, scores[at:cut], at + 1)
            written._checkpoints.sync()
            written._close_files()  # as if it had been killed
            at, resume = max(at, min(cut, len(scores))), reopen(directory)
        sink(directory, 3, resume).close("completed")
        likeliest = sorted(enumerate(scores, 1), key=lambda one: (-one[1], one[0]))[:3]
        assert shown(directory) == sorted(likeliest)
        assert verify(directory).is_whole


def test_one_that_is_found_again_by_another_worker_is_not_written_twice(tmp_path):
    written = sink(tmp_path)
    written.write_rejected(*rejected(track_id=9, index=5))
    found_again, payloads = rejected(track_id=9 + 7 * 10**8, index=5)
    written.write_rejected(found_again, payloads)
    written.close("completed")
    assert len(list(rejected_lines(tmp_path))) == 1


def test_a_full_disk_says_so_and_leaves_no_half(tmp_path, monkeypatch):
    written = sink(tmp_path)
    write(written, [0.5])

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(under_test, "write_new", full)
        with pytest.raises(OutputError, match=r"cannot write to the output directory .*: No space left on device"):
            written.write_rejected(*rejected(track_id=2))
    write(written, [0.6], 3)
    written.close("completed")
    assert shown(tmp_path) == [(1, 0.5), (3, 0.6)]
    assert verify(tmp_path).is_whole


def resumable(directory, most=3):
    """Begin a run over two recordings, kill it behind a checkpoint after frame 50, and return the recordings."""
    recordings = {}
    for name in ("a", "b"):
        path = directory.parent / f"{name}.mp4"
        path.write_bytes(b"video")
        recordings[name] = Recording(name, path)
    inputs = {name: recording.facts() for name, recording in recordings.items()}
    config = OutputConfig(directory=str(directory), rejected_pictures=most)
    written = DirectorySink(config, {"run_id": "run1", "config": {}, "inputs": inputs})
    write(written, [0.7, 0.8], 1, "a")
    written.checkpoint("a", 50, 3)
    written._checkpoints.sync()
    write(written, [0.9, 0.95], 3, "a")
    write(written, [0.85], 5, "b")
    written._close_files()
    return recordings


def go_on(directory, recordings, most=3):
    plan = plan_resume(directory, {"config": {}}, recordings)
    config = OutputConfig(directory=str(directory), rejected_pictures=most)
    return plan, DirectorySink(config, {"run_id": "run2", "config": {}}, resume=plan)


def test_a_resumed_run_goes_back_to_its_checkpoint_and_finds_the_rest_again(tmp_path):
    recordings = resumable(tmp_path / "out", most=9)
    plan, written = go_on(tmp_path / "out", recordings, most=9)
    assert plan.first_track_id == 6, "no number comes twice"
    assert shown(tmp_path / "out") == [(1, 0.7), (2, 0.8)]
    assert len(pictures(tmp_path / "out")) == 2
    write(written, [0.9, 0.95], 6, "a")
    written.close("completed")
    assert shown(tmp_path / "out") == [(1, 0.7), (2, 0.8), (6, 0.9), (7, 0.95)]
    assert verify(tmp_path / "out").is_whole


def test_a_resumed_run_whose_pictures_had_gone_or_are_damaged_is_whole(tmp_path):
    """Likelier ones that are cut off had pushed out one from before the checkpoint; a power cut has emptied another."""
    directory = tmp_path / "out"
    recordings = resumable(directory)
    assert shown(directory) == [(3, 0.9), (4, 0.95), (5, 0.85)]
    _, written = go_on(directory, recordings)
    assert shown(directory) == []
    write(written, [0.75], 8, "a")
    written.checkpoint("a", 60, 9)
    written._checkpoints.sync()
    written._close_files()
    (directory / "faces/a/8").joinpath("000000_original.jpg").write_bytes(b"")
    _, written = go_on(directory, recordings)
    written.close("completed")
    assert shown(directory) == []
    assert pictures(directory) == []
    assert verify(directory).is_whole


def test_of_a_stream_that_is_not_among_the_sources_any_more_nothing_stays(tmp_path):
    directory = tmp_path / "out"
    recordings = resumable(directory, most=9)
    del recordings["b"]
    _, written = go_on(directory, recordings, most=9)
    written.close("completed")
    assert {line.stream for line in rejected_lines(directory)} == {"a"}
    assert {path.split("/")[1] for path in pictures(directory)} == {"a"}


def test_retention_of_a_camera_deletes_them_and_makes_room(tmp_path):
    written = sink(tmp_path, expires=True, keep_pictures_gb=1e-9)
    write(written, [0.9, 0.9, 0.9])
    going = written._going._retention
    for at in range(4, 8):  # the oldest go, one look after the other
        going._next_look = 0.0
        write(written, [0.5], at)
    assert len(pictures(tmp_path)) <= 1
    assert len(written._rejected._kept) == len(pictures(tmp_path))
    written.close("completed")
    found = verify(tmp_path)
    assert found.is_whole, found.faults


def test_what_somebody_has_put_beside_a_picture_stays_and_ends_nothing(tmp_path):
    written = sink(tmp_path, most=1)
    write(written, [0.5])
    (tmp_path / "faces/cam1/1/Thumbs.db").write_bytes(b"mine")
    write(written, [0.6], 2)
    written.close("completed")
    assert shown(tmp_path) == [(2, 0.6)]
    assert (tmp_path / "faces/cam1/1/Thumbs.db").exists()


def test_its_file_is_a_run_s_own(tmp_path):
    written = sink(tmp_path)
    write(written, [0.5])
    written.close("completed")
    assert is_of_a_run("rejected.jsonl")
    assert is_of_a_run("faces/cam1/1/000000_original.jpg")
    assert tmp_path / "rejected.jsonl" in held_by_a_run(tmp_path)
    DirectorySink(OutputConfig(directory=str(tmp_path)), {"run_id": "run2"}, overwrite=True).close("completed")
    assert not (tmp_path / "rejected.jsonl").exists()


@pytest.mark.parametrize("harm", ["picture changed", "picture gone", "line changed", "line gone"])
def test_the_audit_covers_them(tmp_path, harm):
    written, numbering = sink(tmp_path), Numbering("run1")
    written.write(numbering.stamp(stream_event()), [])
    for body, payloads in (face(), track()):
        written.write(numbering.stamp(body), payloads)
    write(written, [0.5, 0.6, 0.7, 0.8], 11)
    written.close("completed")
    assert verify(tmp_path).is_whole
    path, [picture, *_] = tmp_path / "rejected.jsonl", [line.picture(tmp_path) for line in rejected_lines(tmp_path)][1:]
    lines = path.read_text().splitlines(keepends=True)
    match harm:
        case "picture changed":
            picture.write_bytes(b"another")
        case "picture gone":
            picture.unlink()
        case "line changed":
            path.write_text("".join([lines[0], lines[1].replace("0.6", "0.9"), *lines[2:]]))
        case "line gone":
            path.write_text("".join(lines[1:]))
    [fault] = verify(tmp_path).faults
    assert fault.file == (picture.relative_to(tmp_path).as_posix() if "picture" in harm else "rejected.jsonl")

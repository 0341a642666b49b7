"""Going on with a run: what is kept, and from where each source is read again."""

import json
import os

import msgspec
import numpy as np
import pytest

from engine.archive import checkpoint_writer
from engine.archive.record_check import check_records
from engine.archive.resume import plan_resume, reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.errors import ConfigError
from engine.publish.numbering import Numbering
from tests.archive.jobs import CONFIG, VERSIONS, Job, attempt, plan, recordings_of, run_of
from tests.archive.outcomes import check_whole, cut_somewhere
from tests.publish.samples import face, stream_event, track

pytestmark = pytest.mark.usefixtures("every_checkpoint_is_written")


def test_a_run_that_is_complete_has_nothing_to_do(tmp_path):
    job = Job.random(3, tmp_path)
    assert plan(tmp_path / "out", job) is None
    attempt(tmp_path / "out", job, 1)
    resume = plan(tmp_path / "out", job)
    assert (resume.first_frames, sorted(resume.done), resume.dropped) == ({}, sorted(job.recordings), (0, 0))
    assert resume.kept[0] == job.faces.total() == resume.counts.run["faces"]
    assert resume.counts.run["tracks"] == job.tracks.total()
    assert resume.counts.streams["rec0"]["frames"] == job.lengths["rec0"] == resume.done["rec0"].counters["frames"]


def test_what_was_rejected_before_is_counted_on(tmp_path):
    """Of a recording that is over by its last event, of one that goes on by its checkpoint, of one that begins anew not."""
    job = Job({}, {}, {name: tmp_path / f"{name}.mp4" for name in ("over", "open", "new")})
    for path in job.recordings.values():
        path.write_bytes(b"video")
    numbering = Numbering("run1")
    sink = DirectorySink(OutputConfig(directory=str(tmp_path / "out")), run_of("run1", job))
    for name, path in job.recordings.items():
        sink.record_input(name, str(path), 5, "", path.stat().st_mtime_ns)
        sink.write(numbering.stamp(stream_event(name)), [])
    sink.checkpoint("open", 20, 1, 3)
    sink.checkpoint("open", 40, 1, 4)
    ended = msgspec.structs.replace(stream_event("over", "ended", "end_of_file"), counters={"frames": 9, "rejected": 2})
    sink.write(numbering.stamp(ended), [])
    sink.close("drained")
    counters = plan(tmp_path / "out", job).counts.flat()
    assert {name: n for name, n in counters.items() if "rejected" in name} == {
        "rejected": 6,
        "rejected.over": 2,
        "rejected.open": 4,
    }


def test_a_picture_missing_from_a_complete_run_is_found_again(tmp_path):
    job = Job.random(3, tmp_path)
    attempt(tmp_path / "out", job, 1)
    last = json.loads((tmp_path / "out/faces.jsonl").read_text().splitlines()[-1])
    (tmp_path / "out" / last["files"]["original"]).unlink()
    resume = plan(tmp_path / "out", job)
    assert list(resume.first_frames) == [last["stream"]]
    assert 0 < resume.first_frames[last["stream"]] <= last["frame_index"]
    assert resume.first_track_id > last["track_id"]
    attempt(tmp_path / "out", job, 2)
    check_whole(tmp_path / "out", job)


def test_attempts_are_recorded_and_ids_are_not_used_again(tmp_path):
    job, directory = Job.random(5, tmp_path), tmp_path / "out"
    cut_somewhere(directory, job, 1, 12)
    first_ids = {json.loads(line)["track_id"] for line in (directory / "tracks.jsonl").read_text().splitlines()}
    resume = attempt(directory, job, 2)
    run = json.loads((directory / "run.json").read_text())
    assert [entry["outcome"] for entry in run["attempts"]] == ["killed", "completed"]
    assert run["attempts"][1]["run_id"] == run["run_id"] != run["attempts"][0]["run_id"]
    assert run["attempts"][1]["kept"] == {"faces": resume.kept[0], "tracks": resume.kept[1]}
    assert all(len(run["inputs"][stream]["sha256"]) == 64 for stream in job.recordings)
    new = [json.loads(line) for line in (directory / "faces.jsonl").read_text().splitlines()]
    new_ids = {line["track_id"] for line in new if line["run_id"] == run["run_id"]}
    assert new_ids
    assert not new_ids & first_ids


def test_only_faces_after_the_checkpoint_go(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"video")
    job = Job({"a": []}, {"a": 100}, {"a": tmp_path / "a.mp4"})
    sink, numbering = DirectorySink(OutputConfig(directory=str(tmp_path / "out")), run_of("run1", job)), Numbering("run1")

    def add(track_id, *frames, ended=True):
        for frame in frames:
            message, payloads = face("a", track_id, frame)
            sink.write(numbering.stamp(message), payloads)
        if ended:
            message, payloads = track("a", track_id)
            sink.write(numbering.stamp(message), payloads)

    add(1, 3, 4)
    add(3, 20, ended=False)  # of a later track, which overtook the checkpoint
    sink.checkpoint("a", 10, 2)
    add(3, 22)
    sink._close_files()
    resume = plan(tmp_path / "out", job)
    assert resume.first_frames == {"a": 11}
    assert (resume.kept, resume.dropped, resume.first_track_id) == ((2, 1), (2, 1), 4)
    DirectorySink(OutputConfig(directory=str(tmp_path / "out")), run_of("run2", job), resume=resume).close("drained")
    lines = [json.loads(line) for line in (tmp_path / "out/faces.jsonl").read_text().splitlines()]
    assert [line["frame_index"] for line in lines] == [3, 4]
    assert sorted(path.name for path in (tmp_path / "out/faces/a").iterdir()) == ["1"]


@pytest.mark.parametrize(
    ("state", "reason", "done"),
    [("ended", "end_of_file", True), ("ended", "drained", False), ("failed", "truncated", True), ("failed", "codec", True),
     ("failed", "worker_died", False), ("failed", "permission", False)],
)  # fmt: skip
def test_a_recording_is_done_when_reading_it_again_would_bring_no_more(tmp_path, state, reason, done):
    (tmp_path / "a.mp4").write_bytes(b"video")
    job = Job({"a": []}, {"a": 100}, {"a": tmp_path / "a.mp4"})
    sink, numbering = DirectorySink(OutputConfig(directory=str(tmp_path / "out")), run_of("run1", job)), Numbering("run1")
    sink.write(numbering.stamp(stream_event("a", state, reason)), [])
    sink.close("failed")
    assert set(plan(tmp_path / "out", job).done) == ({"a"} if done else set())


def test_cameras_keep_everything_that_is_whole(tmp_path):
    job, numbering = Job({}, {}, {}), Numbering("run1")
    sink = DirectorySink(OutputConfig(directory=str(tmp_path)), run_of("run1", job))
    for index in range(5):
        message, payloads = face("gate", track_id=index + 1, index=index)
        sink.write(numbering.stamp(message), payloads)
    sink._close_files()
    (tmp_path / "faces/gate/3/000002_original.jpg").write_bytes(b"short")
    os.truncate(tmp_path / "faces.jsonl", (tmp_path / "faces.jsonl").stat().st_size - 10)
    resume = plan(tmp_path, job)
    assert (resume.kept, resume.dropped, resume.first_track_id) == ((3, 0), (0, 0), 5)
    sink = DirectorySink(OutputConfig(directory=str(tmp_path)), run_of("run2", job), resume=resume)
    message, payloads = face("gate", track_id=resume.first_track_id, index=9)
    sink.write(Numbering("run2").stamp(message), payloads)
    sink.close("drained")
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [line["frame_index"] for line in lines] == [0, 1, 3, 9]
    assert check_records(tmp_path).broken == set()


def test_another_publisher_of_the_same_run_goes_on_numbering(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "MARK_BYTES", 3000)
    job, numbering = Job({}, {}, {}), Numbering("run1")
    sink = DirectorySink(OutputConfig(directory=str(tmp_path)), run_of("run1", job))
    for index in range(12):
        message, payloads = face("gate", track_id=4, index=index)
        sink.write(numbering.stamp(message), payloads)
    sink.write(numbering.stamp(stream_event("yard")), [])
    sink._close_files()
    with (tmp_path / "faces.jsonl").open("ab") as file:
        file.write(b'{"kind":"face","run_id":"ru')
    marks = [json.loads(line) for line in (tmp_path / "progress.jsonl").read_text().splitlines()]
    assert marks[-1]["sizes"]["faces.jsonl"] > 6000
    resume = reopen(tmp_path)
    assert (resume.next_seq, resume.first_track_id) == ({"face/gate": 13, "stream/yard": 2}, 5)
    sink, numbering = (
        DirectorySink(OutputConfig(directory=str(tmp_path)), run_of("run1", job), resume=resume),
        Numbering("run1", resume.next_seq),
    )
    message, payloads = face("gate", track_id=4, index=20)
    sink.write(numbering.stamp(message), payloads)
    sink.close("completed")
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert [line["seq"] for line in lines] == [*range(12), 13]
    assert [entry["outcome"] for entry in json.loads((tmp_path / "run.json").read_text())["attempts"]] == ["completed"]
    assert check_records(tmp_path).broken == set()


def test_further_recordings_may_have_come(tmp_path):
    job, directory = Job.random(5, tmp_path), tmp_path / "out"
    attempt(directory, job, 1)
    more = Job.random(5, tmp_path)
    more.segments["new"], more.lengths["new"] = more.segments["rec0"], 10
    more.recordings["new"] = tmp_path / "new.mp4"
    more.recordings["new"].write_bytes(b"new")
    assert plan(directory, more).first_frames == {"new": 0}
    attempt(directory, more, 2)
    check_whole(directory, more)


def test_embeddings_of_all_kept_lines_are_their_own(tmp_path):
    job, directory = Job.random(9, tmp_path), tmp_path / "out"
    cut_somewhere(directory, job, 1, 25)
    os.truncate(directory / "embeddings_128.f32", (directory / "embeddings_128.f32").stat().st_size - 100)
    attempt(directory, job, 2)
    rows = np.fromfile(directory / "embeddings_128.f32", "<f4").reshape(-1, 128)
    assert np.isfinite(rows).all()
    check_whole(directory, job)


def test_within_a_run_a_recording_that_has_changed_is_begun_anew_and_ends_nothing(tmp_path):
    """A user who resumes is told; a run that goes on by itself, after the death of a worker, has others to care for."""
    job, directory = Job.random(3, tmp_path), tmp_path / "out"
    cut_somewhere(directory, job, 3, 12)
    begun = {stream for stream, first in plan(directory, job).first_frames.items() if first > 0}
    assert begun
    stream = min(begun)
    job.recordings[stream].write_bytes(b"another")
    about = {"config": CONFIG, "versions": VERSIONS}
    with pytest.raises(ConfigError, match="has changed its size"):
        plan_resume(directory, about, recordings_of(job))
    resume = plan_resume(directory, about, recordings_of(job), same_run=True)
    assert resume is not None
    assert {name: first for name, first in resume.first_frames.items() if first > 0}.keys() == begun - {stream}
    assert stream not in resume.inputs
    job.recordings[stream].unlink()
    again = plan_resume(directory, about, recordings_of(job), same_run=True)
    assert again is not None
    assert again.first_frames[stream] == 0

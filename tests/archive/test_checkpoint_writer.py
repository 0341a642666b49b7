import json
import resource
import signal

import pytest

from engine.archive import checkpoint_writer
from engine.archive.resume import reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.errors import PublishError
from engine.publish.numbering import Numbering
from tests.archive.jobs import Job, plan, run_of
from tests.publish.samples import face, stream_event, track


@pytest.fixture
def job(tmp_path):
    recordings = {name: tmp_path / f"{name}.mp4" for name in ("a", "b")}
    for path in recordings.values():
        path.write_bytes(b"video")
    return Job({}, {}, recordings)


def opened(directory, job, run_id="run1", **options):
    return DirectorySink(OutputConfig(directory=str(directory)), run_of(run_id, job), **options), Numbering(run_id)


def notes(directory):
    return [json.loads(line) for line in (directory / "progress.jsonl").read_text().splitlines()]


def write_checkpoints(sink, written):
    for frame in range(100):
        sink.checkpoint("a", frame, 1)
        written.append(frame)


def test_checkpoints_are_held_back_and_the_newest_is_written(tmp_path, job, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 3600.0)
    sink, _ = opened(tmp_path / "out", job)
    for frame in range(5):
        sink.checkpoint("a", frame, 1)
    assert not (tmp_path / "out/progress.jsonl").exists()
    sink.close("drained")
    assert [note["frame_index"] for note in notes(tmp_path / "out")] == [4]


def test_a_held_checkpoint_is_written_when_its_time_has_come(tmp_path, job, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 3600.0)
    sink, numbering = opened(tmp_path / "out", job)
    sink.checkpoint("a", 7, 1)
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
    message, payloads = face("b", track_id=1)
    sink.write(numbering.stamp(message), payloads)
    assert [note["frame_index"] for note in notes(tmp_path / "out")] == [7]
    sink.close("drained")


def test_a_checkpoint_counts_the_lines_before_it(tmp_path, job, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
    sink, numbering = opened(tmp_path / "out", job)
    for message, payloads in (
        face("a", 1),
        face("a", 1, 2),
        track("a", 1, ended=False),
        face("b", 2),
        face("a", 4, 9),
        track("a", 1),
    ):
        sink.write(numbering.stamp(message), payloads)
    sink.checkpoint("a", 5, 3)
    sink.checkpoint("a", 10, 5)
    sink.write(numbering.stamp(stream_event("a", "ended", "end_of_file")), [])
    sink.close("completed")
    assert [(note["kind"], note["faces"], note["tracks"]) for note in notes(tmp_path / "out")] == [
        ("checkpoint", 2, 2), ("checkpoint", 3, 2), ("done", 3, 2)
    ]  # fmt: skip


def test_nothing_is_vouched_for_after_a_loss(tmp_path, job, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 3600.0)
    sink, numbering = opened(tmp_path / "out", job)
    sink.checkpoint("a", 5, 1)
    sink.stop_vouching()
    sink.checkpoint("a", 9, 1)
    sink.write(numbering.stamp(stream_event("b", "ended", "end_of_file")), [])
    sink.close("failed")
    assert plan(tmp_path / "out", job).first_frames == {"a": 6, "b": 0}


def test_nothing_is_vouched_for_after_a_restart_of_the_publisher(tmp_path, job, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
    sink, _ = opened(tmp_path / "out", job)
    sink.checkpoint("a", 5, 1)
    sink._close_files()
    sink, numbering = opened(tmp_path / "out", job, resume=reopen(tmp_path / "out"))
    sink.checkpoint("a", 9, 1)
    sink.write(numbering.stamp(stream_event("b", "ended", "end_of_file")), [])
    sink.close("completed")
    assert plan(tmp_path / "out", job).first_frames == {"a": 6, "b": 0}


def test_what_could_not_be_written_is_found_again_by_resuming(tmp_path, job):
    """The run went on for its subscribers: nothing after the loss counts, nor a checkpoint that was held back before it."""
    sink, numbering = opened(tmp_path / "out", job)
    sink.checkpoint("a", 5, 1)
    sink.note_loss()
    sink.checkpoint("a", 9, 1)
    sink.write(numbering.stamp(stream_event("a", "ended", "end_of_file")), [])
    sink.close("failed")
    assert plan(tmp_path / "out", job).first_frames == {"a": 0, "b": 0}


def test_a_disk_that_is_full_at_a_checkpoint_is_one_sentence(tmp_path, job, monkeypatch):
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
    sink, _ = opened(tmp_path / "out", job)
    written, handler = [], signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        with pytest.raises(PublishError, match=r"cannot write to the output directory .*: File too large"):
            write_checkpoints(sink, written)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    sink._close_files()
    assert 3 < len(written) < 99
    assert plan(tmp_path / "out", job).first_frames == {"a": written[-1] + 1, "b": 0}


def test_a_recording_of_another_content_is_refused_when_it_is_read(tmp_path, job):
    sink, _ = opened(tmp_path / "out", job)
    sink.record_input("a", str(job.recordings["a"]), 5, "ab" * 32, job.recordings["a"].stat().st_mtime_ns)
    sink.checkpoint("a", 5, 1)
    sink.close("drained")
    resume = plan(tmp_path / "out", job)
    assert resume.inputs["a"]["sha256"] == "ab" * 32
    sink, _ = opened(tmp_path / "out", job, "run2", resume=resume)
    sink.record_input("a", str(job.recordings["a"]), 5, "ab" * 32, job.recordings["a"].stat().st_mtime_ns)
    with pytest.raises(PublishError, match=r"a.mp4 \(stream a\) has changed its content"):
        sink.record_input("a", str(job.recordings["a"]), 5, "cd" * 32, 1)
    sink.close("failed")


def test_a_checkpoint_without_a_track_id_is_a_mistake_of_the_caller(tmp_path, job):
    sink, _ = opened(tmp_path / "out", job)
    with pytest.raises(ValueError, match="next track id"):
        sink.checkpoint("a", 5, 0)
    sink.close("failed")

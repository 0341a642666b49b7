from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.archive.reader import FaceLine
from engine.archive.writer import DirectorySink
from engine.client import load_run
from engine.config import OutputConfig
from engine.errors import PublishError
from engine.publish.numbering import Numbering
from tests.publish.samples import face, stream_event, track


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    numbering, sink = Numbering("run1"), DirectorySink(OutputConfig(directory=str(tmp_path / "out")), {"run_id": "run1"})
    sink.write(numbering.stamp(stream_event("cam1")), [])
    for index in range(3):
        message, payloads = face("cam1", track_id=3, index=index, score=index / 10)
        sink.write(numbering.stamp(message), payloads)
    for ended, track_id in ((False, 3), (True, 3), (False, 4)):
        message, payloads = track("cam1", track_id=track_id, ended=ended)
        sink.write(numbering.stamp(message), payloads)
    sink.close("completed")
    return tmp_path / "out"


def test_a_run_is_what_was_written(directory: Path) -> None:
    run = load_run(str(directory))
    assert run.run_id == "run1"
    assert run.record["outcome"] == "completed"
    assert run.inputs == {}
    faces = list(run.faces())
    assert [line.face.seq for line in faces] == [0, 1, 2]
    assert run.path(faces[0], "original") == directory / "faces/cam1/3/000000_original.jpg"
    assert run.path(faces[0], "track") is None
    assert [event.state for event in run.streams()] == ["live"]


def test_a_track_has_one_last_word_and_interim_ones(directory: Path) -> None:
    run = load_run(directory)
    assert [(line.track.track_id, line.track.ended) for line in run.tracks()] == [(3, True), (4, False)]
    assert len(list(run.track_messages())) == 3


def test_vectors_are_arrays_with_the_keys_of_their_tracks(directory: Path) -> None:
    run = load_run(directory)
    (vectors,) = run.face_vectors()
    assert vectors.rows.shape == (3, 128)
    assert vectors.keys == [("cam1", 3)] * 3
    np.testing.assert_array_equal(vectors.rows[1], np.linspace(-1, 1, 128, dtype=np.float32))
    (fused,) = run.track_vectors()
    assert fused.keys == [("cam1", 3), ("cam1", 4)]


def test_what_has_expired_is_none(directory: Path) -> None:
    path = directory / "embeddings_128.f32"
    path.write_bytes(bytes(128 * 4) + path.read_bytes()[128 * 4 : 2 * 128 * 4])
    run = load_run(directory)
    first, second, third = run.faces()
    assert run.vector(first) is None
    assert run.vector(third) is None
    assert run.vector(second) is not None
    (directory / "faces/cam1/3/000001_original.jpg").unlink()
    assert run.path(second, "original") is None


def test_pictures_are_arrays_as_far_as_they_can_be_read(directory: Path) -> None:
    run = load_run(directory)
    first, second, third = run.faces()
    original, enhanced = (run.picture(first, part) for part in ("original", "enhanced"))
    assert original is not None
    assert enhanced is not None
    assert (original.shape, enhanced.shape, enhanced.dtype) == ((32, 32, 3), (128, 128, 3), np.uint8)
    assert run.picture(first, "track") is None
    (directory / second.files["original"]).write_bytes(b"no picture")
    assert run.picture(second, "original") is None
    outside = FaceLine(third.face, {"original": "../secret.jpg"})
    (directory.parent / "secret.jpg").write_bytes((directory / third.files["original"]).read_bytes())
    assert run.path(outside, "original") is None
    assert run.picture(outside, "original") is None


def test_a_file_of_vectors_that_is_none_is_named(directory: Path) -> None:
    lines = (directory / "faces.jsonl").read_text().replace("embeddings_128.f32", "../run.json")
    (directory / "faces.jsonl").write_text(lines)
    with pytest.raises(PublishError, match=r"'\.\./run\.json' is not a file of vectors of a run"):
        load_run(directory).rows("../run.json")


@pytest.mark.parametrize(
    "place",
    [("../run.json", 0), ("embeddings_128.f32", -1), ("embeddings_128.f32", 10**20), ("embeddings_7.f32", 0),
     ("embeddings_0.f32", 0), ("embeddings_" + "9" * 5000 + ".f32", 0), ("linked_128.f32", 0), ("embeddings_64.f32", 0)],
)  # fmt: skip
def test_a_vector_that_lies_nowhere_is_none_and_the_others_are_there(directory: Path, place: tuple[str, int]) -> None:
    (directory / "embeddings_64.f32").symlink_to("embeddings_128.f32")
    path = directory / "faces.jsonl"
    first, *others = path.read_text().splitlines(keepends=True)
    where = '"embedding":{"file":"embeddings_128.f32","row":0}'
    assert where in first
    path.write_text(first.replace(where, f'"embedding":{{"file":"{place[0]}","row":{place[1]}}}') + "".join(others))
    run = load_run(directory)
    assert [run.vector(line) is None for line in run.faces()] == [True, False, False]
    (vectors,) = run.face_vectors()
    assert vectors.rows.shape == (2, 128)


def test_a_stream_that_cannot_be_is_passed_over(directory: Path) -> None:
    for name in ("faces", "tracks", "stream"):
        path = directory / f"{name}.jsonl"
        first, *others = path.read_text().splitlines(keepends=True)
        path.write_text(first.replace('"cam1"', '"../../pwn"') + "".join(others))
    run = load_run(directory)
    assert len(list(run.faces())) == 2
    assert len(list(run.track_messages())) == 2
    assert list(run.streams()) == []


def test_what_is_said_after_the_end_of_a_track_does_not_count(directory: Path) -> None:
    path = directory / "tracks.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[1], lines[0]]))
    assert [(line.track.track_id, line.track.ended) for line in load_run(directory).tracks()] == [(3, True), (4, False)]


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="is not the output directory of a run"):
        load_run(tmp_path)

import hashlib

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.recording import Recording
from engine.report.pdf.source_frames import Sources
from tests.publish.samples import as_sent, face


@pytest.fixture
def recording(tmp_path):
    """Five pictures, each brighter than the one before; and what a run says of them."""
    folder = tmp_path / "seq"
    folder.mkdir()
    for number in range(5):
        Image.fromarray(np.full((36, 64, 3), 40 * number, np.uint8)).save(folder / f"{number}.png")
    pictures = tuple(sorted(folder.iterdir()))
    found = Recording("seq", folder, pictures)
    return found, {"inputs": {"seq": found.facts() | {"sha256": found.sha256()}}}


def a_record(index, stream="seq"):
    message = as_sent(face(stream=stream, track_id=index, index=index)[0])
    return TrackRecord(stream, index, faces=[FaceLine(message, {})])


def read(tmp_path, run, *records):
    kept = tmp_path / "frames"
    kept.mkdir()
    sources = Sources(tmp_path / "run", run, kept)
    told = []
    sources.read(records, told.append)
    return sources, told


def grey(frame):
    return int(cv2.imdecode(np.frombuffer(frame.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean())


def test_the_frame_of_each_track_comes_from_the_recording(tmp_path, recording):
    records = [a_record(3), a_record(1)]
    sources, told = read(tmp_path, recording[1], *records)
    assert [grey(sources.frame(record)) for record in records] == pytest.approx([120, 40], abs=3)
    assert sources.states == {"seq": "same"}
    assert told == ["recording 1 of 1: seq"]


def test_another_recording_of_the_same_size_gives_no_frame(tmp_path, recording):
    last = recording[0].pictures[-1]
    last.write_bytes(last.read_bytes()[:-1] + b"x")
    sources, _ = read(tmp_path, recording[1], record := a_record(1))
    assert sources.states == {"seq": "other"}
    assert sources.frame(record) is None


@pytest.mark.parametrize("said", [{}, {"sha256": ""}])
def test_of_a_recording_that_nobody_has_hashed_no_frame_is_shown(tmp_path, recording, said):
    found, _ = recording
    sources, _ = read(tmp_path, {"inputs": {"seq": found.facts() | said}}, record := a_record(1))
    assert sources.states == {"seq": "not hashed"}
    assert sources.frame(record) is None


def test_the_name_of_a_stream_leads_to_no_other_folder(tmp_path, recording):
    stream = "../seq"
    run = {"inputs": {stream: recording[1]["inputs"]["seq"]}}
    sources, _ = read(tmp_path, run, record := a_record(1, stream))
    assert grey(sources.frame(record)) == pytest.approx(40, abs=3)
    assert [path.name for path in tmp_path.glob("*.jpg")] == []


def test_a_recording_that_is_gone_or_of_another_size_is_told_apart(tmp_path, recording):
    found, run = recording
    for picture in found.pictures:
        picture.write_bytes(picture.read_bytes() + b"x")
    sources, _ = read(tmp_path, run, record := a_record(1))
    assert sources.states == {"seq": "other"}
    assert sources.frame(record) is None


def test_a_recording_that_is_gone_gives_no_frame(tmp_path, recording):
    recording[0].path.rename(tmp_path / "away")
    sources, _ = read(tmp_path, recording[1], record := a_record(1))
    assert sources.states == {"seq": "gone"}
    assert sources.frame(record) is None


def test_a_recording_is_not_opened_where_faces_were_to_be_hidden(tmp_path, recording):
    run = recording[1] | {"config": {"publish": {"redact": "blur"}}}
    sources, _ = read(tmp_path, run, record := a_record(1))
    assert sources.states == {"seq": "same"}
    assert sources.frame(record) is None


def test_a_frame_that_the_run_kept_goes_first(tmp_path, recording):
    name = "faces/seq/1/000000_scene.jpg"
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(cv2.imencode(".jpg", np.full((36, 64, 3), 200, np.uint8))[1].tobytes())
    record = a_record(1)
    line = record.faces[0]
    named = as_sent(face(stream="seq", track_id=1, index=1)[0], width_px=64, height_px=36)
    record.faces = [FaceLine(named, {"scene": name})]
    sources, _ = read(tmp_path, recording[1], record)
    frame = sources.frame(record)
    assert grey(frame) == pytest.approx(200, abs=3)
    assert frame.is_reduced
    assert line.face.frame_index == frame.line.face.frame_index == 1
    assert hashlib.sha256(frame.jpeg).hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()

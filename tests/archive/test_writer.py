import hashlib
import json
import os
import resource
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.errors import ConfigError, PublishError
from engine.publish.numbering import Numbering
from tests.publish.samples import end, environment, face, stream_event, track


def sink(directory, run=None, **options):
    return DirectorySink(OutputConfig(directory=str(directory)), run or {"run_id": "run1"}, **options)


def write_run(directory, faces=5, streams=("cam1",)):
    numbering, written = Numbering("run1"), sink(directory)
    for name in streams:
        written.write(numbering.stamp(stream_event(name)), [])
        for index in range(faces):
            message, payloads = face(name, track_id=3, index=index, score=index / 10)
            written.write(numbering.stamp(message), payloads)
        message, payloads = track(name, track_id=3)
        written.write(numbering.stamp(message), payloads)
    written.write(numbering.stamp(end()), [])
    written.close("completed", {"counters": {"faces": faces}})


def write_faces(written, numbering, count):
    for index in range(count):
        message, payloads = face(index=index)
        written.write(numbering.stamp(message), payloads)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_faces_are_written_as_they_were_sent(tmp_path):
    write_run(tmp_path / "out")
    faces = lines(tmp_path / "out/faces.jsonl")
    assert [line["seq"] for line in faces] == list(range(5))
    for line in faces:
        assert line["kind"] == "face"
        assert line["files"]["original"] == f"faces/cam1/3/{line['seq']:06d}_original.jpg"
        for part in line["parts"][:2]:
            payload = (tmp_path / "out" / line["files"][part["name"]]).read_bytes()
            assert hashlib.sha256(payload).hexdigest() == part["sha256"]
            assert list(cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR).shape) == part["shape"]


@pytest.mark.parametrize(
    ("form", "payload"),
    [
        ({"shape": ()}, b""),
        ({"shape": (64,)}, None),
        ({"shape": (-128,)}, None),
        ({"shape": (0,)}, b""),
        ({"dtype": "float16"}, None),
        ({"codec": "zstd"}, b"x"),
    ],
)
def test_an_embedding_in_another_form_is_a_file_of_its_own_and_no_row(tmp_path, form, payload):
    """`watch --save` ended with an IndexError or a ZeroDivisionError, or wrote rows among which none can be found."""
    written, numbering = sink(tmp_path), Numbering("run1")
    message, payloads = track(track_id=3)
    message = replace(message, parts=[replace(message.parts[0], **form)])
    content = payloads[0] if payload is None else payload
    written.write(numbering.stamp(message), [content])
    written.close("completed")
    (line,) = lines(tmp_path / "tracks.jsonl")
    assert line.get("embedding") is None
    assert (tmp_path / line["files"]["embedding"]).read_bytes() == content
    assert list(tmp_path.glob("embeddings_*")) == []


def test_embeddings_are_rows_of_one_file(tmp_path):
    write_run(tmp_path)
    rows = np.fromfile(tmp_path / "embeddings_128.f32", "<f4").reshape(-1, 128)
    assert [line["embedding"]["row"] for line in lines(tmp_path / "faces.jsonl")] == [0, 1, 2, 3, 4]
    [line] = lines(tmp_path / "tracks.jsonl")
    assert line["embedding"] == {"file": "embeddings_128.f32", "row": 5}
    np.testing.assert_array_equal(rows[5], np.linspace(1, -1, 128, dtype=np.float32))
    np.testing.assert_array_equal(rows[0], np.linspace(-1, 1, 128, dtype=np.float32))


def test_run_json_tells_running_then_how_it_ended(tmp_path):
    run = {"run_id": "run1", "config": {"sources": [{"uri": "rtsp://user:p@ss@host/live"}]}}
    written = sink(tmp_path, run)
    started = json.loads((tmp_path / "run.json").read_text())
    assert started["outcome"] == "running"
    assert started["config"]["sources"][0]["uri"] == "rtsp://host/live"
    written.close("drained", {"counters": {"faces": 2}, "inputs": {"cam1": {"sha256": "ab"}}})
    ended = json.loads((tmp_path / "run.json").read_text())
    assert (ended["outcome"], ended["counters"], ended["inputs"]) == ("drained", {"faces": 2}, {"cam1": {"sha256": "ab"}})
    assert ended["ended_ns"] >= ended["started_ns"] == started["started_ns"]
    assert [attempt["outcome"] for attempt in ended["attempts"]] == ["drained"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "chain.jsonl",
        "faces.jsonl",
        "run.json",
        "stream.jsonl",
        "tracks.jsonl",
    ]


def test_a_directory_with_a_run_is_refused_unless_told(tmp_path):
    write_run(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"already holds a run \(run.json\): choose another one, or replace"):
        sink(tmp_path)
    assert len(lines(tmp_path / "faces.jsonl")) == 5
    sink(tmp_path, overwrite=True).close("completed")
    assert not (tmp_path / "faces").exists()
    assert not (tmp_path / "embeddings_128.f32").exists()
    assert (tmp_path / "faces.jsonl").read_bytes() == b""
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match=r"cannot write to the output directory .*/file/out: Not a directory"):
        sink(tmp_path / "file/out")
    with pytest.raises(PublishError, match="cannot write to the output directory"):
        sink("/proc/facestream")


@pytest.mark.parametrize("name", [".", ".."])
def test_a_stream_named_like_a_parent_folder_stays_inside(tmp_path, name):
    write_run(tmp_path / "out", streams=(name,))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    for line in lines(tmp_path / "out/faces.jsonl"):
        assert (tmp_path / "out" / line["files"]["original"]).resolve().is_relative_to(tmp_path / "out/faces")


@pytest.mark.parametrize("name", ["../../out", "/out", "a/b", "..", "a\0b", "", "a" * 33, "Track\n"])
def test_a_part_whose_name_leads_elsewhere_is_not_written(tmp_path, name):
    message, payloads = face()
    odd = replace(message, parts=[replace(message.parts[0], name=name), *message.parts[1:]])
    written = sink(tmp_path / "result")
    with pytest.raises(PublishError, match="a part is called"):
        written.write(Numbering("run1").stamp(odd), payloads)
    written.close("failed", {})
    assert [path for path in tmp_path.rglob("*") if path.parent != tmp_path / "result"] == [tmp_path / "result"]


def test_a_part_that_only_a_later_version_knows_is_written(tmp_path):
    message, payloads = face()
    later = replace(message, parts=[replace(message.parts[0], name="depth", codec="webp"), *message.parts[1:]])
    written = sink(tmp_path)
    written.write(Numbering("run1").stamp(later), payloads)
    written.close("completed", {})
    assert next(tmp_path.glob("faces/*/*/*_depth.bin")).read_bytes() == payloads[0]


def test_a_full_disk_is_one_sentence_and_leaves_whole_lines(tmp_path):
    numbering, written = Numbering("run1"), sink(tmp_path)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(PublishError, match="cannot write to the output directory"):
            write_faces(written, numbering, 50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    faces = lines(tmp_path / "faces.jsonl")
    assert 3 < len(faces) < 50
    assert all((tmp_path / name).is_file() for line in faces for name in line["files"].values())
    written.close("failed")
    assert json.loads((tmp_path / "run.json").read_text())["outcome"] == "failed"


def test_a_killed_run_keeps_what_it_had_written(tmp_path):
    code = (
        "import sys; from tests.archive.test_writer import sink; from tests.publish.samples import face\n"
        "from engine.publish.numbering import Numbering\n"
        "numbering, written = Numbering('run1'), sink(sys.argv[1])\n"
        "for index in range(20):\n"
        "    message, payloads = face(index=index); written.write(numbering.stamp(message), payloads)\n"
        "print('written', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()) as process:
        assert process.stdout.readline() == b"written\n"
        os.kill(process.pid, signal.SIGKILL)
    faces = lines(tmp_path / "out/faces.jsonl")
    assert [line["seq"] for line in faces] == list(range(20))
    assert json.loads((tmp_path / "out/run.json").read_text())["outcome"] == "running"

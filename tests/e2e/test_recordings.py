"""The main job with real parts: decoder processes, sockets, a subscriber in another process."""

from __future__ import annotations

import json
import multiprocessing as mp
import re
from pathlib import Path

import av
import pytest

from engine.exhibit import verify
from engine.reproduction import reproduce
from tests.assets import shared
from tests.e2e.conftest import Clip, facestream
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.e2e

FAST = ["--every", "5", "--embedder", "none", "--policy", "every"]
"""dlib's detector is slow: every fifth frame is enough to prove the way."""


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def subscribe(endpoint: str, results) -> None:
    """Body of the subscriber's process: report everything that comes until ``end``."""
    from engine.client import Gap, Subscriber

    gaps, faces, order, outcome = 0, [], [], ""
    with Subscriber(endpoint, socket="pull", timeout_seconds=PATIENCE_SECONDS) as subscriber:
        for item in subscriber:
            if isinstance(item, Gap):
                gaps += 1
                continue
            message = item.message
            kind = message.__struct_config__.tag
            order.append(f"{kind}:{getattr(message, 'state', '')}")
            if kind == "face":
                faces.append((message.stream, message.seq, [part.sha256 for part in message.parts]))
                assert item.image().shape[0] > 0
            if kind == "end":
                outcome = message.outcome
    results.put((gaps, faces, order, outcome))


def run_with_subscriber(tmp_path: Path, *arguments: object) -> tuple[int, list, list[str], str]:
    """Run with a push socket and a subscriber in another process; returns what that one saw."""
    endpoint = f"ipc://{tmp_path}/faces"
    context = mp.get_context("spawn")
    results = context.Queue()
    reader = context.Process(target=subscribe, args=(endpoint, results), daemon=True)
    reader.start()
    settings = tmp_path / "settings.yaml"
    settings.write_text("publish:\n  embeddings: true\n")
    done = facestream("run", settings, "--out", tmp_path / "out", "--publish", endpoint, "--socket", "push", *arguments)
    assert done.returncode == 0, done.stderr
    seen = results.get(timeout=PATIENCE_SECONDS)
    reader.join(PATIENCE_SECONDS)
    return seen


def recorded_faces(directory: Path) -> list[tuple[str, int, list[str]]]:
    return [
        (line["stream"], line["seq"], [part["sha256"] for part in line["parts"] if part["name"] != "scene"])  # is not sent
        for line in lines_of(directory / "faces.jsonl")
    ]


def test_push_delivers_exactly_what_the_files_record(clip: Clip, tmp_path: Path):
    gaps, faces, order, outcome = run_with_subscriber(tmp_path, "--source", clip.video, *FAST)
    recorded = recorded_faces(tmp_path / "out")
    assert len(recorded) > 10
    assert gaps == 0
    assert faces == recorded
    assert [seq for _, seq, _ in faces] == list(range(len(faces)))
    assert outcome == "completed"
    events = [event for event in order if event.startswith(("stream", "end"))]
    assert events == ["stream:connecting", "stream:live", "stream:ended", "end:"]
    assert order[-1] == "end:"
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    facts = {key: value for worker in run["workers"].values() for key, value in worker.items() if key.endswith("_runtime")}
    assert sorted(facts) == ["detector_runtime", "fuser_runtime", "generator_runtime", "second_look_runtime"]  # no embedder
    assert all(re.fullmatch(r"onnxruntime \S+ CPUExecutionProvider float32", facts[key]) for key in facts)
    assert run["outcome"] == "completed"
    assert run["counters"]["faces"] == len(recorded)
    assert run["counters"]["published"] >= len(recorded)
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    found = verify(tmp_path / "out")
    assert (found.faults, found.attempts) == ([], [run["run_id"]])
    assert [note for note in found.notes if not note.startswith("report.html")] == []
    track_id = next(line["track_id"] for line in lines_of(tmp_path / "out" / "tracks.jsonl") if line.get("picture"))
    told = reproduce(tmp_path / "out", track_id, whole=True)
    assert (told.is_equal, told.differences) == (True, []), "what processes made side by side, made again in one"


def beginning(video: Path, out: Path, seconds: float) -> Path:
    """Copy the first seconds of a recording, as they are."""
    with av.open(str(video)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is None or packet.dts * packet.time_base > seconds:
                break
            packet.stream = stream
            target.mux(packet)
    return out


def test_push_delivers_real_footage_whole(tmp_path: Path):
    """Three signers, and a woman who is seen from behind, every frame, two recordings at a time."""
    street = beginning(shared("video/one-by-one-person-detection.mp4"), tmp_path / "street.mp4", seconds=20)
    signers = sorted(shared("video").glob("asl_*.mkv"))[:3]
    sources = [argument for video in [street, *signers] for argument in ("--source", video)]
    model = shared("models/face_detection_yunet_2023mar.onnx")
    gaps, faces, order, outcome = run_with_subscriber(tmp_path, *sources, "--detector", model, "--embedder", "none")
    assert (gaps, outcome) == (0, "completed")
    assert faces == recorded_faces(tmp_path / "out")
    for stream in {stream for stream, _, _ in faces}:
        assert [seq for name, seq, _ in faces if name == stream] == list(range(sum(name == stream for name, _, _ in faces)))
    assert {stream for stream, _, _ in faces} == {video.stem for video in signers}
    assert order.count("stream:ended") == 1 + len(signers)


def test_two_recordings_and_one_that_is_no_video(clip: Clip, tmp_path: Path):
    """One stream fails, the others go on, and the exit code says so."""
    bad = tmp_path / "notes.mp4"
    bad.write_text("this is not a video", encoding="utf-8")
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clip.video.read_bytes())
    done = facestream(
        "run", "--source", clip.video, "--source", bad, "--source", copy, "--out", tmp_path / "out",
        "--every", "25", "--embedder", "none",
    )  # fmt: skip
    assert done.returncode == 1
    assert "notes failed (not_a_video)" in done.stderr
    assert "Traceback" not in done.stderr
    streams = lines_of(tmp_path / "out" / "stream.jsonl")
    last = {line["stream"]: line["state"] for line in streams}
    assert last == {"sample": "ended", "notes": "failed", "copy": "ended"}
    faces = {line["stream"] for line in lines_of(tmp_path / "out" / "faces.jsonl")}
    assert faces == {"sample", "copy"}
    tracks = [(line["stream"], line["track_id"]) for line in lines_of(tmp_path / "out" / "tracks.jsonl") if line["ended"]]
    assert len({track_id for _, track_id in tracks}) == len(tracks), "ids are unique over the streams"


def test_real_footage_through_the_whole_of_it(tmp_path: Path):
    """YuNet on a signer: one face in each frame, one or a few tracks."""
    video = shared("video/asl_eat.mkv")
    model = shared("models/face_detection_yunet_2023mar.onnx")
    done = facestream(
        "run", "--source", video, "--out", tmp_path / "out", "--detector", model, "--every", "3", "--policy", "best"
    )
    assert done.returncode == 0, done.stderr
    faces, tracks = (lines_of(tmp_path / "out" / name) for name in ("faces.jsonl", "tracks.jsonl"))
    assert faces
    assert 1 <= len([track for track in tracks if track["ended"]]) <= 2
    assert all(30 < face["quality"]["size_px"] < 100 for face in faces)
    assert all(10 < face["quality"]["qp"] < 51 for face in faces)
    names = ("enhanced", "original", "embedding", "scene")
    assert all(part["name"] in names for face in faces for part in face["parts"])
    assert len([face for face in faces if "scene" in face["files"]]) == len({face["track_id"] for face in faces}), (
        "of each best"
    )


def test_no_face_in_traffic(tmp_path: Path):
    video = shared("video/car-detection.mp4")
    model = shared("models/face_detection_yunet_2023mar.onnx")
    done = facestream(
        "run", "--source", video, "--out", tmp_path / "out", "--detector", model, "--every", "10", "--skip-frame", "nonref"
    )
    assert done.returncode == 0, done.stderr
    assert lines_of(tmp_path / "out" / "faces.jsonl") == []

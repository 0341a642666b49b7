"""A track that is made again is what was written, and what is not is told with how far it is from it."""

import json
import shutil
import socket

import cv2
import pytest

from engine.archive.reader import face_lines
from engine.cli.app import main
from engine.config import Config, DetectConfig, SuperResolveConfig
from engine.contracts.findings import Candidate
from engine.decode.hevc_qp import HevcQp
from engine.errors import PublishError, SourceError, UsageError
from engine.exhibit import verify
from engine.reproduction import reproduce
from engine.reproduction.compared import compared, scores_apart
from engine.reproduction.differences import computed_together
from engine.reproduction.recorded import recorded_track
from tests.decode.clips import X265
from tests.reproduction.result import video, write_result


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    return write_result(folder / "result", video(folder / "clip.mp4"), folder / "gallery.sqlite")


@pytest.fixture
def result(made, tmp_path):
    return shutil.copytree(made, tmp_path / "result")


def track_of(directory):
    return next(face_lines(directory, lambda stream, track_id: True)).face.track_id


def changed(directory, change):
    run = json.loads((directory / "run.json").read_text())
    change(run)
    (directory / "run.json").write_text(json.dumps(run))


def test_what_was_written_is_cut_again_from_a_recording_that_was_moved(result, made, tmp_path, capsys):
    moved, track = shutil.copy(made.parent / "clip.mp4", tmp_path / "moved.mp4"), str(track_of(result))
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", str(result), "--track", track, "--recording", str(moved)])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert f"track {track} of clip is equal: every picture byte for byte, every vector bit for bit" in said
    assert verify(result).faults == [], "nothing is written"


def test_it_is_found_and_followed_anew(result):
    told = reproduce(result, track_of(result), whole=True)
    assert (told.is_equal, told.is_within, told.differences, told.scores_compared) == (True, True, [], True)
    assert {part.part for part in told.parts} >= {"original", "enhanced", "embedding"}
    assert (told.stream, told.whole, told.faces >= 3) == ("clip", True, True)


@pytest.mark.parametrize("whole", [False, True])
def test_of_h265_that_was_read_before_its_compression_was_told_it_is_left_out(tmp_path, monkeypatch, whole):
    clip = video(tmp_path / "clip.mp4", 8, "libx265", X265)
    with monkeypatch.context() as then:
        then.setattr(HevcQp, "of", lambda self, picture: None)
        directory = write_result(tmp_path / "result", clip, tmp_path / "gallery.sqlite")
    heard = []
    told = reproduce(directory, track_of(directory), whole=whole, warn=heard.append)
    assert (told.is_equal, told.sightings) == (True, [])
    assert heard == told.differences == ["how strongly pictures of its codec are compressed was not read then, and is left out"]


def test_what_was_written_otherwise_is_near_or_far(result, capsys):
    first, second, third = sorted((result / "faces/clip").rglob("*_enhanced.jpg"))[:3]
    for path, quality in ((first, 90), (second, 1)):
        cv2.imwrite(str(path), cv2.imread(str(path)), [cv2.IMWRITE_JPEG_QUALITY, quality])
    third.unlink()
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", str(result), "--track", str(track_of(result)), "--json"])
    told = json.loads(capsys.readouterr().out)
    near, far, missing = [part for part in told["parts"] if part["how"] != "equal"]
    assert [part["how"] for part in (near, far, missing)] == ["near", "far", "missing"]
    assert near["psnr_db"] > 40 > far["psnr_db"]
    assert (told["equal"], told["within"], ended.value.code) == (False, False, 1)


def test_models_and_versions_that_are_others_are_named_before(result, tmp_path):
    def change(run):
        run["versions"] |= {"facestream": "0.0.1", "no-such-package": "3"}
        run["workers"]["enhance-1"] |= {"generator_sha256": "ab", "generator_runtime": "ncnn 1"}
        run["config"]["verify"]["gallery"] = str(tmp_path / "none.sqlite")

    changed(result, change)
    heard = []
    told = reproduce(result, track_of(result), warn=heard.append, progress=heard.append)
    assert [sentence for sentence in heard if isinstance(sentence, str)] == told.differences
    assert isinstance(heard[0], str), "before a frame is read"
    assert "no-such-package was 3, now it is not installed" in told.differences
    assert told.differences[0].startswith("facestream was 0.0.1, now it is ")
    assert any(sentence.startswith("the generator has the SHA-256") for sentence in told.differences)
    assert any("is computed by onnxruntime" in sentence and sentence.endswith("ncnn 1") for sentence in told.differences)
    assert (told.is_equal, told.scores_compared) == (True, False), "the files are the same all the same"
    assert not (tmp_path / "none.sqlite").exists(), "no gallery is made"


def test_it_is_computed_by_what_the_run_took_where_that_was_left_to_it(result):
    """What ``auto`` takes is measured, and another runtime's last digits are others."""

    def ran_by(detector, generator):
        def change(run):
            run["workers"]["perceive"]["detector_runtime"] = detector
            run["workers"]["enhance-1"]["generator_runtime"] = generator

        changed(result, change)
        config = recorded_track(result, track_of(result)).config
        return config.detect.runtime, config.super_resolve.runtime, config.super_resolve.precision

    measured = " (auto: onnxruntime 2 ms, openvino 3 ms)"
    assert ran_by(f"onnxruntime 1 CPUExecutionProvider float32{measured}", "onnxruntime 1 CPUExecutionProvider float32") == (
        "onnxruntime", "onnxruntime", "float32",
    )  # fmt: skip
    engine = "openvino 1 CPU int8 (passed)"
    assert ran_by("gone 1 CPU float32", engine) == ("auto", "auto", "auto"), "an engine is left to be chosen"
    changed(result, lambda run: run["config"]["detect"].update(runtime="openvino"))
    assert ran_by("onnxruntime 1 CPUExecutionProvider float32", engine)[0] == "openvino", "it was named"


def test_no_engine_is_taken_from_a_folder_that_the_record_of_a_stranger_names(result, tmp_path):
    changed(result, lambda run: run["config"]["super_resolve"].update(engines=str(result / "engines")))
    track = track_of(result)
    assert recorded_track(result, track).config.super_resolve.engines == "auto"
    assert recorded_track(result, track, engines=tmp_path).config.super_resolve.engines == str(tmp_path)
    changed(result, lambda run: run["config"]["super_resolve"].update(engines="none"))
    assert recorded_track(result, track).config.super_resolve.engines == "none"


def test_no_database_is_called_that_the_record_of_a_stranger_names(result):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        address = f"postgresql://127.0.0.1:{listening.getsockname()[1]}/gallery"
        changed(result, lambda run: run["config"]["verify"].update(gallery=address))
        told = reproduce(result, track_of(result))
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert told.is_within
    assert not told.scores_compared


def test_of_a_device_that_computes_what_comes_together_it_says_that_last_digits_may_differ():
    config = Config(detect=DetectConfig(device="cuda:0"), super_resolve=SuperResolveConfig(device="cuda:0"))
    assert [sentence.split(" on ")[0] for sentence in computed_together(config, whole=True)] == [
        "the generator computes", "the detector computes",
    ]  # fmt: skip
    [said] = computed_together(config, whole=False)
    assert said == "the generator computes on cuda:0 what comes together at once: what it gives may differ in its last digits"
    assert list(computed_together(Config(), whole=True)) == []


def test_another_recording_is_refused(result, made, tmp_path):
    whole = bytearray((made.parent / "clip.mp4").read_bytes())
    whole[-1] ^= 1
    (tmp_path / "other.mp4").write_bytes(whole)
    with pytest.raises(SourceError, match="is not the one that was read: its size is the same"):
        reproduce(result, track_of(result), recording=tmp_path / "other.mp4")
    with pytest.raises(SourceError, match="is not there: say where"):
        reproduce(result, track_of(result), recording=tmp_path / "nowhere.mp4")


def test_what_is_no_track_of_a_recording_is_refused(result, tmp_path):
    with pytest.raises(UsageError, match="holds no face of track 99"):
        reproduce(result, 99)
    with pytest.raises(UsageError, match="of the stream door"):
        reproduce(result, track_of(result), "door")
    changed(result, lambda run: run.update(inputs={}))
    with pytest.raises(UsageError, match="is of the camera clip: only what was recorded"):
        reproduce(result, track_of(result))
    changed(result, lambda run: run.update(inputs={"clip": {}}, config={"what": 1}))
    with pytest.raises(PublishError, match="are not understood"):
        reproduce(result, track_of(result))
    with pytest.raises(PublishError, match="is not the output directory of a run"):
        reproduce(tmp_path, 1)


def test_of_a_number_that_several_streams_have_it_is_asked_which(result):
    lines = (result / "faces.jsonl").read_text()
    others = lines.replace('"stream":"clip"', '"stream":"door"')
    assert others != lines
    (result / "faces.jsonl").write_text(others + lines)
    track = track_of(result)
    with pytest.raises(UsageError, match=f"^track {track} is one of clip, door: say which with --stream$"):
        recorded_track(result, track)
    assert {line.face.stream for line in recorded_track(result, track, "clip").faces} == {"clip"}


@pytest.mark.parametrize("whole", [[], ["--whole"]])
def test_of_a_track_that_a_kill_left_open_the_faces_are_compared(result, capsys, whole):
    *_, last = (json.loads(line) for line in (result / "tracks.jsonl").read_text().splitlines())
    interim = last | {"ended": False, "decision": "known"}
    (result / "tracks.jsonl").write_text(json.dumps(interim) + "\n")
    changed(result, lambda run: run["inputs"]["clip"].pop("sha256"))
    faces = (result / "faces.jsonl").read_text().splitlines(keepends=True)
    (result / "faces.jsonl").write_text("".join(faces[:2]))
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", str(result), "--track", str(last["track_id"]), *whole])
    said = capsys.readouterr().out
    assert ended.value.code == 0, said
    assert f"track {last['track_id']} has no final message in the result, as after a kill: only its faces were compared" in said
    assert f"track {last['track_id']} of clip is equal" in said
    assert "the run did not record the SHA-256 of the recording" in said


def test_vectors_and_pictures_of_another_kind_are_far():
    assert compared("face", 0, "embedding", b"\0" * 8, b"\1" * 8).how == "far"
    assert compared("face", 0, "embedding", b"\0" * 8, b"\1" * 4).cosine == 0.0
    assert compared("face", 0, "original", b"no", b"picture").psnr_db == 0.0
    assert compared("face", 0, "original", None, b"picture").how == "missing"


def test_scores_are_told_with_how_far_they_are_apart():
    then = Candidate("Ada", 0.9, 0.8), Candidate("Bob", 0.2, None)
    near = Candidate("Ada", 0.9, 0.803), Candidate("Bob", 0.2, None)
    far = Candidate("Ada", 0.9, 0.8), Candidate("Bob", 0.2, 0.3)
    assert scores_apart(("known", [*then]), ("known", [*then])) == ("", False)
    assert scores_apart(("known", [*then]), ("known", [*near])) == ("scores differ by up to 3.0e-03", False)
    assert scores_apart(("known", [*then]), ("known", [*far]))[1]
    assert scores_apart(("known", [*then]), ("unknown", [*then])) == ("the decision is unknown, and was known", True)
    assert scores_apart(("known", [*then]), ("known", [])) == ("the first candidate is nobody, and was Ada", True)

import os

import pytest

from engine.archive.same_job import check_same_models, check_same_recordings, check_same_settings, describe_inputs
from engine.contracts.recording import Recording
from engine.errors import ConfigError


@pytest.fixture
def recordings(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"the first")
    return {"a": Recording("a", tmp_path / "a.mp4")}


def inputs_of(recordings, **more):
    return {stream: facts | more for stream, facts in describe_inputs(recordings).items()}


def test_a_recording_that_stayed_is_not_hashed(recordings):
    check_same_recordings("out", inputs_of(recordings, sha256="wrong"), recordings, {"a"})  # else it would be refused


def test_a_recording_that_moved_or_was_touched_is_compared_by_content(tmp_path, recordings):
    inputs = inputs_of(recordings, sha256=recordings["a"].sha256())
    os.utime(recordings["a"].path, ns=(1, 1))
    check_same_recordings("out", inputs, recordings, {"a"})
    moved = {"a": Recording("a", recordings["a"].path.rename(tmp_path / "b.mp4"))}
    check_same_recordings("out", inputs, moved, {"a"})
    moved["a"].path.write_bytes(b"the other")
    with pytest.raises(ConfigError, match=r"b.mp4 \(stream a\) has changed its content since out was begun: put the earlier"):
        check_same_recordings("out", inputs, moved, {"a"})


def test_differences_are_named(tmp_path, recordings):
    inputs = inputs_of(recordings)
    os.utime(recordings["a"].path, ns=(1, 1))
    with pytest.raises(ConfigError, match="has been replaced or touched"):
        check_same_recordings("out", inputs, recordings, {"a"})
    recordings["a"].path.write_bytes(b"longer than it was")
    with pytest.raises(ConfigError, match="has changed its size from 9 to 18 bytes"):
        check_same_recordings("out", inputs, recordings, {"a"})
    recordings["a"].path.unlink()
    with pytest.raises(ConfigError, match=r"cannot be read any more \(No such file"):
        check_same_recordings("out", inputs, recordings, {"a"})
    with pytest.raises(ConfigError, match=r"holds results of .*a.mp4 \(stream a\), which is not among the sources now"):
        check_same_recordings("out", inputs, {}, {"a"})
    check_same_recordings("out", inputs, {}, set())


@pytest.mark.parametrize(
    ("section", "key", "then", "now", "same"),
    [("detect", "every", 1, 2, False), ("publish", "parts", ["original"], ("original",), True),
     ("publish", "jpeg_quality", 92, 80, False), ("publish", "endpoint", "", "tcp://127.0.0.1:5", True),
     ("detect", "workers", 1, 2, True), ("verify", "min_faces", 2, 3, False),
     ("verify", "gallery_key_file", "/a/key", "/b/key", True), ("decode", "parallel_files", 1, 2, True)],
)  # fmt: skip
def test_only_settings_that_change_results_must_be_the_same(section, key, then, now, same):
    earlier, run = ({"config": {section: {key: value}}} for value in (then, now))
    if same:
        check_same_settings("out", earlier, run)
    else:
        with pytest.raises(ConfigError, match=rf"out was begun with {section}.{key} = {then}, now it is {now}: resume with"):
            check_same_settings("out", earlier, run)


def test_another_version_is_refused():
    with pytest.raises(ConfigError, match=r"out was begun with facestream 0\.1, this is 0\.2"):
        check_same_settings("out", {"versions": {"facestream": "0.1"}}, {"versions": {"facestream": "0.2"}})


def test_models_that_are_known_on_both_sides_are_compared():
    check_same_models("out", {}, {"perceive": {"detector_sha256": "a"}})
    check_same_models("out", {"p": {"detector_sha256": "a"}}, {"q": {"detector_sha256": "a", "embedder_sha256": "b"}})
    with pytest.raises(ConfigError, match="another detector model"):
        check_same_models("out", {"p": {"detector_sha256": "a"}}, {"q": {"detector_sha256": "b"}})


def test_a_role_stays_on_its_runtime():
    before = {"p": {"detector_runtime": "openvino 2026.4.1 CPU", "embedder_runtime": ""}}
    check_same_models("out", before, {"q": {"detector_runtime": "openvino 2026.5.0 CPU bfloat16", "embedder_runtime": "x 1"}})
    with pytest.raises(
        ConfigError, match="begun with the detector on openvino, now it is on onnxruntime: use openvino, or start"
    ):
        check_same_models("out", before, {"q": {"detector_runtime": "onnxruntime 1.32.0 CPUExecutionProvider float32"}})


def test_a_series_that_has_changed_is_named(tmp_path):
    paths = [tmp_path / name for name in ("1.jpg", "2.jpg")]
    for path in paths:
        path.write_bytes(path.name.encode())
    series = {"seq": Recording("seq", tmp_path, tuple(paths))}
    inputs = inputs_of(series, sha256=series["seq"].sha256())
    check_same_recordings("out", inputs, series, {"seq"})
    for other, words in (
        (Recording("seq", tmp_path, tuple(paths[:1])), "has changed from 2 to 1 pictures"),
        (Recording("seq", tmp_path, tuple(paths), 10.0), r"has changed from 25.0 to 10.0 pictures a second"),
    ):
        with pytest.raises(ConfigError, match=words):
            check_same_recordings("out", inputs, {"seq": other}, {"seq"})
    os.utime(paths[0], ns=(1, 1))
    check_same_recordings("out", inputs, series, {"seq"})
    paths[0].write_bytes(b"9.jpg")
    with pytest.raises(ConfigError, match="has changed its content"):
        check_same_recordings("out", inputs, series, {"seq"})

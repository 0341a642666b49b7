import os

import pytest

from engine.errors import ConfigError
from engine.publish.job import check_same_models, check_same_recordings, check_same_settings, describe_inputs, sha256_of


@pytest.fixture
def recordings(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"the first")
    return {"a": tmp_path / "a.mp4"}


def inputs_of(recordings, **more):
    return {stream: facts | more for stream, facts in describe_inputs(recordings).items()}


def test_a_recording_that_stayed_is_not_hashed(recordings):
    hashed = []
    check_same_recordings("out", inputs_of(recordings, sha256="wrong"), recordings, {"a"}, lambda: hashed.append(1))
    assert not hashed


def test_a_recording_that_moved_or_was_touched_is_compared_by_content(tmp_path, recordings):
    inputs = inputs_of(recordings, sha256=sha256_of(recordings["a"]))
    os.utime(recordings["a"], ns=(1, 1))
    check_same_recordings("out", inputs, recordings, {"a"})
    moved = {"a": recordings["a"].rename(tmp_path / "b.mp4")}
    check_same_recordings("out", inputs, moved, {"a"})
    moved["a"].write_bytes(b"the other")
    with pytest.raises(ConfigError, match=r"b.mp4 \(stream a\) has changed its content since out was begun: put the earlier"):
        check_same_recordings("out", inputs, moved, {"a"})


def test_differences_are_named(tmp_path, recordings):
    inputs = inputs_of(recordings)
    os.utime(recordings["a"], ns=(1, 1))
    with pytest.raises(ConfigError, match="has been replaced or touched"):
        check_same_recordings("out", inputs, recordings, {"a"})
    recordings["a"].write_bytes(b"longer than it was")
    with pytest.raises(ConfigError, match="has changed its size from 9 to 18 bytes"):
        check_same_recordings("out", inputs, recordings, {"a"})
    recordings["a"].unlink()
    with pytest.raises(ConfigError, match=r"cannot be read any more \(No such file"):
        check_same_recordings("out", inputs, recordings, {"a"})
    with pytest.raises(ConfigError, match=r"holds results of .*a.mp4 \(stream a\), which is not among the sources now"):
        check_same_recordings("out", inputs, {}, {"a"})
    check_same_recordings("out", inputs, {}, set())


@pytest.mark.parametrize(
    ("section", "key", "then", "now", "same"),
    [("detect", "every", 1, 2, False), ("publish", "parts", ["original"], ("original",), True),
     ("publish", "jpeg_quality", 92, 80, False), ("publish", "endpoint", "", "tcp://127.0.0.1:5", True),
     ("detect", "workers", 1, 2, True), ("verify", "min_faces", 2, 3, False), ("decode", "parallel_files", 1, 2, True)],
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

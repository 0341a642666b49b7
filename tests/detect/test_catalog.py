"""Which detector a name opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import DetectConfig
from engine.detect.catalog import open_detector
from engine.errors import ConfigError, ModelError
from engine.models import find_model
from tests.onnx_models import yunet_model


def none_fetched(name: str) -> None:
    return None


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "small.onnx"
    path.write_bytes(yunet_model(0, None))
    return path


def test_auto_is_yunet_where_it_was_fetched(model: Path):
    asked: list[str] = []

    def find(name: str) -> Path:
        asked.append(name)
        return model

    detector = open_detector(DetectConfig(min_score=0.7, runtime="onnxruntime"), find)
    assert (detector.name, detector.licence, detector.min_score) == ("yunet", "MIT", 0.7)
    assert set(asked) == {"yunet"}


def test_auto_is_ours_otherwise():
    assert open_detector(DetectConfig(), lambda name: None if name == "yunet" else find_model(name)).name == "grey"


def test_a_path_is_yunet_format_of_unknown_licence(model: Path):
    detector = open_detector(DetectConfig(detector=str(model), runtime="onnxruntime"), none_fetched)
    assert (detector.name, detector.licence, detector.min_score) == ("small", "unknown", 0.6)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("yunet", ModelError, "models pull yunet"),
        ("none/where.onnx", ModelError, "there is no model file none/where.onnx"),
        ("scrfd:no_such_pack", ModelError, "no InsightFace pack 'no_such_pack'"),
        ("retina", ConfigError, "unknown detector 'retina': use auto, grey, yunet, dlib-hog, scrfd:PACK, or the path"),
    ],
)
def test_what_is_not_there_is_one_sentence(name: str, error: type[Exception], told: str):
    with pytest.raises(error, match=told):
        open_detector(DetectConfig(detector=name), none_fetched)


@pytest.mark.parametrize("name", ["dlib-hog", "scrfd:any"])
def test_what_no_session_computes_stays_on_the_cpu(name):
    with pytest.raises(ConfigError, match=r"detect\.device: the detector .* computes on the CPU only, not on cuda:0"):
        open_detector(DetectConfig(detector=name, device="cuda:0"), none_fetched)

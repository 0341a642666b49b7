"""A job's models are known by their files; whoever processes with them says the same of what it has opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.archive.record import of_each_role
from engine.config import Config
from engine.config.file import load_config
from engine.detect.catalog import detector_named
from engine.jobs.models_named import models_named
from engine.jobs.warm import Warm
from engine.models import find_model


def test_what_is_named_is_what_is_opened() -> None:
    with Warm(Config(), lambda warned: None) as warm:
        assert models_named(Config()) == of_each_role(warm.facts, "sha256")


@pytest.mark.parametrize(
    ("settings", "roles"),
    [
        ({"super_resolve": {"generator": "bicubic"}}, {"detector", "second_look", "fuser", "embedder"}),
        ({"detect": {"detector": "dlib-hog", "second_look": False}, "verify": {"embedder": "none"}}, {"generator", "fuser"}),
        (
            {"detect": {"detector": "scrfd:pack"}, "verify": {"embedder": "insightface:pack"}},
            {"second_look", "generator", "fuser"},
        ),
    ],
)
def test_what_is_no_file_of_ours_is_left_to_those_who_open_it(settings: dict[str, dict[str, str]], roles: set[str]) -> None:
    assert models_named(load_config(None, settings)).keys() == roles


def test_a_model_by_the_path_of_its_file_or_of_its_manifest() -> None:
    manifest = find_model(detector_named(Config().detect, find_model))
    assert isinstance(manifest, Path)
    known = models_named(Config())["detector"]
    for path in (manifest, manifest.with_suffix(".onnx")):
        assert models_named(load_config(None, {"detect": {"detector": str(path)}}))["detector"] == known

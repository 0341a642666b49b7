"""What is said where the extra is not installed."""

from __future__ import annotations

import importlib.util

import pytest

from engine.config import Config, OutputConfig, SourceConfig, TrackConfig
from engine.errors import MissingRuntimeError
from engine.pipeline.run import run_pipeline
from engine.track.tracker import Tracker


def test_the_extra_is_named_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "trackers" else find(name, *rest))
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[ocsort\]'"):
        Tracker(TrackConfig(method="ocsort"), 25.0, iter(()).__next__)
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"-")
    config = Config(
        sources=(SourceConfig(uri=str(clip)),),
        track=TrackConfig(method="ocsort"),
        output=OutputConfig(directory=str(tmp_path / "out")),
    )
    with pytest.raises(MissingRuntimeError, match=r"pip install 'facestream\[ocsort\]'"):
        run_pipeline(config)
    assert not (tmp_path / "out").exists()

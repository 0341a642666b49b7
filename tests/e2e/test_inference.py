"""A run that computes on a device of which one process has hold: ours, with ONNX Runtime behind it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.config import Config, CropConfig, DetectConfig, OutputConfig, SourceConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.pipeline import crew
from engine.pipeline.bodies import BODIES
from engine.pipeline.run import RunResult, run_pipeline
from engine.pipeline.status import RunStatus
from tests.e2e.conftest import Clip
from tests.inference.fake_device import DEVICE, fake_inference_body

pytestmark = pytest.mark.e2e


def run(clip: Clip, out: Path, device: str, observer: Callable[[RunStatus], None] = lambda status: None) -> RunResult:
    config = Config(
        sources=[SourceConfig(uri=str(clip.video))],
        detect=DetectConfig(detector="grey", every=10, device=device, second_look=False),
        crop=CropConfig(policy="best", top_k=1),
        super_resolve=SuperResolveConfig(device=device, workers=2),
        verify=VerifyConfig(embedder="none", device=device),
        output=OutputConfig(directory=str(out), report=False),
    )
    return run_pipeline(config, observer)


def faces(out: Path) -> dict[tuple[int, int], tuple[object, ...]]:
    """What was found, by track and frame."""
    rows = [json.loads(line) for line in (out / "faces.jsonl").read_text(encoding="utf-8").splitlines()]
    return {
        (row["track_id"], row["frame_index"]): (row["box"], row["detection_score"], [part["sha256"] for part in row["parts"]])
        for row in rows
    }


def test_a_run_goes_on_over_the_death_of_the_process_that_computes(clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(crew, "BODIES", {**BODIES, "inference": fake_inference_body})
    killed: list[int] = []

    def kill_once(status: RunStatus) -> None:
        if not killed and status.counters.get("frames_detected", 0) >= 3:
            killed.append(status.workers["inference-cuda-0"].pid)
            os.kill(killed[0], signal.SIGKILL)

    here = run(clip, tmp_path / "here", "cpu")
    there = run(clip, tmp_path / "there", DEVICE, kill_once)
    assert killed
    assert (here.outcome, there.outcome) == ("completed", "completed")
    assert {name: worker.restarts for name, worker in there.status.workers.items() if worker.restarts} == {
        "inference-cuda-0": 1
    }
    assert there.counters.get("errors.detect", 0) == 0
    assert there.counters["inference.batches"] > 0
    found, expected = faces(tmp_path / "there"), faces(tmp_path / "here")
    assert len(expected) >= 3
    assert found.keys() == expected.keys()
    workers = json.loads((tmp_path / "there" / "run.json").read_text(encoding="utf-8"))["workers"]
    assert workers["perceive"]["detector_runtime"].startswith("fake over onnxruntime")

"""Which GPUs an engine is built for, and a build that is interrupted."""

import os
import signal

import pytest

from engine.errors import MissingRuntimeError, UsageError
from trt_build.engines import tensorrt_engine


def test_ctrl_c_ends_a_build_although_callbacks_swallow_exceptions():
    before, went_on = signal.getsignal(signal.SIGINT), []

    def built():
        with tensorrt_engine._interruptible():
            signal.raise_signal(signal.SIGINT)
            went_on.append("inside the builder")

    with pytest.raises(KeyboardInterrupt):
        built()
    assert went_on == ["inside the builder"]
    assert signal.getsignal(signal.SIGINT) is before


def test_capabilities_that_nobody_builds_for():
    with pytest.raises(UsageError, match=r"9\.0: TensorRT-RTX builds for 7\.5, .*not for 9\.0 and 10\.0 \(H100, H200, B200\)"):
        tensorrt_engine.capabilities("tensorrt-rtx", "8.9,9.0", "fp16")
    with pytest.raises(UsageError, match=r"compute capability 7\.5 have no bfloat16"):
        tensorrt_engine.capabilities("tensorrt-rtx", "7.5", "bf16")
    assert tensorrt_engine.capabilities("tensorrt-rtx", "8.9, 7.5,8.9", "fp32") == ["8.9", "7.5"]


def test_current_is_the_gpu_that_is_here(monkeypatch, tmp_path):
    monkeypatch.setattr(tensorrt_engine.shutil, "which", lambda name: None)
    with pytest.raises(
        MissingRuntimeError, match=r"no NVIDIA GPU here that TensorRT-RTX could build for: say for which, as --compute-cap"
    ):
        tensorrt_engine.capabilities("tensorrt-rtx", "current", "fp16")
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 8.9\n")
    os.chmod(tool, 0o755)
    monkeypatch.setattr(tensorrt_engine.shutil, "which", lambda name: str(tool))
    assert tensorrt_engine.capabilities("tensorrt-rtx", "current", "fp16") == ["8.9"]
    assert tensorrt_engine.capabilities("tensorrt", "current", "fp16") == ["8.9"]
    with pytest.raises(UsageError, match="builds on the GPU that the engine is for"):
        tensorrt_engine.capabilities("tensorrt", "8.6", "fp16")


def test_a_gpu_that_does_not_answer_is_one_sentence(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("no program")
    monkeypatch.setattr(tensorrt_engine.shutil, "which", lambda name: str(tool))
    with pytest.raises(MissingRuntimeError, match="nvidia-smi does not say which GPU is here"):
        tensorrt_engine.capabilities("tensorrt-rtx", "current", "fp16")

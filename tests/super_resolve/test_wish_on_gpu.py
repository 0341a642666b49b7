"""What is taken on a GPU, which ONNX Runtime stands for here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.errors import MissingRuntimeError, ModelError
from engine.sessions.session import Session, SessionSpec, open_elsewhere
from tests.inference.fake_device import DEVICE, open_fake
from tests.super_resolve.engine_bench import Bench


@pytest.mark.parametrize(
    ("runtime", "precision", "words"),
    [
        ("auto", "bfloat16", "--target tensorrt-rtx --precision bf16 --compute-capability current --out"),
        ("auto", "float8", "--target tensorrt-rtx --precision fp8 --compute-capability current --out"),
        ("aotinductor", "float16", "--target aotinductor --precision fp16 --compute-capability current --out"),
    ],
)
def test_on_a_gpu_the_command_is_one_for_a_gpu(bench: Bench, runtime: str, precision: str, words: str):
    """It used to be one of ONNX Runtime, which has neither precision."""
    with pytest.raises(ModelError, match=rf"\(there is none .*\): run `trt-build build .* {words}"):
        bench.runtime(runtime, precision, "cuda:0")


@pytest.fixture
def gpu() -> Iterator[None]:
    """ONNX Runtime computes what is on the device."""
    open_elsewhere(DEVICE, open_fake)
    yield
    open_elsewhere(DEVICE, None)


ON_GPU = {"compute_capability": "8.9", "processor": ""}


def test_on_a_gpu_the_fastest_engine_is_taken(bench: Bench, gpu: None, last_wins: None):
    """It used to be the most exact one, however slow."""
    assert bench.runtime(device=DEVICE).startswith("fake over onnxruntime")
    bench.add(precision="fp16", **ON_GPU)
    assert "float16 (gate passed" in bench.runtime(device=DEVICE)
    bench.add(precision="int8", **ON_GPU)
    assert "int8 (auto: onnxruntime float16 10 ms, onnxruntime int8 2 ms; 5.0 times onnxruntime float16; gate" in bench.runtime(
        device=DEVICE
    )
    assert "float16 (gate passed" in bench.runtime(precision="float16", device=DEVICE)
    assert bench.runtime().endswith("CPUExecutionProvider float32"), "engines of a GPU are none of a CPU's"
    assert bench.said == []


def test_on_a_gpu_what_cannot_be_opened_gives_way(bench: Bench, gpu: None):
    bench.add(precision="int8", **ON_GPU)
    broken = bench.add(precision="fp16", **ON_GPU)

    def refused(spec: SessionSpec) -> Session:
        if spec.model == broken:
            raise MissingRuntimeError("the NVIDIA driver here is too old for it: update the driver")
        return open_fake(spec)

    open_elsewhere(DEVICE, refused)
    assert "int8 (gate passed" in bench.runtime(device=DEVICE)
    too_old = "onnxruntime float16 is not used: the NVIDIA driver here is too old for it: update the driver"
    assert bench.said == [too_old], "nobody is told to build it again"

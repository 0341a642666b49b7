"""What is taken on a GPU, which ONNX Runtime stands for here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import onnxruntime
import pytest
from msgspec.structs import replace

from engine.contracts.engine_manifest import EngineParity
from engine.errors import FacestreamError, MissingRuntimeError, ModelError
from engine.sessions import built_engines
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX
from engine.sessions.session import Session, SessionSpec, open_elsewhere, open_session
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
TOO_OLD = MissingRuntimeError("the NVIDIA driver here is too old for it: update the driver")


def refuse(engine: Path, error: FacestreamError, otherwise: Callable[[SessionSpec], Session] = open_fake) -> None:
    """Let one engine not be opened on the device."""

    def opened(spec: SessionSpec) -> Session:
        if spec.model == engine:
            raise error
        return otherwise(spec)

    open_elsewhere(DEVICE, opened)


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

    refuse(broken, TOO_OLD)
    assert "int8 (gate passed" in bench.runtime(device=DEVICE)
    too_old = "onnxruntime float16 is not used: the NVIDIA driver here is too old for it: update the driver"
    assert bench.said == [too_old], "nobody is told to build it again"


NO_CUDA = "and without an engine the installed ONNX Runtime has no CUDA"


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])


def test_whoever_has_no_cuda_besides_is_told_what_is_wrong_with_the_engine(bench: Bench, no_cuda: None):
    """After an update of the runtime it was only said that ONNX Runtime had no CUDA, and how to replace it."""
    older = bench.add(precision="fp16", target_version="0.1", **ON_GPU)
    cut = bench.add(precision="int8", **ON_GPU)
    cut.write_bytes(cut.read_bytes()[:100])
    with pytest.raises(MissingRuntimeError) as refused:
        bench.runtime(device=DEVICE)
    found = str(refused.value)
    assert f"the engine {older} was built for onnxruntime 0.1, not " in found
    assert f"the engine {cut} is cut off after 100 of " in found
    assert found.count(": run `trt-build build ") == 2
    assert NO_CUDA in found


def test_an_engine_that_cannot_be_opened_is_named_before_what_else_is_missing(bench: Bench, gpu: None, no_cuda: None):
    engine = bench.add(precision="fp16", **ON_GPU)

    refuse(engine, TOO_OLD, lambda spec: open_session(replace(spec, device="cuda:1")))  # which is no other's
    with pytest.raises(MissingRuntimeError, match=f"is not used: the NVIDIA driver here is too old .*; {NO_CUDA}"):
        bench.runtime(device=DEVICE)


def test_an_engine_for_another_gpu_is_built_for_this_one(bench: Bench, gpu: None):
    """The command was the one that had built it for the other."""
    engine = bench.add(precision="fp16", **ON_GPU)

    refuse(engine, ModelError("it was made for another compute capability than this GPU's"))
    assert bench.runtime(device=DEVICE).startswith("fake over onnxruntime")
    assert "than this GPU's: run `trt-build build " in bench.said[0]
    assert f" --batch 1,8,64 --compute-capability current --pixels float --out {bench.folder}`" in bench.said[0]


def test_engines_from_another_machine_wait_for_their_gate(bench: Bench, no_cuda: None):
    for precision in ("fp16", "int8"):
        bench.add(precision=precision, parity=EngineParity(verdict="not run", reason="no GPU"), **ON_GPU)
    check = rf"run `trt-build check {bench.model.with_suffix('.onnx')} --out {bench.folder}`"
    with pytest.raises(MissingRuntimeError, match=f"^2 engines of tiny were not compared with it here: {check}; {NO_CUDA}"):
        bench.runtime(device=DEVICE)
    (bench.folder / "tiny-onnxruntime-int8.onnx.json").unlink()
    with pytest.raises(MissingRuntimeError, match=f"^1 engine of tiny was not compared with it here: {check}; {NO_CUDA}"):
        bench.runtime(device=DEVICE)


@pytest.mark.parametrize("target", [ON_CUDA, ON_RTX])
def test_onnx_runtimes_own_ways_to_a_gpu_are_candidates(
    bench: Bench, gpu: None, last_wins: None, monkeypatch: pytest.MonkeyPatch, target: str
):
    monkeypatch.setattr(built_engines, "installed", lambda package: "1.2")
    added = bench.add(target, "fp16", **ON_GPU)
    bench.add(target, "fp32", **ON_GPU)
    assert f"float16 (auto: {target} float32 10 ms, {target} float16 2 ms; 5.0 times {target} float32; gate passed on" in (
        bench.runtime(device=DEVICE)
    )
    assert "float32 (gate passed" in bench.runtime(target, "float32", DEVICE)
    assert bench.runtime().endswith("CPUExecutionProvider float32")
    added.write_bytes(added.read_bytes()[:100])
    bench.runtime(device=DEVICE)
    assert bench.said[0].startswith(f"an engine of tiny is not used: the engine {added} is cut off after 100 of")
    assert f" --target {target} --precision fp16 --sizes 16..96 --batch 1,8,64 --compute-capability 8.9 " in bench.said[0]


@pytest.mark.parametrize(
    ("runtime", "precision", "device", "words"),
    [
        (ON_CUDA, "bfloat16", DEVICE, f"{ON_CUDA} does not compute in bfloat16: use float32, float16"),
        (ON_RTX, "int8", DEVICE, f"{ON_RTX} does not compute in int8: use float32, float16, bfloat16"),
        (ON_RTX, "auto", "cpu", rf"runtime: {ON_RTX} is computed on a GPU: set super_resolve\.device to cuda:0"),
        (ON_CUDA, "float16", DEVICE, rf"\(there is none in .*--target {ON_CUDA} --precision fp16 --compute-capability current"),
    ],
)
def test_what_they_have_not_is_said(bench: Bench, runtime: str, precision: str, device: str, words: str):
    with pytest.raises(FacestreamError, match=words):
        bench.runtime(runtime, precision, device)


def test_an_engine_whose_package_is_gone_is_one_sentence(bench: Bench, gpu: None):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(built_engines, "installed", lambda package: "1.2")
        bench.add(ON_RTX, "fp16", **ON_GPU)
    bench.runtime(device=DEVICE)
    missing = "onnxruntime-ep-nv-tensorrt-rtx is not installed: pip install 'facestream[onnxruntime-rtx]'"
    assert bench.said == [f"an engine of tiny is not used: {missing}"]

"""Which GPUs an engine is built for."""

import os

import pytest

from engine.errors import MissingRuntimeError, UsageError
from trt_build.engines import gpus
from trt_build.engines.gpus import capabilities


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    """Put a GPU here, or what calls itself nvidia-smi."""

    def put(script):
        tool = tmp_path / "nvidia-smi"
        tool.write_text(script)
        os.chmod(tool, 0o755)
        monkeypatch.setattr(gpus.shutil, "which", lambda name: str(tool))

    monkeypatch.setattr(gpus.shutil, "which", lambda name: None)
    return put


def test_capabilities_that_nobody_builds_for():
    with pytest.raises(UsageError, match=r"9\.0: TensorRT-RTX builds for 7\.5, .*not for 9\.0 and 10\.0 \(H100, H200, B200\)"):
        capabilities("tensorrt-rtx", "8.9,9.0", "fp16")
    with pytest.raises(UsageError, match=r"cpu: TensorRT-RTX builds for 7\.5, "):
        capabilities("tensorrt-rtx", "cpu", "fp16")
    assert capabilities("tensorrt-rtx", "8.9, 7.5,8.9", "fp32") == ["8.9", "7.5"]


@pytest.mark.parametrize("target", ["tensorrt-rtx", "tensorrt", "onnxruntime-tensorrt-rtx"])
@pytest.mark.parametrize("given", ["", " ", "8.9,", ",8.9", "7.5,,8.9"])
def test_a_capability_that_is_left_out(target, given):
    with pytest.raises(UsageError, match=r"--compute-capability '.*' leaves one out: give them with commas between"):
        capabilities(target, given, "fp16")


@pytest.mark.parametrize(
    ("capability", "precision", "words"),
    [
        ("7.5", "bf16", r"7\.5 have no bfloat16: choose fp16 or int8 for them"),
        ("7.5", "fp8", r"7\.5 have no 8-bit floating point: choose"),
        ("12.0,8.6", "fp8", r"8\.6 have no 8-bit floating point: choose"),
    ],
)
def test_a_precision_that_a_gpu_has_not(capability, precision, words):
    with pytest.raises(UsageError, match=rf"--precision {precision}: GPUs of compute capability {words}"):
        capabilities("tensorrt-rtx", capability, precision)


def test_a_precision_that_a_gpu_has():
    assert capabilities("tensorrt-rtx", "8.0", "bf16") == ["8.0"]
    assert capabilities("tensorrt-rtx", "8.9,12.0", "fp8") == ["8.9", "12.0"]


def test_current_is_the_gpu_that_is_here(gpu):
    with pytest.raises(
        MissingRuntimeError, match=r"no NVIDIA GPU here that TensorRT-RTX could build for: say for which, as --compute-cap"
    ):
        capabilities("tensorrt-rtx", "current", "fp16")
    gpu("#!/bin/sh\necho 8.9\n")
    for target in ("tensorrt-rtx", "tensorrt", "aotinductor"):
        assert capabilities(target, "current", "fp16") == ["8.9"]
    with pytest.raises(UsageError, match="TensorRT builds on the GPU that the engine is for"):
        capabilities("tensorrt", "8.6", "fp16")
    with pytest.raises(UsageError, match="AOTInductor compiles on the GPU that the engine is for"):
        capabilities("aotinductor", "8.6", "fp16")


def test_what_torch_compiles_may_be_for_the_cpu(gpu):
    assert capabilities("aotinductor", "cpu", "bf16") == [""]
    with pytest.raises(
        MissingRuntimeError,
        match="no NVIDIA GPU here that AOTInductor could build for: build on the machine with the GPU; for this CPU, give "
        "--compute-capability cpu",
    ):
        capabilities("aotinductor", "current", "fp16")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("no program", ".*Exec format error.*"),
        (
            "#!/bin/sh\necho Failed to initialize NVML: Driver/library version mismatch\nexit 18\n",
            "Failed to initialize NVML: Driver/library version mismatch",
        ),
        (
            '#!/bin/sh\necho Field \\"compute_cap\\" is not a valid field to query. >&2\nexit 2\n',
            'Field "compute_cap" is not .*',
        ),
        ("#!/bin/sh\necho No devices were found\n", "No devices were found"),
        ("#!/bin/sh\necho '[N/A]'\n", r"\[N/A\]"),
        ("#!/bin/sh\nexit 9\n", "exit code 9"),
    ],
)
def test_a_gpu_that_does_not_answer_is_one_sentence(gpu, script, told):
    """A driver that was updated and not loaded again was called no GPU, and what nvidia-smi says of it was lost."""
    gpu(script)
    with pytest.raises(
        MissingRuntimeError,
        match=rf"^nvidia-smi does not say which GPU is here \({told}\): look at it, or say for which, as --c",
    ):
        capabilities("tensorrt-rtx", "current", "fp16")
    assert capabilities("tensorrt-rtx", "8.9", "fp16") == ["8.9"]


def test_what_onnx_runtime_computes_on_a_gpu(gpu):
    assert capabilities("onnxruntime-tensorrt-rtx", "8.6,12.0", "bf16") == ["8.6", "12.0"]
    for old in ("7.5", "9.0"):
        with pytest.raises(UsageError, match=rf"{old}: ONNX Runtime with TensorRT-RTX builds for 8\.6, .*knows neither Turing"):
            capabilities("onnxruntime-tensorrt-rtx", old, "fp16")
    for target in ("onnxruntime-cuda", "onnxruntime-tensorrt-rtx"):
        with pytest.raises(MissingRuntimeError, match=r"no NVIDIA GPU here that ONNX Runtime with .*for this CPU, run `trt-"):
            capabilities(target, "current", "fp16")
    gpu("#!/bin/sh\necho 9.0\n")
    assert capabilities("onnxruntime-cuda", "current", "fp16") == ["9.0"]
    with pytest.raises(UsageError, match=r"8\.6: ONNX Runtime with CUDA is compared with its model on the GPU that it is for"):
        capabilities("onnxruntime-cuda", "8.6", "fp16")
    with pytest.raises(UsageError, match="cpu: ONNX Runtime with CUDA is compared"):
        capabilities("onnxruntime-cuda", "cpu", "fp16")


def test_a_gpu_that_tensorrt_rtx_does_not_know_is_told_what_does(gpu):
    gpu("#!/bin/sh\necho 9.0\n")
    told = r"^the GPU here is of compute capability 9\.0: .*, which `--target aotinductor` and `--target tensorrt` are for"
    with pytest.raises(UsageError, match=told):
        capabilities("tensorrt-rtx", "current", "fp16")

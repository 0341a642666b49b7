"""What a verdict says, and engines that are there: judged again."""

from pathlib import Path

import pytest

from engine.contracts.engine_manifest import read_engine_manifest
from engine.contracts.manifest import read_manifest
from engine.errors import MissingRuntimeError, ModelError
from engine.sessions.tensorrt_api import TensorRT
from tests.trt_build.engines.networks import write_generator
from tests.trt_build.engines.orders import PASSED, flip, order_of
from trt_build.engines import build as building
from trt_build.engines import check as checking
from trt_build.engines.build import build
from trt_build.engines.check import advice, check
from trt_build.engines.parity import LIMITS, verdict_of

pytestmark = pytest.mark.usefixtures("quick_gate")


def test_a_verdict_names_the_figure_and_its_limit():
    found = verdict_of({"psnr_lost_db": 0.31, "cosine_moved": 0.001}, LIMITS["generator"], 200, "somewhere")
    assert (found.verdict, found.reason) == ("failed", "psnr lost db 0.31 for at most 0.1")
    least = verdict_of({"least_cosine": 0.9998}, LIMITS["embedder"], 200, "somewhere")
    assert (least.verdict, least.reason) == ("failed", "least cosine 0.9998 for at least 0.9999")
    assert verdict_of({"least_cosine": float("nan")}, LIMITS["embedder"], 1, "").verdict == "failed"


def test_check_repeats_the_gate_and_says_which_precision_passes(model, shop, monkeypatch):
    described = read_manifest(model)
    build(order_of(model), shop)
    build(order_of(model, precision="fp16"), shop)
    failed = verdict_of({"psnr_lost_db": 0.31, "cosine_moved": 0.0}, LIMITS["generator"], 2, "two made up faces")
    passed = verdict_of(PASSED, LIMITS["generator"], 2, "two made up faces")
    monkeypatch.setattr(
        building,
        "compare",
        lambda model, compared, done: failed if compared.engine.manifest.key.precision == "fp16" else passed,
    )
    half, whole = check(model, described, shop)
    assert half.path.name == "tiny-onnxruntime-fp16.onnx"
    assert half.trouble == (
        "fp16 fails the gate (psnr lost db 0.31 for at most 0.1), so that `auto` does not take it: fp32 passes"
    )
    assert not read_engine_manifest(half.path).usable_by_auto
    assert whole.trouble == ""


def test_where_float32_fails_another_target_is_advised(model, shop, monkeypatch):
    failed = verdict_of({"psnr_lost_db": 0.31, "cosine_moved": 0.0}, LIMITS["generator"], 2, "two made up faces")
    monkeypatch.setattr(building, "compare", lambda model, compared, done: failed)
    made = build(order_of(model), shop)
    assert advice(made.manifest, shop.folder).endswith("so that `auto` does not take it: take another target")


def test_an_engine_whose_runtime_is_missing_does_not_hide_the_others(model, shop, monkeypatch):
    build(order_of(model), shop)
    build(order_of(model, precision="fp16"), shop)

    def half_is_missing(model, compared, done):
        if compared.engine.manifest.key.precision == "fp16":
            raise MissingRuntimeError("it is not installed")
        return verdict_of(PASSED, LIMITS["generator"], 2, "two made up faces")

    monkeypatch.setattr(building, "compare", half_is_missing)
    assert [one.trouble for one in check(model, read_manifest(model), shop)] == ["it is not installed", ""]


def test_a_manifest_that_cannot_be_written_is_one_sentence(model, shop, monkeypatch):
    """It ended the command, and what was found of the others was lost."""
    for precision in ("fp32", "fp16"):
        build(order_of(model, precision=precision), shop)

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert [one.trouble for one in check(model, read_manifest(model), shop)] == ["", ""], "there was nothing new to write"
    failed = verdict_of({"psnr_lost_db": 0.31, "cosine_moved": 0.0}, LIMITS["generator"], 2, "two made up faces")
    monkeypatch.setattr(building, "compare", lambda model, compared, done: failed)
    half, whole = check(model, read_manifest(model), shop)
    for one, name in ((half, "fp16"), (whole, "fp32")):
        assert one.manifest.parity.verdict == "failed"
        path = shop.folder / f"tiny-onnxruntime-{name}.onnx"
        assert one.trouble == f"its verdict cannot be kept: '{path}' cannot be written: No space left on device."


def test_an_engine_for_another_gpu_than_this_machines_is_whole(model, shop, monkeypatch):
    """On a machine with a card it was called unusable, and `build` made it anew each time."""
    pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")
    order = order_of(model, "tensorrt-rtx", "fp16", "7.5")
    monkeypatch.setattr(building, "capability_here", lambda: "8.9")
    monkeypatch.setattr(TensorRT, "fitness", lambda self, engine: ("unfit", "it was made for another compute capability"))
    assert build(order, shop).is_new
    assert not build(order, shop).is_new
    (found,) = check(model, read_manifest(model), shop)
    assert found.trouble == ""
    assert found.manifest.parity.reason == "tensorrt-rtx engines run on a GPU: this one is for 7.5, and here is 8.9"
    monkeypatch.setattr(building, "capability_here", lambda: "7.5")
    assert build(order, shop).is_new, "one for this card that the card refuses"

    def silent():
        raise MissingRuntimeError("nvidia-smi does not say which GPU is here (exit code 9)")

    monkeypatch.setattr(building, "capability_here", silent)
    monkeypatch.setattr(TensorRT, "fitness", lambda self, engine: ("unknown", "no driver"))
    assert not build(order, shop).is_new
    (found,) = check(model, read_manifest(model), shop)
    assert found.trouble == ""
    assert found.manifest.parity.reason.endswith("nvidia-smi does not say which GPU is here (exit code 9)")


def test_a_machine_that_cannot_compare_leaves_the_verdict_of_one_that_could(model, shop, monkeypatch):
    """A check before the driver was loaded took an engine that had passed from every run."""
    pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")
    monkeypatch.setattr(building, "_no_gpu", lambda order: "")
    made = build(order_of(model, "tensorrt-rtx", "fp16", "8.9"), shop)
    assert made.manifest.usable_by_auto
    monkeypatch.setattr(building, "_no_gpu", lambda order: "no driver")
    (found,) = check(model, read_manifest(model), shop)
    assert (found.trouble, found.manifest.parity.verdict) == ("", "not run")
    assert read_engine_manifest(made.path) == made.manifest


def test_check_names_what_is_damaged(model, shop):
    made = build(order_of(model), shop)
    flip(made.path)
    (found,) = check(model, read_manifest(model), shop)
    assert found.manifest is None
    assert "is damaged" in found.trouble


def test_check_leaves_another_models_engines_alone(model, shop, tmp_path):
    build(order_of(model), shop)
    build(order_of(write_generator(tmp_path, name="tiny-er")), shop)
    assert [one.path.name for one in check(model, read_manifest(model), shop)] == ["tiny-onnxruntime-fp32.onnx"]


def test_what_this_machine_lacks_is_no_reason_to_build_again(model, shop, monkeypatch):
    """Whoever had too old a driver was told to build the engine again, and `build` did so each time."""
    made = build(order_of(model), shop)

    def refused(kind):
        def refuse(path, manifest):
            raise kind("the NVIDIA driver here is too old for it: update the driver")

        for module in (building, checking):
            monkeypatch.setattr(module, "try_fitness", refuse)

    refused(MissingRuntimeError)
    (found,) = check(model, read_manifest(model), shop)
    assert found.trouble == "the NVIDIA driver here is too old for it: update the driver"
    assert not build(order_of(model), shop).is_new
    refused(ModelError)
    (found,) = check(model, read_manifest(model), shop)
    assert ": run `trt-build build " in found.trouble
    assert build(order_of(model), shop).is_new
    assert made.path.is_file()


def test_where_a_gpu_cannot_run_it_the_gate_was_not_run(model, shop, monkeypatch):
    def refused(model, compared, done):
        raise MissingRuntimeError("the NVIDIA driver here is too old for it: update the driver")

    monkeypatch.setattr(building, "compare", refused)
    monkeypatch.setattr(building, "_no_gpu", lambda order: "")
    parity = shop.gate(order_of(model, "tensorrt-rtx", "fp16", "8.9"), None, Path("tiny.engine"))
    assert (parity.verdict, parity.reason) == ("not run", "the NVIDIA driver here is too old for it: update the driver")

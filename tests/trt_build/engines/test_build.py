"""Engines are found, made, refused and repaired; what a manifest says of them."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.contracts.engine_manifest import engine_manifest_path, read_engine_manifest
from engine.contracts.manifest import read_manifest, write_manifest
from engine.errors import MissingRuntimeError, ModelError, UsageError
from engine.models.catalog import embedded_dir
from engine.models.engine_command import name_of
from tests.trt_build.engines.networks import write_generator
from trt_build.engines import build as building
from trt_build.engines import parity, targets, tensorrt_engine
from trt_build.engines.build import Workshop, build, command_of
from trt_build.engines.check import advice, check
from trt_build.engines.lock import alone
from trt_build.engines.parity import LIMITS, verdict_of
from trt_build.engines.profiles import profile_for, shapes
from trt_build.engines.real_faces import RealFaces
from trt_build.engines.targets import Order, target_of
from trt_build.errors import DataError, ExportError


@pytest.fixture
def shop(tmp_path):
    said = []
    workshop = Workshop(tmp_path / "engines", said.append, lambda what, done, total: None, count=2)
    object.__setattr__(workshop, "said", said)
    return workshop


@pytest.fixture
def model(tmp_path):
    return write_generator(tmp_path)


PASSED = {"psnr_lost_db": 0.0, "cosine_moved": 0.0}


@pytest.fixture(autouse=True)
def quick_gate(monkeypatch):
    """How the gate judges is tested elsewhere; here it matters that it is asked."""
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    passed = verdict_of(PASSED, LIMITS["generator"], 2, "two made up faces")
    monkeypatch.setattr(building, "compare", lambda model, compared, done: passed)


@pytest.fixture
def faces(monkeypatch, quick_gate):
    """The gate itself, on two faces."""
    monkeypatch.setattr(building, "compare", parity.compare)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, 144, 144), np.uint8)
    points = np.array([[[50, 60], [94, 60], [72, 85], [54, 105], [90, 105]]] * 2, np.float32)
    monkeypatch.setattr(parity, "gate_faces", lambda source, count: RealFaces(images, points, "two made up faces"))


def order_of(model, target="onnxruntime", precision="fp32", capability="", sizes=None, batch=None):
    described = read_manifest(model)
    spec = target_of(target, precision, described.kind)
    return Order(model, described, spec, precision, profile_for(described, sizes, batch), capability)


def test_an_engine_comes_with_its_manifest(model, shop, faces):
    made = build(order_of(model, precision="fp16"), shop)
    assert made.is_new
    assert made.path == shop.folder / "tiny-onnxruntime-fp16.onnx"
    manifest = read_engine_manifest(made.path)
    described = read_manifest(model)
    assert (manifest.name, manifest.licence, manifest.key.model_sha256) == ("tiny", "Apache-2.0", described.sha256)
    assert manifest.kept_in_float32 == ("head", "last", "bicubic", "add", "shuffle")
    assert [(tensor.name, tensor.dtype, tensor.shape) for tensor in manifest.inputs] == [
        ("luma", "float32", (None, 1, None, None))
    ]
    assert (manifest.parity.verdict, manifest.parity.faces) == ("passed", 2)
    assert manifest.usable_by_auto
    assert manifest.parity.limits == LIMITS["generator"]
    assert sorted(path.name for path in shop.folder.iterdir() if path.name.startswith("tiny")) == [
        "tiny-onnxruntime-fp16.onnx",
        "tiny-onnxruntime-fp16.onnx.json",
    ]


def test_one_that_fits_is_left_alone(model, shop):
    first = build(order_of(model), shop)
    again = build(order_of(model), shop, no_build=True)
    assert not again.is_new
    assert again.manifest == first.manifest


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def other_version(path):
    place = engine_manifest_path(path)
    place.write_bytes(place.read_bytes().replace(b'"target_version": "', b'"target_version": "0.'))


DAMAGES = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:100]), "is cut off after 100 of"),
    "empty": (lambda path: path.write_bytes(b""), "is cut off after 0 of"),
    "flipped": (flip, "is damaged, or it is another one"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "is damaged, or it is another one"),
    "without a manifest": (lambda path: engine_manifest_path(path).unlink(), "cannot read the engine manifest"),
    "manifest of something else": (
        lambda path: engine_manifest_path(path).write_text('{"name": "x"}'),
        "is not an engine manifest",
    ),
    "another version": (other_version, r"target_version .* instead of 0\."),
    "renamed": (
        lambda path: engine_manifest_path(path).write_bytes(
            engine_manifest_path(path).read_bytes().replace(path.name.encode(), b"tiny-openvino-fp32.onnx")
        ),
        r"describes tiny-openvino-fp32\.onnx, not tiny-onnxruntime-fp32\.onnx",
    ),
    "gone": (lambda path: path.unlink(), "is not built yet"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_named_and_built_anew(model, shop, damage):
    spoil, words = DAMAGES[damage]
    first = build(order_of(model), shop)
    spoil(first.path)
    with pytest.raises(ModelError, match=words) as refused:
        build(order_of(model), shop, no_build=True)
    assert str(refused.value).endswith(
        f"run `trt-build build {model} --target onnxruntime --precision fp32 --sizes 8..160 --batch 1,8,64 --out {shop.folder}`"
    )
    again = build(order_of(model), shop)
    assert again.is_new
    assert read_engine_manifest(again.path).sha256 == first.manifest.sha256
    assert [words for words in shop.said if "built anew" in words] == ([] if damage == "gone" else shop.said[-1:])


@pytest.mark.parametrize("change", [{"sizes": "16..64"}, {"batch": "1,4,32"}])
def test_another_profile_is_another_engine(model, shop, change):
    build(order_of(model), shop)
    with pytest.raises(ModelError, match=r"profile \d+\.\.\d+ px at batch 1,\d,\d\d instead of 8\.\.160 px at batch 1,8,64"):
        build(order_of(model, **change), shop, no_build=True)


def test_other_calibration_faces_are_another_engine(model, shop, tmp_path, monkeypatch):
    pixels = [np.random.default_rng(at).random((1, 1, 16, 16), np.float32) for at in range(2)]
    monkeypatch.setattr(targets, "calibration_inputs", lambda manifest, profile, source: (pixels, "made up"))
    mine, others = (tmp_path / name for name in ("mine.zip", "others.zip"))
    mine.write_bytes(b"some faces"), others.write_bytes(b"other faces")
    order = order_of(model, precision="int8")
    given = dataclasses.replace(order, calibration=mine)
    build(given, shop)
    assert not build(given, shop).is_new
    (found,) = check(model, read_manifest(model), shop)
    assert found.trouble == ""
    for wanted in (order, dataclasses.replace(order, calibration=others)):
        with pytest.raises(ModelError, match=r"another purpose \(calibration \w+ instead of \w+\)"):
            build(wanted, shop, no_build=True)


def test_what_else_made_it_belongs_to_it(model, shop, monkeypatch):
    monkeypatch.setattr(targets.metadata, "version", lambda package: "9.9")
    assert building.key_of(order_of(model, precision="int8")).tool == "onnxruntime 9.9"
    assert building.key_of(order_of(model, "openvino", "int8")).tool == "onnxruntime 9.9"
    assert building.key_of(order_of(model, "ncnn")).tool == "pnnx 9.9"
    assert building.key_of(order_of(model)).tool == ""


def test_another_model_of_the_same_name_is_another_engine(model, shop, tmp_path):
    build(order_of(model), shop)
    write_generator(tmp_path, scale=3)
    with pytest.raises(ModelError, match=r"model_sha256 [0-9a-f]{12} instead of [0-9a-f]{12}"):
        build(order_of(model), shop, no_build=True)


def test_of_two_that_build_at_once_one_waits_and_finds_it(model, shop):
    path = shop.path_of(order_of(model))
    path.parent.mkdir()
    waits, found = threading.Event(), []
    patient = Workshop(shop.folder, lambda sentence: waits.set(), shop.done, count=2)
    second = threading.Thread(target=lambda: found.append(build(order_of(model), patient)))
    with alone(path, lambda: pytest.fail("nobody else holds it")):
        second.start()
        assert waits.wait(20)
        made = building._make(order_of(model), building.key_of(order_of(model)), path, shop)
    second.join(20)
    assert [engine.is_new for engine in found] == [False]
    assert found[0].manifest == made


def test_the_lock_of_a_process_that_died_is_free(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from trt_build.engines.lock import alone\n"
        "with alone(Path(sys.argv[1]), lambda: None): os._exit(9)"
    )
    path = tmp_path / "one.engine"
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 9
    with alone(path, lambda: pytest.fail("it is still held")):
        assert path.with_name(".one.engine.lock").exists()


def test_what_a_killed_build_left_is_cleared_by_the_next(model, shop):
    order = order_of(model)
    code = (
        "import os, sys; from pathlib import Path; from trt_build.engines import build as building\n"
        "from tests.trt_build.engines.test_build import order_of\n"
        "building.compare = lambda *arguments: os._exit(9)\n"
        "shop = building.Workshop(Path(sys.argv[2]), print, lambda *work: None)\n"
        "building.build(order_of(Path(sys.argv[1])), shop)"
    )
    command = [sys.executable, "-c", code, str(model), str(shop.folder)]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[3]).returncode == 9
    left = [path.name for path in shop.folder.iterdir() if not path.name.endswith(".lock")]
    assert left == [f".unfinished.{order.file}"]
    build(order, shop)
    left = sorted(path.name for path in shop.folder.iterdir() if not path.name.endswith(".lock"))
    assert left == [order.file, f"{order.file}.json"]


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


def test_a_build_that_fails_leaves_nothing(model, shop, monkeypatch):
    def broken(*arguments):
        raise ExportError("no.")

    monkeypatch.setattr(building, "compare", broken)
    with pytest.raises(ExportError):
        build(order_of(model), shop)
    assert [path.name for path in shop.folder.iterdir() if not path.name.endswith(".lock")] == []


def test_a_folder_that_cannot_be_written_is_named(model, shop, tmp_path):
    (tmp_path / "engines").write_text("a file")
    with pytest.raises(ExportError, match=r"engines/tiny-onnxruntime-fp32\.onnx' cannot be written"):
        build(order_of(model), shop)


def test_int8_without_faces_says_what_it_needs(model, shop):
    with pytest.raises(DataError, match=r"int8 needs at least 500 real faces of the training identities.*--calibration"):
        build(order_of(model, precision="int8"), shop)


@pytest.mark.parametrize(
    ("target", "precision", "kind", "words"),
    [
        ("cuda", "fp32", "generator", "--target cuda: choose one of onnxruntime"),
        ("ncnn", "fp16", "generator", "--precision fp16: ncnn computes in fp32"),
        ("onnxruntime", "bf16", "generator", "--precision bf16: onnxruntime computes in fp32, fp16, int8"),
        ("openvino", "bf16", "embedder", "the embedder computes in float32 on every machine"),
        ("openvino", "bf16", "second_look", "the second look computes in float32 on every machine"),
    ],
)
def test_what_a_target_cannot_do(target, precision, kind, words):
    with pytest.raises(UsageError, match=words):
        target_of(target, precision, kind)


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
    build(order_of(model), shop)

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ExportError, match=r"tiny-onnxruntime-fp32\.onnx' cannot be written: No space left on device"):
        check(model, read_manifest(model), shop)


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


@pytest.mark.parametrize(
    ("sizes", "batch", "words"),
    [
        ("96..16", None, "--sizes 96..16: give the smallest and the largest"),
        ("16-96", None, "--sizes 16-96"),
        ("0..8", None, "--sizes 0..8"),
        ("16..99999", None, "at most 4096"),
        (None, "8,1,64", "--batch 8,1,64"),
        (None, "1,8", "--batch 1,8"),
        (None, "0", "--batch 0"),
        (None, "1,a,3", "--batch 1,a,3"),
    ],
)
def test_malformed_profiles(model, sizes, batch, words):
    with pytest.raises(UsageError, match=words):
        profile_for(read_manifest(model), sizes, batch)


def test_profiles_follow_the_model(model):
    described = read_manifest(model)
    assert shapes(described, profile_for(described)) == ((1, 1, 8, 8), (8, 1, 36, 36), (64, 1, 160, 160))
    assert profile_for(described, "32", "4").batch == (4, 4, 4)
    chips = msgspec.structs.replace(described, kind="embedder", channels=3, input_size_px=(150, 150))
    assert shapes(chips, profile_for(chips)) == ((1, 3, 150, 150), (8, 3, 150, 150), (64, 3, 150, 150))
    with pytest.raises(UsageError, match="has one input size, 150x150 px"):
        profile_for(chips, "16..96")
    stepped = msgspec.structs.replace(described, size_rule=msgspec.structs.replace(described.size_rule, multiple_of=32))
    with pytest.raises(UsageError, match=r"takes multiples of 32 px from 1 px on: give 32\.\.160"):
        profile_for(stepped, "16..150")


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


def test_a_shipped_model_is_called_by_its_name(model):
    shipped = embedded_dir() / "srcnn_x2.json"
    assert (
        name_of(shipped, read_manifest(shipped)) == name_of(shipped.with_suffix(".onnx"), read_manifest(shipped)) == "srcnn_x2"
    )
    assert name_of(model, read_manifest(model)) == str(model)


def test_the_command_of_an_engine_for_a_gpu(model, shop):
    order = order_of(model, "tensorrt-rtx", "fp16", "8.9", "32..64", "8")
    assert command_of(order, Path("over there")) == (
        f"trt-build build {model} --target tensorrt-rtx --precision fp16 --sizes 32..64 --batch 8,8,8 --compute-capability 8.9 "
        "--pixels float --out 'over there'"
    )
    assert order.file == "tiny-tensorrt_rtx-sm89-fp16.engine"


def test_a_manifest_of_another_kind_is_kept_apart(model, tmp_path):
    described = msgspec.structs.replace(read_manifest(model), kind="second_look")
    write_manifest(described, model)
    with pytest.raises(UsageError, match="second look computes in float32"):
        order_of(model, "openvino", "bf16")

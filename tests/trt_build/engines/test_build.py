"""Engines are found, made, refused and repaired; what a manifest says of them."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.engine_manifest import engine_manifest_path, read_engine_manifest
from engine.contracts.manifest import read_manifest
from engine.errors import ModelError
from engine.models.catalog import embedded_dir
from engine.models.engine_command import name_of
from tests.trt_build.engines.networks import write_generator
from tests.trt_build.engines.orders import flip, order_of
from trt_build.engines import build as building
from trt_build.engines import targets
from trt_build.engines.build import build, command_of
from trt_build.engines.check import check
from trt_build.engines.parity import LIMITS
from trt_build.errors import DataError, ExportError

pytestmark = pytest.mark.usefixtures("quick_gate")


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
    "another version": (other_version, r"was built for onnxruntime 0\..*, not "),
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
    with pytest.raises(ModelError, match=r"was built for 8\.\.160 px at batch 1,8,64, not \d+\.\.\d+ px at batch 1,\d,\d\d"):
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
        with pytest.raises(ModelError, match=r"was built for calibration \w+, not \w+"):
            build(wanted, shop, no_build=True)


def test_what_else_made_it_belongs_to_it(model, shop, monkeypatch):
    monkeypatch.setattr(targets, "installed", lambda package: "9.9")
    assert building.key_of(order_of(model, precision="int8")).tool == "onnxruntime 9.9"
    assert building.key_of(order_of(model, "openvino", "int8")).tool == "onnxruntime 9.9"
    assert building.key_of(order_of(model, "ncnn")).tool == "pnnx 9.9"
    assert building.key_of(order_of(model)).tool == ""


def test_another_model_of_the_same_name_is_another_engine(model, shop, tmp_path):
    build(order_of(model), shop)
    write_generator(tmp_path, scale=3)
    with pytest.raises(ModelError, match=r"was built for model [0-9a-f]{12}, not [0-9a-f]{12}"):
        build(order_of(model), shop, no_build=True)


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
    with pytest.raises(DataError, match=r"int8 and fp8 need at least 500 real faces to calibrate on: give --calibration"):
        build(order_of(model, precision="int8"), shop)


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

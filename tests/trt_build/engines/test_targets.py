"""What each target computes, and of which kind of model."""

import dataclasses

import msgspec
import numpy as np
import pytest

from engine.contracts.manifest import read_manifest, write_manifest
from engine.errors import UsageError
from engine.models.catalog import embedded_dir
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX, held_settings
from engine.sessions.session import SessionSpec, open_session
from tests.trt_build.engines.orders import order_of
from trt_build.engines.targets import make, target_of


@pytest.mark.parametrize(
    ("target", "precision", "kind", "words"),
    [
        ("cuda", "fp32", "generator", "--target cuda: choose one of onnxruntime"),
        ("ncnn", "fp16", "generator", "--precision fp16: ncnn computes in fp32"),
        ("onnxruntime", "bf16", "generator", "--precision bf16: onnxruntime computes in fp32, fp16, int8"),
        ("openvino", "bf16", "embedder", "the embedder computes in float32 on every machine"),
        ("openvino", "bf16", "second_look", "the second look computes in float32 on every machine"),
        ("openvino", "fp32", "track", "no engine is built of a network of tracks"),
    ],
)
def test_what_a_target_cannot_do(target, precision, kind, words):
    with pytest.raises(UsageError, match=words):
        target_of(target, precision, kind)


def test_a_manifest_of_another_kind_is_kept_apart(model, tmp_path):
    described = msgspec.structs.replace(read_manifest(model), kind="second_look")
    write_manifest(described, model)
    with pytest.raises(UsageError, match="second look computes in float32"):
        order_of(model, "openvino", "bf16")


def test_what_tensorrt_rtx_is_told_by_onnx_runtime_lies_in_the_engine():
    path = embedded_dir() / "compact_fine_x4.json"
    order = dataclasses.replace(order_of(path, ON_RTX, "fp16", "8.9", "16..96", "1,8,64"), pixels="uint8")
    order = dataclasses.replace(order, profile=msgspec.structs.replace(order.profile, step_px=order.target.step_px))
    made = make(order)
    assert [(one.name, one.dtype) for one in made.inputs] == [("pixels", "uint8"), ("inside", "uint8")]
    assert held_settings(made.content, "it") == {
        f"nv_profile_{which}_shapes": f"pixels:{shape},inside:{shape}"
        for which, shape in (("min", "1x1x16x16"), ("opt", "8x1x39x39"), ("max", "64x1x96x96"))
    }
    other = make(dataclasses.replace(order, target=target_of(ON_CUDA, "fp16", "generator")))
    assert held_settings(other.content, "it") == {}
    picture = np.random.default_rng(0).integers(0, 256, (2, 1, 24, 16), np.uint8)
    found = []
    for content in (made.content, other.content):
        with open_session(SessionSpec(content)) as session:
            found += session.run({"pixels": picture, "inside": np.ones_like(picture)})
    np.testing.assert_array_equal(*found)
    assert found[0].shape == (2, 1, 96, 64)

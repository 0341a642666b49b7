"""What each target computes, and of which kind of model."""

import msgspec
import pytest

from engine.contracts.manifest import read_manifest, write_manifest
from engine.errors import UsageError
from tests.trt_build.engines.orders import order_of
from trt_build.engines.targets import target_of


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

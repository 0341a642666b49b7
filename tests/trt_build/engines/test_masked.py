"""A picture inside a larger one is enlarged to the same numbers, where a network can be told where it ends."""

import msgspec
import numpy as np
import onnx
import pytest
from onnx import helper

from engine.contracts.manifest import read_manifest, sha256_of, write_manifest
from engine.contracts.profile import Profile
from engine.models.catalog import embedded_dir
from engine.sessions.session import SessionSpec
from engine.super_resolve.manifest_generator import ManifestGenerator
from tests.trt_build.engines.networks import generator_model
from trt_build.engines.graph import plain_graph
from trt_build.engines.int8 import int8_graph
from trt_build.engines.masked import masked_graph
from trt_build.engines.pixels import pixel_graph
from trt_build.engines.targets import profile_on, target_of

SIZES = [(33, 40), (40, 40), (17, 23), (8, 9), (35, 38)]
FINE = embedded_dir() / "compact_fine_x4.json"


def masked(path=FINE):
    described = read_manifest(path)
    return masked_graph(plain_graph(path.with_name(described.file), described.output, described.name))


def as_generator(graph, folder, name, best=1):
    """Write an engine's graph with the manifest of its model, and open it as the engine is."""
    path = folder / f"{name}.onnx"
    onnx.save(graph, str(path))
    described = msgspec.structs.replace(read_manifest(FINE), file=path.name, sha256=sha256_of(path), batch=(1, best, 8))
    write_manifest(described, path.with_suffix(".json"))
    return ManifestGenerator(SessionSpec(path, "onnxruntime", profile=Profile(step_px=8)))


def pictures():
    rng = np.random.default_rng(7)
    return [rng.integers(0, 256, size).astype(np.uint8) for size in SIZES]


@pytest.mark.parametrize("best", [1, 4], ids=["one by one", "together"])
def test_padding_changes_no_level(tmp_path, best):
    expected = ManifestGenerator(SessionSpec(FINE, "onnxruntime")).upscale(pictures())
    generator = as_generator(masked(), tmp_path, "masked")
    generator.profile = msgspec.structs.replace(generator.profile, best=best)
    pairs = list(zip(generator.upscale(pictures()), expected, strict=True))
    assert [found.shape for found, _ in pairs] == [known.shape for _, known in pairs]
    different = np.concatenate([np.abs(found.astype(int) - known).ravel() for found, known in pairs])
    assert different.max() <= 1, "only what lies half-way between two levels"
    assert different.mean() <= 3e-4


def test_with_pixels_and_in_int8_too(tmp_path):
    expected = ManifestGenerator(SessionSpec(FINE, "onnxruntime")).upscale(pictures())
    pixels = as_generator(pixel_graph(masked(), read_manifest(FINE)), tmp_path, "pixels").upscale(pictures())
    assert max(np.abs(one.astype(int) - other).max() for one, other in zip(pixels, expected, strict=True)) <= 1
    faces = [np.random.default_rng(at).random((1, 1, 16, 16), np.float32) for at in range(2)]
    int8 = as_generator(int8_graph(masked(), faces, symmetric=False), tmp_path, "int8")
    assert [picture.shape for picture in int8.upscale(pictures())] == [picture.shape for picture in expected]


def test_who_can_be_told_where_the_picture_ends():
    spec = target_of("openvino", "bf16", "generator")
    steps = {
        path.stem: profile_on(spec, path, read_manifest(path)).step_px for path in sorted(embedded_dir().glob("*_x[248].json"))
    }
    assert {name for name, step in steps.items() if step == 8} == {"compact_fine_x4", "compact_identity_x4"}
    assert set(steps.values()) == {1, 8}
    assert profile_on(target_of("onnxruntime", "fp16", "generator"), FINE, read_manifest(FINE)).step_px == 1


def test_what_looks_beyond_the_picture_is_not_masked():
    def changed(change):
        model = generator_model()
        change(model.graph)
        return masked_graph(model)

    def named(graph, name):
        return next(node for node in graph.node if node.name == name)

    def stride(graph):
        named(graph, "middle").attribute.append(helper.make_attribute("strides", [2, 2]))

    def wide(graph):
        del named(graph, "middle").attribute[:]
        named(graph, "middle").attribute.append(helper.make_attribute("pads", [0] * 4))

    def mean(graph):
        named(graph, "relu_b").op_type = "GlobalAveragePool"

    def late(graph):
        shuffle = named(graph, "shuffle")
        shuffle.output[0] = "large"
        graph.node.append(helper.make_node("Conv", ["large", "tail"], ["enhanced"], pads=[1] * 4))

    assert changed(lambda graph: None) is not None
    assert [changed(one) for one in (stride, wide, mean, late)] == [None] * 4

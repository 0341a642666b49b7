"""With the conversion of pixels inside its graph a generator draws the same pictures as with it outside."""

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from engine.contracts.manifest import SizeRule, read_manifest, sha256_of, write_manifest
from engine.errors import UsageError
from engine.models.catalog import embedded_dir
from engine.sessions.session import SessionSpec
from engine.super_resolve.manifest_generator import ManifestGenerator
from tests.super_resolve.networks import write_network
from trt_build.engines.graph import plain_graph
from trt_build.engines.pixels import pixel_graph
from trt_build.engines.targets import pixels_of, target_of

NETWORKS = {
    "luma": {"gain": [1.13], "offset": -0.031},
    "luma, -1 to 1": {"value_range": (-1.0, 1.0), "gain": [0.87], "offset": 0.1},
    "luma, 0 to 255": {"value_range": (0.0, 255.0), "gain": [1.3], "offset": -20.0},
    "rgb": {"channels": 3, "colour": "rgb", "gain": [0.5, 1.0, 1.5]},
    "bgr": {"channels": 3, "colour": "bgr", "gain": [0.5, 1.0, 1.5], "value_range": (-1.0, 1.0)},
    "rgb in float16": {"channels": 3, "colour": "rgb", "dtype": "float16"},
    "padded to 8": {"size_rule": SizeRule(16, 8)},
}


def with_pixels(manifest_path, folder):
    """Write the same generator with pixels in and out; return its manifest."""
    described = read_manifest(manifest_path)
    graph = plain_graph(manifest_path.with_name(described.file), described.output, described.name)
    made = pixel_graph(graph, described)
    onnx.checker.check_model(made)
    path = folder / "pixels.onnx"
    onnx.save(made, str(path))
    write_manifest(
        msgspec.structs.replace(described, file=path.name, sha256=sha256_of(path), output=""), path.with_suffix(".json")
    )
    return path


def pictures(colour):
    rng = np.random.default_rng(3)
    sizes = [(24, 31), (16, 16), (5, 9), (24, 31)]
    return [rng.integers(0, 256, size if colour == "luma" else (*size, 3)).astype(np.uint8) for size in sizes]


def off(manifest_path, folder):
    """Return how far each level is from that of the generator as it is."""
    plain = ManifestGenerator(SessionSpec(manifest_path, "onnxruntime"))
    inside = ManifestGenerator(SessionSpec(with_pixels(manifest_path, folder), "onnxruntime"))
    seen = pictures(plain.colour)
    pairs = zip(plain.upscale(seen), inside.upscale(seen), strict=True)
    return np.concatenate([np.abs(one.astype(int) - other).ravel() for one, other in pairs])


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_same_pictures(tmp_path, network):
    found = off(write_network(tmp_path, mode="linear", **network), tmp_path)
    assert found.max() <= 1, "only what lies half-way between two levels may go the other way"
    assert found.mean() < 2e-3


def test_the_default_generator_draws_the_same(tmp_path):
    assert off(embedded_dir() / "compact_fine_x4.json", tmp_path).mean() < 1e-4


def test_it_takes_a_quarter_of_the_bytes(tmp_path):
    path = with_pixels(write_network(tmp_path, channels=3, colour="rgb"), tmp_path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ends = [(node.name, node.type, node.shape[-1]) for node in (*session.get_inputs(), *session.get_outputs())]
    assert ends == [("pixels", "tensor(uint8)", 3), ("enlarged", "tensor(uint8)", 3)]


def test_where_pixels_are_the_default():
    on_gpu, on_cpu = target_of("tensorrt-rtx", "fp16", "generator"), target_of("onnxruntime", "fp16", "generator")
    assert pixels_of(on_gpu, "generator", capability="8.9") == "uint8"
    assert pixels_of(on_gpu, "embedder", capability="8.9") == pixels_of(on_cpu, "generator") == "float"
    assert pixels_of(on_cpu, "generator", "uint8") == "uint8"
    with pytest.raises(UsageError, match="--pixels uint8: it is for generators"):
        pixels_of(on_gpu, "detector", "uint8")
    with pytest.raises(UsageError, match="ncnn takes what its model takes"):
        pixels_of(target_of("ncnn", "fp32", "generator"), "generator", "uint8")

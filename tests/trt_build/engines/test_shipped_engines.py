"""Every model that ships becomes an engine of TensorRT-RTX, on a machine without a GPU; what was built is looked at.

Every one of them for every compute capability, in fp32 and fp16; `make engines` shows their sizes in a table.
"""

import re
from collections import Counter

import pytest

pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")

import numpy as np
import onnx

from engine.contracts.engine_manifest import read_engine_manifest
from engine.contracts.manifest import read_manifest
from engine.models.catalog import embedded_manifests, models_dir
from engine.models.dlib_embedder import dlib_embedder
from engine.sessions.tensorrt_api import FLAVOURS, tensorrt
from trt_build.engines import targets, tensorrt_engine
from trt_build.engines.build import Workshop, build
from trt_build.engines.half import cast_graph
from trt_build.engines.profiles import shapes
from trt_build.engines.targets import Order, make, pixels_of, profile_on, target_of
from trt_build.engines.tensorrt_engine import build_engine
from trt_build.errors import ExportError

PRECISIONS = ("fp32", "fp16")


SHIPPED = [path for path in embedded_manifests() if read_manifest(path).kind != "track"]


@pytest.fixture(scope="module")
def manifests():
    dlib = dlib_embedder(models_dir())
    return {path.stem: path for path in [*SHIPPED, dlib, dlib.with_name("dlib_small.json")]}


def order_of(path, precision, capability):
    described = read_manifest(path)
    spec = target_of("tensorrt-rtx", precision, described.kind)
    pixels = pixels_of(spec, described.kind, capability=capability)
    return Order(path, described, spec, precision, profile_on(spec, path, described), capability, pixels=pixels)


@pytest.mark.parametrize("capability", FLAVOURS["tensorrt-rtx"].capabilities)
@pytest.mark.parametrize("name", [*(path.stem for path in SHIPPED), "dlib", "dlib_small"])
def test_every_shipped_model(manifests, tmp_path, name, capability):
    """Turing (7.5) computes no matrix product in float32: what ends in one is built for it in another way."""
    shop = Workshop(tmp_path, lambda sentence: None, lambda what, done, total: None)
    made = {precision: build(order_of(manifests[name], precision, capability), shop) for precision in PRECISIONS}
    shipped = onnx.load(str(manifests[name].with_name(read_manifest(manifests[name]).file)))
    for precision, engine in made.items():
        manifest = read_engine_manifest(engine.path)
        assert manifest.key.compute_capability == capability
        assert manifest.key.target_version == tensorrt("tensorrt-rtx").version
        assert engine.path.read_bytes().startswith(b"vtrt")
        (entry, *mask), exits = manifest.inputs, manifest.outputs
        assert [one.name for one in mask] == (["inside"] if manifest.key.profile.step_px > 1 else [])
        if manifest.kind == "generator":
            assert [(one.name, one.dtype) for one in (entry, *exits)] == [("pixels", "uint8"), ("enlarged", "uint8")]
        else:  # in the types of the model, whatever it computes in
            assert (entry.name, entry.dtype) == (shipped.graph.input[0].name, read_manifest(manifests[name]).dtype)
            assert [(one.name, one.dtype) for one in exits] == [(value.name, "float32") for value in shipped.graph.output]
        assert entry.shape[0] is None, "the batch is free"
        assert bool(manifest.kept_in_float32) == (precision != "fp32")
        assert manifest.parity.verdict == "not run"
        assert not manifest.usable_by_auto
    if read_manifest(manifests[name]).parameters > 100_000:
        assert made["fp16"].manifest.size_bytes < made["fp32"].manifest.size_bytes


@pytest.mark.parametrize(
    ("precision", "capability", "kind"),
    [
        ("fp16", "8.9", "half"),
        ("bf16", "8.9", "bf16"),
        ("int8", "7.5", "int8"),
        ("fp8", "8.9", "fp8_e4m3"),
        ("fp8", "12.0", "fp8_e4m3"),
    ],
)
def test_the_program_inside_computes_in_what_was_asked_for(manifests, monkeypatch, precision, capability, kind):
    """It lies in an engine as text, so that the types of what goes between its kernels are seen without a driver."""
    faces = [np.random.default_rng(at).random((1, 1, 24, 24), np.float32) for at in range(2)]
    monkeypatch.setattr(targets, "calibration_inputs", lambda manifest, profile, source: (faces, "noise"))
    plain, cast = (types_in(order_of(manifests["compact_fine_x4"], one, capability)) for one in ("fp32", precision))
    assert cast[kind] - plain[kind] >= 16, (plain, cast)


def types_in(order):
    return Counter(re.findall(r" type=([a-z0-9_]+) \}", make(order).content.decode("latin-1")))


def test_the_profile_that_is_built_is_the_one_that_is_asked_for(manifests, monkeypatch):
    seen = []

    class Spy:
        def __init__(self, builder):
            self._builder = builder

        def __getattr__(self, name):
            return getattr(self._builder, name)

        def create_optimization_profile(self):
            seen.append(self._builder.create_optimization_profile())
            return seen[-1]

    original = tensorrt_engine._config
    monkeypatch.setattr(tensorrt_engine, "_config", lambda rt, builder, *rest: original(rt, Spy(builder), *rest))
    order = order_of(manifests["compact_fine_x4"], "fp32", "8.6")
    make(order)
    for name in ("pixels", "inside"):
        assert [tuple(shape) for shape in seen[0].get_shape(name)] == [
            tuple(shape) for shape in shapes(order.manifest, order.profile)
        ]


def test_what_cannot_be_parsed_or_built_is_one_sentence():
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["": 18, "custom": 1]>\nagraph (float[N, 1, H, W] luma) => (float[N, 1, H, W] y) '
        "{ y = custom.Unheard (luma) }"
    )
    small = ((1, 1, 16, 16), (8, 1, 32, 32), (64, 1, 96, 96))
    with pytest.raises(ExportError, match=r"^TensorRT-RTX 1\.\S+ cannot read odd at Unheard: ") as refused:
        build_engine("tensorrt-rtx", model, "odd", {"luma": small}, "8.9")
    assert "\n" not in str(refused.value)


def test_bfloat16_is_built_where_the_gpu_has_it(manifests):
    content = make(order_of(manifests["srcnn_x2"], "bf16", "8.0")).content
    assert content.startswith(b"vtrt")
    half = cast_graph(onnx.load(str(manifests["srcnn_x2"].with_suffix(".onnx"))), "bf16")
    small = ((1, 1, 16, 16), (8, 1, 32, 32), (64, 1, 96, 96))
    with pytest.raises(ExportError, match=r"srcnn_x2: .*sm75"):
        build_engine("tensorrt-rtx", half, "srcnn_x2", {half.graph.input[0].name: small}, "7.5")

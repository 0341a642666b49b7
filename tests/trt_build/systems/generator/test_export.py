"""Export: one self-contained file, dynamic sizes, equal to torch, described by its manifest."""

import shutil

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="exporting needs torch")
pytest.importorskip("onnxscript", reason="exporting needs onnxscript")

from engine.contracts.manifest import read_manifest  # noqa: E402
from engine.errors import ModelError  # noqa: E402
from engine.sessions.session import RUNTIMES, SessionSpec, open_session  # noqa: E402
from engine.super_resolve.manifest_generator import ManifestGenerator  # noqa: E402
from tests.sessions.processors import need  # noqa: E402
from tests.trt_build.tiny import tiny_recipe  # noqa: E402
from trt_build.errors import ExportError  # noqa: E402
from trt_build.networks.onnx_generator import OnnxGenerator  # noqa: E402
from trt_build.recipes.generator import GeneratorSpec  # noqa: E402
from trt_build.systems.generator import export  # noqa: E402
from trt_build.systems.generator import state as states  # noqa: E402
from trt_build.systems.generator.export import export_checkpoint  # noqa: E402
from trt_build.systems.generator.parity import SHAPES, check_parity  # noqa: E402
from trt_build.systems.generator.validation import enlarge_with  # noqa: E402
from trt_build.training.onnx_file import OPSET  # noqa: E402

RRDN = GeneratorSpec(name="rrdn", options={"width": 4, "blocks": 1, "refine_width": 4})


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    state = states.new_state(tiny_recipe())
    with torch.no_grad():
        state.ema.last.weight.normal_(0, 0.05)
    state.save(folder / "last.pt", states.SCHEMA)
    (manifest,) = export_checkpoint(folder / "last.pt", folder / "out", None, "Apache-2.0", "none")
    return state, manifest, folder / "out" / "tiny.onnx"


def test_parity_holds_on_odd_sizes(exported):
    state, manifest, path = exported
    assert manifest.parity.max_abs_error < 1e-5
    assert len(manifest.parity.checked_shapes) == len(SHAPES)
    assert check_parity(state.ema, path, ((2, 1, 3, 50),)).max_abs_error < 1e-5


def test_another_network_is_noticed(exported):
    state, _, path = exported
    assert check_parity(state.model, path, ((1, 1, 8, 8),)).max_abs_error > 1e-3


def test_manifest_describes_the_file(exported):
    _, manifest, path = exported
    assert read_manifest(path.with_suffix(".json")) == manifest
    assert (manifest.kind, manifest.scale, manifest.channels) == ("generator", 4, 1)


def test_file_is_alone_and_notes_nothing_of_this_machine(exported):
    path = exported[2]
    assert {p.name for p in path.parent.iterdir()} == {"tiny.onnx", "tiny.json", "tiny.safetensors"}
    assert b"site-packages" not in path.read_bytes()
    assert b".py" not in path.read_bytes()
    model = onnx.load(path)
    assert model.opset_import[0].version == OPSET
    assert {node.domain for node in model.graph.node} == {""}


def test_runs_as_the_network_does(exported):
    state, _, path = exported
    faces = np.random.default_rng(0).integers(0, 256, (3, 9, 11), dtype=np.uint8)
    found = OnnxGenerator(path)(faces)
    assert found.shape == (3, 36, 44)
    assert np.abs(found.astype(int) - enlarge_with(state.ema, faces)).max() <= 1


def test_a_bad_export_is_refused(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    monkeypatch.setattr(export, "export_module", lambda _, path: path.write_bytes(onnx_bytes))
    onnx_bytes = exported[2].read_bytes()
    checkpoint = exported[2].parents[1] / "last.pt"
    with pytest.raises(ExportError, match="differs from its network"):
        export_checkpoint(checkpoint, tmp_path, None, "x", None)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(exported, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "out" / "tiny.safetensors").mkdir(parents=True)
    for folder in ("file", "out"):
        with pytest.raises(ExportError, match=rf"The folder '.*{folder}' cannot be written to: \w+"):
            export_checkpoint(exported[2].parents[1] / "last.pt", tmp_path / folder, None, "x", None)


def test_evaluation_needs_a_manifest(exported, tmp_path):
    shutil.copy(exported[2], tmp_path / "bare.onnx")
    with pytest.raises(ModelError, match=r"bare\.onnx has no manifest"):
        OnnxGenerator(tmp_path / "bare.onnx")


@pytest.fixture(scope="module")
def two_scales(tmp_path_factory):
    """State, manifests and folder of an exported network that gives x4 and x8."""
    folder = tmp_path_factory.mktemp("two")
    state = states.new_state(tiny_recipe(generator=RRDN))
    with torch.no_grad():
        for parameter in state.ema.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    state.save(folder / "last.pt", states.SCHEMA)
    return state, export_checkpoint(folder / "last.pt", folder / "out", "two", "Apache-2.0", "none"), folder / "out"


def test_a_network_of_two_scales_is_one_file_with_two_manifests(two_scales):
    state, manifests, folder = two_scales
    assert {path.name for path in folder.iterdir()} == {"two.onnx", "two_x4.json", "two_x8.json", "two.safetensors"}
    assert [read_manifest(folder / f"{one.name}.json") for one in manifests] == manifests
    assert [(one.file, one.output, one.scale) for one in manifests] == [
        ("two.onnx", "enhanced_x4", 4),
        ("two.onnx", "enhanced_x8", 8),
    ]
    weights = sum(value.numel() for value in state.ema.state_dict().values())
    assert sum(np.prod(one.dims, dtype=int) for one in onnx.load(folder / "two.onnx").graph.initializer) < 1.1 * weights
    with pytest.raises(ModelError, match=r"each of its scales: give one of two_x4\.json, two_x8\.json"):
        OnnxGenerator(folder / "two.onnx")


def test_one_run_of_the_session_gives_both_pictures(two_scales):
    state, _, folder = two_scales
    luma = np.random.default_rng(0).random((2, 1, 6, 7), np.float32)
    with torch.inference_mode():
        expected = state.ema.pyramid(torch.from_numpy(luma))
    with open_session(SessionSpec(folder / "two.onnx", "onnxruntime")) as session:
        assert [spec.name for spec in session.outputs] == ["enhanced_x4", "enhanced_x8"]
        found = session.run({"luma": luma})
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_each_manifest_drives_its_picture(two_scales, runtime):
    need(runtime)
    state, manifests, folder = two_scales
    low = np.random.default_rng(0).integers(0, 256, (6, 7), dtype=np.uint8)
    with torch.inference_mode():
        pictures = state.ema.pyramid(torch.from_numpy(low)[None, None].float() / 255)
    for manifest, picture in zip(manifests, pictures, strict=True):
        generator = ManifestGenerator(SessionSpec(folder / f"{manifest.name}.json", runtime))
        (found,) = generator.upscale([low])
        generator.close()
        expected = (picture.clamp(0, 1) * 255).round().numpy()[0, 0]
        assert generator.scale == manifest.scale
        assert np.abs(found.astype(int) - expected).max() <= 1


def test_training_can_begin_with_each_of_the_files(two_scales):
    state, _, folder = two_scales
    for file in ("two_x4.json", "two_x8.json", "two.safetensors"):
        begun = states.new_state(tiny_recipe(generator=RRDN, start={"": str(folder / file)}))
        assert all(torch.equal(value, begun.model.state_dict()[key]) for key, value in state.ema.state_dict().items())

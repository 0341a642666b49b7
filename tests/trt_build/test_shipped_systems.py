"""Every generator that is shipped: file, recipe, manifest and card belong together, and it enlarges."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.contracts.manifest import read_manifest
from tests.assets import shared
from trt_build.data.general_sets import load_sets
from trt_build.networks.onnx_generator import OnnxGenerator
from trt_build.protocols.generators.general import measure_general
from trt_build.protocols.generators.methods import by_scale, open_model
from trt_build.protocols.generators.options import Options
from trt_build.recipes.generator import read_recipe

MODELS = Path(__file__).parents[2] / "engine" / "models"
RECIPES = Path(__file__).parents[2] / "configs" / "train"
GENERATORS = sorted(path for path in MODELS.glob("*.json") if read_manifest(path).kind == "generator")
LARGEST_BYTES = 8_000_000


@pytest.fixture(params=GENERATORS, ids=lambda path: path.stem)
def shipped(request):
    return OnnxGenerator(request.param)


def test_every_system_is_there():
    srcnn = {"srcnn_x2", "srcnn_x3", "srcnn_x4", "srcnn_srgan_x4"}
    others = {"redeg_x4", "zssr_srgan_x2", "rrdn_compact_x4", "rrdn_compact_x8"}
    assert srcnn | others <= {path.stem for path in GENERATORS}


def test_file_manifest_and_card_tell_the_same(shipped):
    manifest, path = shipped.manifest, shipped.manifest_path
    card = path.with_name(f"{Path(manifest.file).stem}.md").read_text(encoding="utf-8")
    assert manifest.sha256 in card
    assert manifest.parity.max_abs_error < 1e-4
    assert path.with_name(manifest.file).stat().st_size < LARGEST_BYTES
    assert manifest.figures, "measured"
    assert f"{manifest.parameters:,}" in card
    assert "**On faces**" in card or manifest.name.startswith("compact"), "a card says plainly what it is worth on faces"


def recipe_of(shipped):
    """The recipe that a shipped generator was made by."""
    for path in RECIPES.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if f"name: {Path(shipped.manifest.file).stem}\n" in text:
            return read_recipe(path)
    raise AssertionError(f"{shipped.manifest.file} has no recipe")


def test_training_can_go_on_from_what_is_shipped(shipped):
    torch = pytest.importorskip("torch", reason="training needs torch")
    from trt_build.networks.generators.catalog import build_generator, pictures_of
    from trt_build.systems.generator.state import load_trained

    spec = recipe_of(shipped).generator
    network = build_generator(spec.name, spec.options).eval()
    load_trained(network, shipped.manifest.name)
    low = np.random.default_rng(0).integers(0, 256, (1, 12, 10), dtype=np.uint8)
    with torch.inference_mode():
        pictures = pictures_of(network, torch.from_numpy(low)[:, None].float() / 255)
    (fitting,) = [picture for picture in pictures if picture.shape[-1] == 10 * shipped.scale]
    levels = (255 * fitting[:, 0].clamp(0, 1)).round().numpy()
    assert np.abs(levels - shipped(low)).max() <= 1


def test_enlarges_any_size_and_keeps_what_it_shows(shipped):
    low = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (30, 26), dtype=np.uint8), (0, 0), 3)
    low = np.asarray(cv2.normalize(low, None, 30, 220, cv2.NORM_MINMAX), np.uint8)
    result = shipped(low[None])[0]
    assert result.shape == (30 * shipped.scale, 26 * shipped.scale)
    back = cv2.resize(result, (26, 30), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(back - low)[3:-3, 3:-3].mean() < 8


@pytest.mark.parametrize(("name", "least_db"), [("srcnn_x2", 35.0), ("srcnn_x3", 31.5), ("srcnn_x4", 29.5)])
def test_srcnn_on_set5(name, least_db, tmp_path):
    sets = {"Set5": load_sets(shared("data/general_sr/test.zip"))["Set5"]}
    rows, _ = measure_general(sets, by_scale([open_model(name)], "general"), Options(0, tmp_path), lambda *_: None)
    (found,) = [row.figures["psnr_db"].value for row in rows if row.method == name]
    assert found >= least_db

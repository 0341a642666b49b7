"""DegNet and SynNet are trained from start to end, go on where they stopped, and make a bank."""

import zipfile

import cv2
import msgspec
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from tests.trt_build.systems.redeg.made import clip_of_a_face, recipe_of  # noqa: E402
from tests.trt_build.tiny import Silent, smooth_faces, tiny_recipe  # noqa: E402
from trt_build.errors import RecipeError, TrainingError  # noqa: E402
from trt_build.recipes.degradations import LearnedSpec  # noqa: E402
from trt_build.recipes.files import find_recipe, read_recipe_of  # noqa: E402
from trt_build.recipes.redeg import RedegRecipe  # noqa: E402
from trt_build.recipes.timed import BudgetSpec  # noqa: E402
from trt_build.systems.redeg.bank import learned_bank, make_bank  # noqa: E402
from trt_build.systems.redeg.training import load_redeg, real_faces, train_redeg  # noqa: E402

SILENT = lambda *_: None  # noqa: E731
FACES = smooth_faces(6, 64)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redeg")
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        for name, image in zip(FACES.names, FACES.images, strict=True):
            archive.writestr(name, cv2.imencode(".png", image)[1].tobytes())
    return folder, clip_of_a_face(folder / "clip.mp4")


@pytest.fixture(scope="module")
def run(material):
    folder, clip = material
    watcher = Silent()
    state = train_redeg(recipe_of(folder, clip), folder / "run", watcher)
    return folder / "run", state, watcher


def test_a_run_leaves_networks_figures_and_pictures(run):
    folder, state, watcher = run
    assert state.clock.step == len(watcher.losses) == 3
    assert np.isfinite(watcher.losses).all()
    assert {"pixel", "same", "adversarial", "rival"} <= set(watcher.parts)
    assert {"last.pt", "best.pt", "validation.csv", "samples-000003.png"} <= {path.name for path in folder.iterdir()}
    assert watcher.rows[-1]["merit"] == state.best


def test_a_run_goes_on_exactly(material, run, tmp_path):
    folder, clip = material
    recipe = recipe_of(folder, clip)
    train_redeg(msgspec.structs.replace(recipe, budget=BudgetSpec(steps=3)), tmp_path, Silent())
    first, again = (torch.load(path / "last.pt", weights_only=True) for path in (run[0], tmp_path))
    for key, value in first["ema"].items():
        assert torch.equal(value, again["ema"][key]), key
    more = msgspec.structs.replace(recipe, budget=BudgetSpec(steps=5))
    assert train_redeg(more, tmp_path, Silent(), resume=True).clock.step == 5
    with pytest.raises(RecipeError, match="--resume"):
        train_redeg(recipe, tmp_path, Silent())


def test_a_bank_has_every_face_as_real_ones_are(material, run, tmp_path):
    model, recipe = load_redeg(run[0] / "best.pt")
    real = real_faces(recipe, tmp_path, SILENT)
    assert real[0].shape == (len(real[1]), 64, 64)
    spec = LearnedSpec(checkpoint=str(run[0] / "best.pt"), passes=2)
    bank = make_bank(model, FACES.images, real, spec, 7)
    assert bank.shape == (2, 6, 16, 16)
    np.testing.assert_array_equal(bank, make_bank(model, FACES.images, real, spec, 7))
    assert not np.array_equal(bank[0], bank[1])
    data = msgspec.structs.replace(tiny_recipe().data, hr_px=64)
    generator = tiny_recipe(data=data, learned=spec)
    kept = learned_bank(FACES.images, generator, tmp_path, SILENT)
    np.testing.assert_array_equal(kept, bank)
    learned_bank(FACES.images, generator, tmp_path, lambda *_: pytest.fail("made again"))
    with pytest.raises(RecipeError, match="hr_px 64"):
        learned_bank(FACES.images, tiny_recipe(learned=spec), tmp_path, SILENT)
    with pytest.raises(TrainingError, match=r"none\.pt"):
        learned_bank(
            FACES.images, msgspec.structs.replace(generator, learned=LearnedSpec(checkpoint="none.pt")), tmp_path, SILENT
        )


def test_wrong_recipes_are_one_sentence(material, tmp_path):
    folder, clip = material
    with pytest.raises(RecipeError, match="no generator 'nobody'"):
        real_faces(msgspec.structs.replace(recipe_of(folder, clip), restorer="nobody"), tmp_path, SILENT)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"footage": {"clips": ["a.mkv"], "crf_min": 40, "crf_max": 30}}, "crf_min and crf_max"),
        ({"swap": 1.5}, "swap"),
        ({"loss": {"pixels": 1}}, "pixels"),
    ],
)
def test_a_recipe_with_a_mistake_is_named_with_its_key(tmp_path, change, says):
    plain = {
        "name": "x",
        "faces": "a.zip",
        "validation_faces": "b.zip",
        "footage": {"clips": ["a.mkv"]},
        "budget": {"steps": 1},
    }
    (tmp_path / "recipe.yaml").write_bytes(msgspec.yaml.encode(plain | change))
    with pytest.raises(RecipeError, match=says):
        read_recipe_of(RedegRecipe, tmp_path / "recipe.yaml")


def test_the_shipped_recipe_is_one():
    assert read_recipe_of(RedegRecipe, find_recipe("redeg_networks")).restorer == "compact_fine_x4"

"""Recipes: the shipped one is valid, mistakes are named with their line."""

from pathlib import Path

import pytest

from trt_build.errors import RecipeError
from trt_build.recipes.detector import DetectorRecipe
from trt_build.recipes.embedder import EmbedderRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.recipes.generator import Recipe, read_recipe
from trt_build.recipes.second_look import SecondLookRecipe
from trt_build.recipes.timed import for_minutes
from trt_build.recipes.track import TrackRecipe

GOOD = "name: a\ndata: {train: a.zip, validation: b.zip}\nbudget: {steps: 3}\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


def test_every_shipped_recipe_is_valid():
    folder = Path(__file__).parents[3] / "configs" / "train"
    kinds = {
        "grey_detector": DetectorRecipe,
        "second_look": SecondLookRecipe,
        "compact_track": TrackRecipe,
        "low_resolution_embedder": EmbedderRecipe,
    }
    paths = [path for path in folder.glob("*.yaml") if path.stem != "redeg_networks"]
    recipes = [read_recipe_of(kinds.get(path.stem, Recipe), path) for path in paths]
    names = {recipe.name for recipe in recipes}
    assert names >= {"compact_x4", "grey", "dlib_small", "srcnn_x2", "srcnn_srgan_x4", "rrdn_compact", "redeg_x4"}
    assert len(names) == len(recipes)


def test_minimal_recipe(tmp_path):
    assert read_recipe(write(tmp_path, GOOD)).batch == 16


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (GOOD + "bacth: 8\n", "bacth"),
        (GOOD + "batch: many\n", "batch"),
        (GOOD + "batch: 0\n", "batch"),
        (GOOD + "seed: -1\n", "seed"),
        (GOOD + "loaders: -1\n", "loaders"),
        (GOOD + "batch: 8\nbatch: 9\n", "line 5: batch: this key appears twice"),
        (GOOD + "optimiser: {clip_norm: 0}\n", "optimiser.clip_norm"),
        (GOOD + "loss: {pixel_weight: 0, fourier_weight: 0}\n", "one weight besides the adversarial one must be above 0"),
        (GOOD + "late: [{from_step: 9, mixture: {}}, {from_step: 5, mixture: {}}]\n", "in the order of from_step"),
        (GOOD.replace("train: a.zip", "kind: small_faces, train: a.zip"), "leave validation out"),
        (GOOD.replace("train: a.zip", "kind: photographs, sizes_px: [8], train: a.zip"), "leave sizes_px out"),
        (GOOD + "optimiser:\n  rate: fast\n", "optimiser.rate"),
        (GOOD + "loss: {pixel: l3}\n", "line 4: loss.pixel: unknown value 'l3'; allowed: charbonnier, l1, mse, psnr"),
        (GOOD + "loss: {adversarial: {weight: 1, loss: w}}\n", "unknown value 'w'; allowed: bce, hinge, relativistic"),
        (GOOD + "loss: {adversarial: {weigth: 1}}\n", "loss.adversarial.weigth: unknown key; did you mean weight?"),
        (GOOD.replace("{steps: 3}", "{}"), "exactly one of minutes and steps"),
        (GOOD + "h264: {crf_min: 40, crf_max: 30}\n", "crf_min"),
        (GOOD + "mixture: {clean: 0, first_order: 0, second_order: 0, h264: 0}\n", "share"),
        ("name: [", "not YAML"),
    ],
)
def test_mistakes_are_named(tmp_path, text, named):
    with pytest.raises(RecipeError) as caught:
        read_recipe(write(tmp_path, text))
    assert named in str(caught.value)
    assert caught.value.exit_code == 2


def test_unknown_key_names_its_line(tmp_path):
    with pytest.raises(RecipeError, match="line 4"):
        read_recipe(write(tmp_path, GOOD + "bacth: 8\n"))


def test_find_by_name_and_missing():
    assert find_recipe("compact").name == "compact.yaml"
    with pytest.raises(RecipeError, match="known: compact"):
        find_recipe("nothing")
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(find_recipe("nothing.yaml"))


def test_other_minutes_must_be_some():
    recipe = read_recipe(find_recipe("compact"))
    assert for_minutes(recipe, 2).budget.minutes == 2
    for wrong in (0, -1, float("nan")):
        with pytest.raises(RecipeError, match="--minutes must be above 0"):
            for_minutes(recipe, wrong)

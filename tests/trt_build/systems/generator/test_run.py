"""Every recipe of a generator can be trained from start to end."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from tests.trt_build.tiny import Silent
from trt_build.errors import DataError
from trt_build.recipes.files import find_recipe
from trt_build.recipes.generator import Recipe, ValidationSpec, read_recipe
from trt_build.recipes.timed import BudgetSpec
from trt_build.systems.generator import prepare, run
from trt_build.systems.generator.smoke import smoke_recipe
from trt_build.systems.generator.state import load_generator

NOT_GENERATORS = {"grey_detector", "second_look", "low_resolution_embedder", "redeg_networks", "compact_track"}
RECIPES = sorted({path.stem for path in find_recipe("compact").parent.glob("*.yaml")} - NOT_GENERATORS)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_runs_from_start_to_end(tmp_path, monkeypatch, name):
    def brief(recipe: Recipe) -> Recipe:
        few = {"budget": BudgetSpec(steps=3), "batch": 2, "validation": ValidationSpec(faces=2), "loaders": 0}
        return msgspec.structs.replace(smoke_recipe(recipe), **few)

    monkeypatch.setattr(run, "smoke_recipe", brief)
    monkeypatch.setattr(prepare, "SMOKE_FACES", 8)
    recipe, watcher = read_recipe(find_recipe(name)), Silent()
    state = run.train(recipe, tmp_path, watcher, smoke=True)
    assert state.clock.step == len(watcher.losses) == 3
    assert np.isfinite(watcher.losses).all()
    assert ("adversarial" in watcher.parts) == (recipe.loss.adversarial is not None)
    assert watcher.rows[-1]["merit"] == state.best
    assert {"last.pt", "best.pt", "validation.csv", "samples-000003.png"} <= {path.name for path in tmp_path.iterdir()}
    network, again, _ = load_generator(tmp_path / "best.pt")
    assert again.generator == recipe.generator
    assert not network.training


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be made"):
        run.train(read_recipe(find_recipe("compact")), Path(tmp_path / "file" / "run"), Silent(), smoke=True)

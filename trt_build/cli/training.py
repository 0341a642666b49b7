"""The command `train` of detectors, second looks, embedders and learned degradation: the same for every kind of recipe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App
from rich.console import Console

from trt_build.cli.progress import RunProgress
from trt_build.optional import require
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.recipes.timed import TimedRecipe, for_minutes

if TYPE_CHECKING:
    from trt_build.training.run_state import RunState

CONSOLE = Console(markup=False)
System = tuple[type[TimedRecipe], "Callable[..., RunState[Any, Any]]"]
"""The kind of a recipe, and the training function: `(recipe, folder, watcher, *, resume)` to the final state."""


def add_train(app: App, summary: str, usual: str, load: Callable[[], System], *, told: str = "", default: bool = False) -> None:
    """Give `app` the command `train`.

    Args:
        app: of a system.
        summary: of the help: what is trained.
        usual: the recipe that ships.
        load: called once torch is known to be installed.
        told: printed after a run, formatted with the final ``state``.
        default: whether `usual` is the default recipe.
    """

    def train(recipe: str, *, out: Path | None = None, resume: bool = False, minutes: float | None = None) -> None:
        require("torch", "Training")
        kind, run = load()
        chosen = read_recipe_of(kind, find_recipe(recipe))
        if minutes is not None:
            chosen = for_minutes(chosen, minutes)
        folder = out or Path("runs") / chosen.name
        with RunProgress(CONSOLE) as progress:
            state = run(chosen, folder, progress, resume=resume)
        minutes_taken = f"{state.clock.step} steps in {state.clock.seconds / 60:.1f} minutes"
        CONSOLE.print(f"{minutes_taken}{told.format(state=state)}: {folder / 'best.pt'}", soft_wrap=True)

    train.__doc__ = f"""{summary}

    For example:

        trt-build {app.name[0]} train {usual}

    Parameters
    ----------
    recipe
        A recipe file, or the name of one that ships (as `{usual}`).
    out
        Folder of the run; `runs/NAME` if not given.
    resume
        Continue the run that is in the folder.
    minutes
        Train this long instead of the recipe's budget.
    """
    if default:
        train.__defaults__ = (usual,)
    app.command(train)

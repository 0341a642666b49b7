"""The commands `trt-build redeg ...`. Thin; the work is in ``trt_build.redeg``."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from trt_build.optional import require

CONSOLE = Console()

redeg_app = App(name="redeg", help="Learn what real footage does to faces, for the training of generators.", help_epilogue="")


@redeg_app.command
def train(
    recipe: str = "redeg_networks", *, out: Path | None = None, resume: bool = False, minutes: float | None = None
) -> None:
    """Train DegNet and SynNet.

    Parameters
    ----------
    recipe
        A recipe file, or the name of one in configs/train.
    out
        Folder of the run; `runs/NAME` if not given.
    resume
        Continue the run that is in the folder.
    minutes
        Train this long instead of the recipe's budget.
    """
    require("torch", "Training")
    from trt_build.progress import RunProgress
    from trt_build.redeg.recipe import RedegRecipe
    from trt_build.redeg.training import train_redeg
    from trt_build.train.recipe import BudgetSpec, find_recipe, read_recipe_of

    chosen = read_recipe_of(RedegRecipe, find_recipe(recipe))
    if minutes is not None:
        chosen = msgspec.structs.replace(chosen, budget=BudgetSpec(minutes=minutes))
    folder = out or Path("runs") / chosen.name
    with RunProgress(CONSOLE) as progress:
        state = train_redeg(chosen, folder, progress, resume=resume)
    CONSOLE.print(
        f"{state.clock.step} steps in {state.clock.seconds / 60:.1f} minutes; learned damage correlates with the cameras' by "
        f"{state.best:.2f}: {folder / 'best.pt'}",
        soft_wrap=True,
    )

"""The commands `trt-build redeg ...`. Thin; the work is in ``trt_build.redeg``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App
from rich.console import Console

from trt_build.cli.training import train_by_recipe

if TYPE_CHECKING:
    from trt_build.recipes.redeg import RedegRecipe
    from trt_build.systems.redeg.training import State

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
    state, folder = train_by_recipe(recipe, _training, CONSOLE, out=out, resume=resume, minutes=minutes)
    CONSOLE.print(
        f"{state.clock.step} steps in {state.clock.seconds / 60:.1f} minutes; learned damage correlates with the cameras' by "
        f"{state.best:.2f}: {folder / 'best.pt'}",
        soft_wrap=True,
    )


def _training() -> tuple[type[RedegRecipe], Callable[..., State]]:
    from trt_build.recipes.redeg import RedegRecipe
    from trt_build.systems.redeg.training import train_redeg

    return RedegRecipe, train_redeg

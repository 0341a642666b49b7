"""The commands `trt-build second-look ...`. Thin; the work is in ``trt_build.second_look``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App
from rich.console import Console

from trt_build.cli_train import train_by_recipe

if TYPE_CHECKING:
    from trt_build.second_look.recipe import SecondLookRecipe
    from trt_build.second_look.training import State

CONSOLE = Console()

second_look_app = App(
    name="second-look", help="Train, export and evaluate what tells faces from a detector's false alarms.", help_epilogue=""
)


@second_look_app.command
def train(recipe: str, *, out: Path | None = None, resume: bool = False, minutes: float | None = None) -> None:
    """Train a second look on what its recipe's detector takes for faces.

    Parameters
    ----------
    recipe
        A recipe file, or the name of one in configs/train (as `second_look`).
    out
        Folder of the run; `runs/NAME` if not given.
    resume
        Continue the run that is in the folder.
    minutes
        Train this long instead of the recipe's budget.
    """
    state, folder = train_by_recipe(recipe, _training, CONSOLE, out=out, resume=resume, minutes=minutes)
    CONSOLE.print(f"{state.clock.step} steps in {state.clock.seconds / 60:.1f} minutes: {folder / 'best.pt'}", soft_wrap=True)


def _training() -> tuple[type[SecondLookRecipe], Callable[..., State]]:
    from trt_build.second_look.recipe import SecondLookRecipe
    from trt_build.second_look.training import train_second_look

    return SecondLookRecipe, train_second_look

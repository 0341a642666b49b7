"""The commands `trt-build embedder ...`. Thin; the work is in ``trt_build.embedder``."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cyclopts import App
from rich.console import Console

from trt_build.optional import require

CONSOLE = Console()

embedder_app = App(name="embedder", help="Adapt the face embedder to small faces.", help_epilogue="")


@embedder_app.command
def train(recipe: str, *, out: Path | None = None, resume: bool = False, minutes: float | None = None) -> None:
    """Adapt dlib's network.

    Parameters
    ----------
    recipe
        A recipe file, or the name of one in configs/train (as `low_resolution_embedder`).
    out
        Folder of the run; `runs/NAME` if not given.
    resume
        Continue the run that is in the folder.
    minutes
        Train this long instead of the recipe's budget.
    """
    require("torch", "Training")
    from trt_build.embedder.recipe import EmbedderRecipe
    from trt_build.embedder.training import train_embedder
    from trt_build.progress import RunProgress
    from trt_build.train.recipe import BudgetSpec, find_recipe, read_recipe_of

    chosen = read_recipe_of(EmbedderRecipe, find_recipe(recipe))
    if minutes is not None:
        chosen = msgspec.structs.replace(chosen, budget=BudgetSpec(minutes=minutes))
    folder = out or Path("runs") / chosen.name
    with RunProgress(CONSOLE) as progress:
        state = train_embedder(chosen, folder, progress, resume=resume)
    CONSOLE.print(f"{state.clock.step} steps in {state.clock.seconds / 60:.1f} minutes: {folder / 'best.pt'}", soft_wrap=True)

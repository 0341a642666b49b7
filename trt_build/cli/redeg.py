"""The commands `trt-build redeg ...`. Thin; the work is in ``trt_build.systems.redeg``."""

from __future__ import annotations

from cyclopts import App

from trt_build.cli.training import System, add_train

redeg_app = App(name="redeg", help="Learn what real footage does to faces, for the training of generators.", help_epilogue="")


def _training() -> System:
    from trt_build.recipes.redeg import RedegRecipe
    from trt_build.systems.redeg.training import train_redeg

    return RedegRecipe, train_redeg


add_train(
    redeg_app,
    "Train DegNet and SynNet.",
    "redeg_networks",
    _training,
    told="; learned damage correlates with the cameras' by {state.best:.2f}",
    default=True,
)

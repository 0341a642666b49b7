"""The commands `trt-build track ...`. Thin; the work is in ``systems.track``."""

from __future__ import annotations

from cyclopts import App
from rich.console import Console

from trt_build.cli.training import System, add_train

CONSOLE = Console()

track_app = App(name="track", help="Train and export the network that makes one picture of a track.", help_epilogue="")


def _training() -> System:
    from trt_build.recipes.track import TrackRecipe
    from trt_build.systems.track.training import train_track

    return TrackRecipe, train_track


add_train(track_app, "Train a several-frame network on simulated tracks, which are filmed first.", "compact_track", _training)

"""The commands `trt-build track ...`. Thin; the work is in ``systems.track``."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App
from rich.console import Console

from trt_build.cli.exported import exported_words
from trt_build.cli.track_evaluation import evaluate
from trt_build.cli.training import System, add_train
from trt_build.optional import require

CONSOLE = Console(markup=False)

track_app = App(name="track", help="Train and export the network that combines a track into one picture.", help_epilogue="")


def _training() -> System:
    from trt_build.recipes.track import TrackRecipe
    from trt_build.systems.track.training import train_track

    return TrackRecipe, train_track


track_app.command(evaluate)
add_train(track_app, "Train a several-frame network on simulated tracks, which are filmed first.", "compact_track", _training)


@track_app.command
def export(
    checkpoint: Path,
    *,
    out: Path,
    name: str | None = None,
    licence: str = "Apache-2.0",
    training_data: str = "",
) -> None:
    """Export the averaged weights of a checkpoint to ONNX with its manifest, parity checked.

    For example:

        trt-build track export track/best.pt --out DIR

    Parameters
    ----------
    checkpoint
        A checkpoint written by `track train`, such as `runs/NAME/best.pt`.
    out
        Folder for NAME.onnx and NAME.json.
    name
        Name of the model; the recipe's if not given.
    licence
        Licence of the weights, for the manifest.
    training_data
        One sentence on the data, for the manifest.
    """
    require("torch", "Exporting")
    from trt_build.systems.track.export import export_track

    manifest = export_track(checkpoint, out, name, licence, training_data)
    CONSOLE.print(exported_words(manifest, out), soft_wrap=True)

"""The commands `trt-build second-look ...`. Thin; the work is in ``systems.second_look`` and ``protocols.second_look``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.status import Status

from trt_build.cli.exported import exported_words
from trt_build.cli.share import Share
from trt_build.cli.training import System, add_train
from trt_build.optional import require
from trt_build.protocols.tables import TextTable
from trt_build.work import Done

CONSOLE = Console(markup=False)

second_look_app = App(
    name="second-look", help="Train, export and evaluate what tells faces from a detector's false alarms.", help_epilogue=""
)


def _training() -> System:
    from trt_build.recipes.second_look import SecondLookRecipe
    from trt_build.systems.second_look.training import train_second_look

    return SecondLookRecipe, train_second_look


add_train(second_look_app, "Train a second look on what its recipe's detector takes for faces.", "second_look", _training)


@second_look_app.command
def export(
    checkpoint: Path,
    *,
    out: Path,
    cache: Path | None = None,
    name: str | None = None,
    licence: str = "Apache-2.0",
    training_data: str = "",
    blend: Path | None = None,
    share: Share = 0.2,
) -> None:
    """Export the averaged weights of a checkpoint to ONNX with its manifest; limits are chosen on its validation.

    For example:

        trt-build second-look export DIR/best.pt --out OUT

    Parameters
    ----------
    checkpoint
        A checkpoint written by `second-look train`.
    out
        Folder for NAME.onnx and NAME.json.
    cache
        Folder of what was collected; by default the one beside the checkpoint.
    name
        Name of the model; the recipe's if not given.
    licence
        Licence of the weights, for the manifest.
    training_data
        One sentence on the data, for the manifest.
    blend
        An exported second look, as the one that it began as, to average the weights with.
    share
        How much of each weight comes from that one, 0 to 1.
    """
    require("torch", "Exporting")
    from trt_build.protocols.second_look.evaluation import agreement_of, judged_by
    from trt_build.protocols.second_look.limits import choose, figures
    from trt_build.systems.second_look.export import export_second_look
    from trt_build.systems.second_look.training import load_second_look
    from trt_build.training import blending
    from trt_build.training.unfolding import folded_weights, open_exported

    network, recipe = load_second_look(checkpoint)
    if blend is not None:
        blending.blend(network, folded_weights(open_exported(blend), blend), blend, share)
    cache = cache or checkpoint.parent / "cache"
    with CONSOLE.status("") as status:
        judged, _, min_score = judged_by(network, recipe, cache, _shown(status))
        agreement = agreement_of(network, recipe, cache, _shown(status))
    limits = choose(judged, min_score)
    found = figures(judged, limits, min_score)
    if agreement is not None:
        found |= {key: value for key, value in asdict(agreement).items() if isinstance(value, float)}
    sha256 = agreement.detector_sha256 if agreement else ""
    manifest = export_second_look(network, out, name or recipe.name, licence, training_data, found, sha256)
    CONSOLE.print(agreement or "The detector alone finds as much: no agreement.")
    said = f"refused below {limits.refused_below}, accepted from {limits.accepted_from}, alone from {limits.alone_from}"
    CONSOLE.print(exported_words(manifest, out, said), soft_wrap=True)


@second_look_app.command
def evaluate(checkpoint: Path, *, cache: Path | None = None) -> None:
    """Show, by width, which faces and false alarms reach the limits: on validation pictures and on clips that were kept apart.

    For example:

        trt-build second-look evaluate DIR/best.pt

    Parameters
    ----------
    checkpoint
        A checkpoint written by `second-look train`.
    cache
        Folder of what was collected; by default the one beside the checkpoint.
    """
    require("torch", "Evaluating")
    from trt_build.protocols.second_look.evaluation import judged_by
    from trt_build.protocols.second_look.limits import choose, rows
    from trt_build.systems.second_look.training import load_second_look

    network, recipe = load_second_look(checkpoint)
    with CONSOLE.status("") as status:
        pictures, clips, min_score = judged_by(network, recipe, cache or checkpoint.parent / "cache", _shown(status))
    limits = choose(pictures, min_score)
    CONSOLE.print(limits)
    for title, judged in (("validation pictures", pictures), ("clips kept apart", clips)):
        heads = [f"{what} {limit}" for what in ("faces", "alarms") for limit in ("", "not refused", "accepted", "alone")]
        CONSOLE.print(TextTable(["", *heads], rows(judged, limits, min_score), title).on_terminal())


def _shown(status: Status) -> Done:
    return lambda what, done, total: status.update(f"{what}: {done}")

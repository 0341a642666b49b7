"""The command `trt-build`: train, export, evaluate and compile models. Thin; the work is elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter, validators
from rich.console import Console

from engine import __version__
from engine.errors import FacestreamError
from engine.help_page import Compact
from engine.misuse import misuse
from trt_build.cli.detector import detector_app
from trt_build.cli.embedder import embedder_app
from trt_build.cli.engines import build, check
from trt_build.cli.evaluate import evaluate
from trt_build.cli.likelihood import likelihood_app
from trt_build.cli.redeg import redeg_app
from trt_build.cli.second_look import second_look_app
from trt_build.cli.share import Share
from trt_build.cli.track import track_app
from trt_build.cli.tune import tune
from trt_build.optional import require
from trt_build.recipes.data_folder import explained

CONSOLE = Console(markup=False)
ERRORS = Console(stderr=True, markup=False)

_COMPACT = Compact()
app = _COMPACT.app = App(
    name="trt-build",
    help="Train, export, evaluate and compile the models that facestream runs.",
    version_flags=[],
    help_format="plaintext",
    help_formatter=_COMPACT,
    help_epilogue="Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.",
    suppress_keyboard_interrupt=False,  # who interrupts is told what stays
)


app.command(build)
app.command(check)
app.command(detector_app)
app.command(embedder_app)
app.command(evaluate)
app.command(likelihood_app)
app.command(redeg_app)
app.command(second_look_app)
app.command(track_app)
app.command(tune)


@app.command
def train(
    recipe: str,
    *,
    out: Path | None = None,
    resume: bool = False,
    smoke: bool = False,
    minutes: float | None = None,
) -> None:
    """Train a generator.

    For example:

        trt-build train compact --out mine

    Parameters
    ----------
    recipe
        A recipe file, or the name of one that ships (such as `compact`).
    out
        Folder of the run; `runs/NAME` if not given.
    resume
        Continue the run that is in the folder.
    smoke
        A run of a few seconds on pictures that come with scikit-image, to show that training works.
    minutes
        Train this long instead of the recipe's budget.
    """
    from trt_build.recipes.files import find_recipe
    from trt_build.recipes.generator import read_recipe

    chosen = read_recipe(find_recipe(recipe))
    require("torch", "Training")
    from trt_build.cli.progress import RunProgress
    from trt_build.systems.generator.run import train as run

    folder = out or Path("runs") / (chosen.name + ("_smoke" if smoke else ""))
    with RunProgress(CONSOLE) as progress:
        state = run(chosen, folder, progress, resume=resume, smoke=smoke, minutes=minutes)
    CONSOLE.print(
        f"{state.clock.step} steps in {state.clock.seconds / 60:.1f} minutes; best mean gain over bicubic {state.best:+.2f} "
        f"({'dB' if chosen.merit == 'psnr' else 'of the distance of features'}): {folder / 'best.pt'}",
        soft_wrap=True,
    )


@app.command
def export(
    checkpoint: Path,
    *,
    out: Path,
    name: str | None = None,
    licence: str = "Apache-2.0",
    training_data: str | None = None,
    start_share: Share = 0.0,
) -> None:
    """Export the averaged weights of a checkpoint to ONNX with its manifest, parity checked, and to safetensors.

    For example:

        trt-build export mine/best.pt --out DIR

    Parameters
    ----------
    checkpoint
        A checkpoint written by `train`, such as `runs/NAME/best.pt`.
    out
        Folder for NAME.onnx, NAME.json (NAME_x4.json and so on for a network of several scales) and NAME.safetensors.
    name
        Name of the model; the recipe's if not given.
    licence
        Licence of the weights, for the manifest.
    training_data
        One sentence on the data, for the manifest; the recipe's path if not given.
    start_share
        Share of the weights that training began with, 0 to 1 (recipes with `start`): blends both.
    """
    require("torch", "Exporting")
    from trt_build.systems.generator.export import export_checkpoint

    for manifest in export_checkpoint(checkpoint, out, name, licence, training_data, start_share):
        parity = manifest.parity
        assert parity is not None
        CONSOLE.print(
            f"{out / manifest.name}.json: x{manifest.scale} of {manifest.file}, {manifest.parameters / 1e6:.2f} M parameters, "
            f"differs from torch by at most {parity.max_abs_error:.1e} over {len(parity.checked_shapes)} sizes.",
            soft_wrap=True,
        )


@app.command
def small_faces(
    source: Path,
    *,
    out: Path,
    side: Annotated[int, Parameter(validator=validators.Number(gte=16, lte=48))] = 32,
    count: int = 2000,
    seed: int = 7,
) -> None:
    """Make small, degraded faces from large ones, as a stand-in for a surveillance data set.

    Systems that learn from small faces alone (`zssr_srgan`) refuse larger ones; only this step sees them.

    For example:

        trt-build small-faces lfw_gray/train.zip --count 130 --out small_faces.zip

    Parameters
    ----------
    source
        A zip or folder of square faces.
    out
        The zip to write.
    side
        Side of the small faces, in pixels.
    count
        Maximum number of faces.
    seed
        Seed of the choice and of the simulated camera.
    """
    from trt_build.cli.progress import RunProgress
    from trt_build.data.small_faces import write_small_faces

    with RunProgress(CONSOLE) as progress:
        written = write_small_faces(source, out, side, count, seed, partial(progress.on_prepare, "faces"))
    CONSOLE.print(f"{out}: {written} faces of {side} px", soft_wrap=True)


_ENGINES = (["build"], ["check"], ["tune"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--version" in given:
        sys.stdout.write(f"{__version__}\n")
        return 0
    try:
        app(
            given,
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        ERRORS.print(f"error: {misuse(error, 'trt-build')}", style="red", markup=False, soft_wrap=True)
        return 2
    except FacestreamError as error:
        ERRORS.print(f"error: {explained(str(error))}", style="red", markup=False, soft_wrap=True)
        return error.exit_code
    except KeyboardInterrupt:
        if given[:1] in _ENGINES:
            stays = " Engines that were finished stay, nothing else is left."
        else:
            stays = " Training goes on with --resume, from the last checkpoint." if "train" in given[:2] else ""
        ERRORS.print(f"Stopped.{stays}")
        return 130
    return 0

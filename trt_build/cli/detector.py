"""The commands `trt-build detector ...`. Thin; the work is in ``systems.detector`` and ``protocols.detector``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.console import Console

from engine.errors import UsageError
from engine.sessions.session import SessionSpec
from trt_build.cli.exported import exported_words
from trt_build.cli.share import Share
from trt_build.cli.training import System, add_train
from trt_build.optional import require
from trt_build.protocols.tables import table_of, turned, write_json
from trt_build.recipes.data_folder import data_file

if TYPE_CHECKING:
    from engine.detect.detector import Detector

CONSOLE = Console(markup=False)

detector_app = App(name="detector", help="Train, export and evaluate the face detector.", help_epilogue="")


def _training() -> System:
    from trt_build.recipes.detector import DetectorRecipe
    from trt_build.systems.detector.training import train_detector

    return DetectorRecipe, train_detector


add_train(detector_app, "Train a detector.", "grey_detector", _training)


@detector_app.command
def export(
    checkpoint: Path,
    *,
    out: Path,
    min_score: float | None = None,
    sure_score: float | None = None,
    name: str | None = None,
    licence: str = "Apache-2.0",
    training_data: str = "",
    blend: Path | None = None,
    share: Share = 0.5,
) -> None:
    """Export the averaged weights of a checkpoint to ONNX with its manifest, parity checked.

    For example:

        trt-build detector export DIR/best.pt --out DIR/best

    Parameters
    ----------
    checkpoint
        A checkpoint written by `detector train`.
    out
        Folder for NAME.onnx and NAME.json.
    min_score
        The default threshold; if not given, the lowest that was precise enough in its validation.
    sure_score
        From here on a face can begin a track; if not given, the lowest score at which no empty picture of its validation had a
        false alarm.
    name
        Name of the model; the recipe's if not given.
    licence
        Licence of the weights, for the manifest.
    training_data
        One sentence on the data, for the manifest.
    blend
        An exported detector of the same widths, to average the weights with; then give both scores.
    share
        How much of each weight comes from that one, 0 to 1.
    """
    require("torch", "Exporting")
    if blend is not None and None in (min_score, sure_score):
        raise UsageError("--blend needs --min-score and --sure-score: the checkpoint's were found without it")
    from trt_build.systems.detector.export import export_detector
    from trt_build.systems.detector.growth import weights_of
    from trt_build.systems.detector.training import last_validation, load_detector
    from trt_build.training import blending

    network, recipe = load_detector(checkpoint)
    validated = last_validation(checkpoint)
    if blend is not None:
        blending.blend(network, weights_of(blend), blend, share)
    lower = validated["threshold"] if min_score is None else min_score
    upper = validated["quiet_threshold"] if sure_score is None else sure_score
    figures = validated if blend is None else {}
    manifest = export_detector(network, out, name or recipe.name, licence, training_data, lower, upper, figures)
    CONSOLE.print(exported_words(manifest, out, f"thresholds {lower:.2f} and {upper:.2f}"), soft_wrap=True)


@detector_app.command
def evaluate(
    model: Path,
    clips: Annotated[list[Path], Parameter(negative=())],
    *,
    teacher: Path | None = None,
    frames: int = 200,
    width: int | None = None,
    roll: float = 0.0,
    json: Path | None = None,
) -> None:
    """Compare a detector with a teacher on whole clips that it was not trained on.

    For example:

        trt-build detector evaluate engine/models/grey.json hall.mkv

    Parameters
    ----------
    model
        The detector's manifest, `NAME.json`.
    clips
        Videos.
    teacher
        A YuNet-format ONNX file, run on the same grey frames; YuNet of the folder $FACESTREAM_DATA if not given.
    frames
        Of each clip.
    width
        Shrink (or enlarge) the frames to this many pixels first, for both: shows smaller faces.
    roll
        Turn the frames by so many degrees first, for both.
    json
        Also write the figures to this file.
    """
    require("torch", "Evaluating")
    if frames < 1:
        raise UsageError("--frames must be at least 1")
    from trt_build.protocols.detector.clips import evaluate_clips, time_ratio

    teacher = teacher or data_file("models/face_detection_yunet_2023mar.onnx", "--teacher")
    with CONSOLE.status("") as status:
        rows = evaluate_clips(
            model,
            teacher,
            clips,
            frames,
            lambda name, count: status.update(f"{name}: {count} frames"),
            width_px=width,
            roll_degrees=roll,
        )
    times = time_ratio(model, teacher)
    CONSOLE.print(table_of(rows, "clip", ".3g").on_terminal())
    CONSOLE.print({name: round(value, 2) for name, value in times.items()})
    if json is not None:
        write_json(rows | {"time": times}, json)


@detector_app.command
def compare(
    models: Annotated[list[Path], Parameter(negative=())],
    *,
    recipe: str = "grey_detector",
    clips: bool = False,
    cache: Path | None = None,
    score: float | None = None,
    json: Path | None = None,
) -> None:
    """Compare detectors with the recipe's teacher on its validation pictures, all on the same grey pixels.

    For example:

        trt-build detector compare engine/models/grey.json

    Parameters
    ----------
    models
        Manifests, `NAME.json`.
    recipe
        Whose validation pictures and teacher.
    clips
        Compare on frames of the clips that the recipe keeps apart instead.
    cache
        Folder for decoded pictures and labels; that of the recipe's run if not given.
    score
        A threshold for all models instead of their own.
    json
        Also write the figures to this file.
    """
    require("torch", "Evaluating")
    from engine.detect.grey import GreyDetector
    from engine.detect.yunet import YuNet
    from trt_build.data.scenes.teacher import SURE
    from trt_build.protocols.detector.pictures import frames_apart, judge, kept_apart
    from trt_build.recipes.detector import DetectorRecipe
    from trt_build.recipes.files import find_recipe, read_recipe_of

    chosen = read_recipe_of(DetectorRecipe, find_recipe(recipe))
    material, cache = chosen.material, cache or Path("runs") / chosen.name / "cache"
    teacher = YuNet(SessionSpec(Path(material.teacher), "onnxruntime"), SURE, "teacher", "")
    detectors: dict[str, Detector] = {str(path): GreyDetector(SessionSpec(path, "onnxruntime"), score) for path in models}
    detectors |= {f"{path} and second look": one for path in models if (one := _judged(path)) is not None and score is None}
    detectors["teacher"] = teacher
    with CONSOLE.status("") as status:

        def shown(what: str, done: int, total: int) -> None:
            status.update(f"{what}: {done}")

        pictures = (frames_apart if clips else kept_apart)(material, cache, shown)
        judged = judge(detectors, pictures, lambda count: status.update(f"{count} of {len(pictures)} pictures"))
    rows = {name: judged[name].row(detector.min_score) for name, detector in detectors.items()}
    CONSOLE.print(table_of(turned(rows), "figure", ".3f").on_terminal())
    if json is not None:
        write_json(rows, json)


def _judged(model: Path) -> Detector | None:
    """Return a detector with the shipped second look; None if that was fitted to another detector."""
    from engine.config import DetectConfig
    from engine.detect.judged import open_judged
    from engine.models import find_model

    detector, second_look = open_judged(DetectConfig(detector=str(model), runtime="onnxruntime"), find_model)
    if second_look is not None and second_look.fits(detector):
        return detector
    detector.close()
    return None

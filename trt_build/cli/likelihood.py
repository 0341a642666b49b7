"""The commands `trt-build likelihood ...`. Thin; the work is in ``protocols.likelihood``."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App
from rich.console import Console

from engine.config.verify import VerifyConfig
from engine.models.catalog import embedded_dir

CONSOLE = Console(markup=False)

likelihood_app = App(name="likelihood", help="Calibrate likelihood ratios, and test them.", help_epilogue="")


def _shipped(what: str) -> Path:
    return embedded_dir() / f"{VerifyConfig().embedder}_{what}.npz"


@likelihood_app.command
def fit(recipe: str = "low_resolution_embedder", *, groups: Path, folder: Path, out: Path, detector: str = "grey") -> None:
    """Fit likelihood ratios on the tracks that `trt-build embedder calibrate` has recorded.

    For example:

        trt-build likelihood fit --groups faces.zip --folder DIR --out likelihood.npz

    Parameters
    ----------
    recipe
        Recipe of the adaptation that ships: a file, or a name. Its faces are used.
    groups
        The zip of pictures of several people that was given to `trt-build embedder calibrate`.
    folder
        The folder of `trt-build embedder calibrate`.
    out
        File for the calibration, such as engine/models/dlib_likelihood.npz.
    detector
        The detector for the photographs, as in `detect.detector`.
    """
    from engine.verify.likelihood import read_calibration, write_calibration
    from engine.verify.open_set import read_open_set
    from trt_build.cli.progress import RunProgress
    from trt_build.data.people.group_pictures import read_group_faces
    from trt_build.data.people.photographs import read_photographs
    from trt_build.data.people.recording import read_tracks
    from trt_build.protocols.likelihood.comparisons import comparisons_of
    from trt_build.protocols.likelihood.fit import fit as measure
    from trt_build.protocols.open_set.calibration import crowd_of, strangers_of
    from trt_build.protocols.open_set.fit import crowd_of_people
    from trt_build.protocols.open_set.scenes import scene_pairs
    from trt_build.recipes.embedder import EmbedderRecipe
    from trt_build.recipes.files import find_recipe, read_recipe_of
    from trt_build.writing import writable

    read = read_recipe_of(EmbedderRecipe, find_recipe(recipe))
    tracks, limits = read_tracks(folder / "tracks"), read_open_set(_shipped("open_set"))
    with RunProgress(CONSOLE) as progress:
        strangers = strangers_of(read, folder, progress.on_prepare)
        photographs = read_photographs(Path(read.faces.train), detector, progress.on_prepare)
        beside = read_group_faces(groups, detector, folder / "cache", progress.on_prepare)
    crowd = crowd_of(photographs, strangers)
    scenes = scene_pairs(beside, crowd_of_people(photographs, crowd))
    found = measure(comparisons_of(tracks, photographs, limits, set(crowd)), scenes, limits)
    with writable(out):
        write_calibration(found, out)
    CONSOLE.print(f"{out}: {found.provenance}; id {read_calibration(out).id}", soft_wrap=True)


@likelihood_app.command
def evaluate(
    *,
    tracks: Path,
    faces: Path,
    out: Path,
    groups: Path | None = None,
    calibration: Path | None = None,
    detector: str = "grey",
) -> None:
    """Test a calibration on recorded tracks of people who had no part in it.

    For example:

        trt-build likelihood evaluate --tracks DIR/tracks --faces people.zip --out OUT

    Parameters
    ----------
    tracks
        A folder of recorded tracks, as `python -m tests.bench.open_set --folder DIR` leaves in DIR/tracks.
    faces
        A zip or folder of the photographs of the same people, one folder for each.
    out
        Folder for likelihood.json, likelihood.md and likelihood.png; with --groups, scenes.md, too.
    groups
        The zip of pictures of several people that was given to `trt-build embedder calibrate`, to test within a scene too.
    calibration
        The file; by default that of the default embedder.
    detector
        The detector for the photographs, as in `detect.detector`.
    """
    import msgspec

    from engine.verify.likelihood import read_calibration
    from engine.verify.open_set import read_open_set
    from trt_build.cli.progress import RunProgress
    from trt_build.data.people.group_pictures import read_group_faces
    from trt_build.data.people.photographs import read_photographs
    from trt_build.data.people.recording import read_tracks
    from trt_build.optional import require
    from trt_build.protocols.likelihood.comparisons import comparisons_of
    from trt_build.protocols.likelihood.evaluation import evaluate as test
    from trt_build.protocols.likelihood.evaluation import evaluate_scenes, markdown, scene_markdown
    from trt_build.protocols.likelihood.figures import write_figures
    from trt_build.protocols.open_set.scenes import crowd_without, scene_pairs
    from trt_build.writing import writable

    require("matplotlib", "Drawing a calibration")
    found, limits = read_calibration(calibration or _shipped("likelihood")), read_open_set(_shipped("open_set"))
    recorded = read_tracks(tracks)
    with RunProgress(CONSOLE) as progress:
        photographs = read_photographs(faces, detector, progress.on_prepare)
        beside = read_group_faces(groups, detector, out / "cache", progress.on_prepare) if groups else None
    buckets = comparisons_of(recorded, photographs, limits)
    results = test(found, buckets)
    with writable(out / "likelihood.json"):
        (out / "likelihood.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
        (out / "likelihood.md").write_text(markdown(results), encoding="utf-8")
        write_figures(found, buckets, results, out / "likelihood.png")
    CONSOLE.print(markdown(results), soft_wrap=True, markup=False, highlight=False)
    if beside is not None:
        scenes = evaluate_scenes(found, buckets, scene_pairs(beside, crowd_without(beside, limits)))
        (out / "scenes.md").write_text(scene_markdown(scenes), encoding="utf-8")
        CONSOLE.print(scene_markdown(scenes), soft_wrap=True, markup=False, highlight=False)

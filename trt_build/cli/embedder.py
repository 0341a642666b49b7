"""The commands `trt-build embedder ...`. Thin; the work is in ``systems.embedder`` and ``protocols.embedder``."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App
from rich.console import Console

from trt_build.cli.training import System, add_train
from trt_build.optional import require

CONSOLE = Console(markup=False)

embedder_app = App(name="embedder", help="Adapt the face embedder to small faces, and compare embedders.", help_epilogue="")


def _training() -> System:
    from trt_build.recipes.embedder import EmbedderRecipe
    from trt_build.systems.embedder.training import train_embedder

    return EmbedderRecipe, train_embedder


add_train(embedder_app, "Adapt dlib's network.", "low_resolution_embedder", _training)


@embedder_app.command
def evaluate(
    *checkpoints: Path,
    faces: Path,
    pairs: Path,
    out: Path,
    generator: Path | None = None,
    degraded: bool = False,
    rounds: int = 300,
) -> None:
    """Compare embedders with dlib's on small faces: accuracy and TAR with intervals over people.

    For example:

        trt-build embedder evaluate DIR/best.pt --faces lfw_gray/val.zip --pairs pairs.csv --out OUT

    Parameters
    ----------
    checkpoints
        Checkpoints written by `embedder train`.
    faces
        A zip or folder of people who took no part in training, one folder for each.
    pairs
        A table of pairs of these faces (image_a, image_b, same), for the accuracy.
    out
        Folder for embedders.json and embedders.md.
    generator
        A generator (its ONNX file or manifest) that small faces go through first.
    degraded
        Put small faces through a simulated camera too, instead of only shrinking them.
    rounds
        Bootstrap rounds.
    """
    require("torch", "Reading checkpoints")
    from trt_build.cli.progress import RunProgress
    from trt_build.networks.onnx_generator import OnnxGenerator
    from trt_build.protocols.embedder.protocol import evaluate_embedders, markdown, write_report

    enlarge = OnnxGenerator(generator, threads=1) if generator else None
    with RunProgress(CONSOLE) as progress:
        report = evaluate_embedders(
            checkpoints, faces, pairs, out / "cache", progress.on_prepare, enlarge=enlarge, degraded=degraded, rounds=rounds
        )
    write_report(report, out / "embedders.json")
    CONSOLE.print(markdown(report), soft_wrap=True, markup=False)
    CONSOLE.print(f"{report.faces} faces of {report.people} people: {out / 'embedders.json'}", soft_wrap=True)


@embedder_app.command
def export(checkpoint: Path, *, out: Path, name: str | None = None) -> None:
    """Export the averaged weights of a checkpoint: what changed in dlib's network.

    For example:

        trt-build embedder export DIR/best.pt --out OUT

    Parameters
    ----------
    checkpoint
        A checkpoint written by `embedder train`.
    out
        Folder for NAME.npz.
    name
        Name of the model; the recipe's if not given.
    """
    require("torch", "Exporting")
    from trt_build.systems.embedder.export import export_embedder

    path, cosine = export_embedder(checkpoint, out, name)
    size = path.stat().st_size / 1e6
    CONSOLE.print(f"{path}: {size:.1f} MB, smallest cosine with the network {cosine:.6f}.", soft_wrap=True)


@embedder_app.command
def calibrate(
    recipe: str = "low_resolution_embedder",
    *,
    grounds: Path,
    groups: Path,
    folder: Path,
    out: Path,
    detector: str = "grey",
    tracks: int = 1500,
) -> None:
    """Measure what strangers reach through the whole product: the limits above which a face gets a name.

    People held out by the recipe are rendered as small moving faces, `facestream run` follows them, and their tracks are
    compared with other people's photographs.

    For example:

        trt-build embedder calibrate --grounds negatives.zip --groups faces.zip --folder DIR --out open_set.npz

    Parameters
    ----------
    recipe
        Recipe of the adaptation that ships: a file, or a name. Its faces are used.
    grounds
        A zip of pictures without faces, for the background.
    groups
        A zip of pictures of several people, such as detector_faces.zip: they are strangers of one scene, and widen the crowd.
    folder
        Keeps what was recorded; the same command continues where it was stopped. Empty it after changing detector or embedder.
    out
        File for the limits, such as engine/models/dlib_open_set.npz.
    detector
        The detector, as in `detect.detector`.
    tracks
        Tracks of strangers, at each size.
    """
    from engine.verify.open_set import write_open_set
    from trt_build.cli.progress import RunProgress
    from trt_build.protocols.open_set.calibration import calibrate as measure
    from trt_build.recipes.embedder import EmbedderRecipe
    from trt_build.recipes.files import find_recipe, read_recipe_of
    from trt_build.writing import writable

    with RunProgress(CONSOLE) as progress:
        found = measure(
            read_recipe_of(EmbedderRecipe, find_recipe(recipe)), grounds, groups, detector, tracks, folder, progress.on_prepare
        )
    with writable(out):
        write_open_set(found, out)
    CONSOLE.print(f"{out}: {found.provenance}; rates from {found.smallest_rate:.1g} can be asked for", soft_wrap=True)


@embedder_app.command
def weigh(*, faces: Path, grounds: Path, folder: Path, out: Path, detector: str = "grey", tracks: int = 400) -> None:
    """Fit the weight of each face of a track, and measure what faces look like that are too bad to recognise.

    For example:

        trt-build embedder weigh --faces people.zip --grounds negatives.zip --folder DIR --out weights.npz

    Parameters
    ----------
    faces
        A zip or folder of people who took no part in the embedder's training, one folder for each.
    grounds
        A zip of pictures without faces, for the background.
    folder
        Keeps the recorded tracks, see `calibrate`; its tracks are used here too.
    out
        File for the weights, such as engine/models/dlib_face_weights.npz.
    detector
        The detector, as in `detect.detector`.
    tracks
        Tracks at each size.
    """
    from engine.config.verify import VerifyConfig
    from engine.models.catalog import find_model
    from engine.verify.embedder import open_embedder
    from engine.verify.face_weights import write_face_weights
    from engine.verify.open_set import open_set_of
    from trt_build.cli.progress import RunProgress
    from trt_build.data.people.photographs import person_of, read_photographs
    from trt_build.protocols.open_set.calibration import grounds_of, record_strangers
    from trt_build.protocols.open_set.face_weights import fit_face_weights
    from trt_build.writing import writable

    with RunProgress(CONSOLE) as progress:
        photographs = read_photographs(faces, detector, progress.on_prepare)
        people = {person_of(one.name) for one in photographs.actors}
        recorded = record_strangers(photographs, people, grounds, detector, tracks, folder / "tracks", progress.on_prepare)
        embedder = open_embedder(VerifyConfig(), find_model)
        assert embedder is not None
        measured = open_set_of(embedder.sha256)
        assert measured is not None
        try:
            found = fit_face_weights(recorded, photographs, embedder, measured.crowd, grounds_of(grounds))
        finally:
            embedder.close()
    with writable(out):
        write_face_weights(found, out)
    CONSOLE.print(f"{out}: {found.provenance}", soft_wrap=True)

"""The command `trt-build evaluate`. Thin; the work is in ``trt_build.protocols.generators``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from rich.console import Console

from trt_build.recipes.data_folder import data_file

CONSOLE = Console(markup=False)
DATA = {"faces": "data/lfw_gray/val.zip", "footage": "video/asl_h*.mkv", "general": "data/general_sr/test.zip"}
"""In ``$FACESTREAM_DATA``."""


def evaluate(
    *models: str,
    protocol: Literal["faces", "footage", "general"],
    out: Path | None = None,
    data: Path | None = None,
    faces: int | None = None,
    seed: int = 2024,
    rounds: int = 1000,
    against: str = "bicubic",
    lpips_weights: Path | None = None,
    features: bool = False,
    second_embedder: Path | None = None,
    record: bool = False,
    cache: Path | None = None,
) -> None:
    """Measure generators against interpolation and each other, in one table.

    For example:

        trt-build evaluate compact_fine_x4 --protocol faces --data lfw_gray/val.zip --out OUT

    Parameters
    ----------
    models
        Names of installed models, manifests, ONNX files with a manifest beside them, or checkpoints that spandrel loads.
        Without any, only the interpolations.
    protocol
        `faces`: pictures, likeness and verification of small faces; `footage`: faces of real video through a codec; `general`:
        benchmarks of photographs (Set5, Set14).
    out
        Folder for results.json, results.csv, results.md and results.html (with pictures and DET curves).
    data
        `faces`: zip or folder of square grey faces of people in no training set, one folder for each person. `footage`: a
        video, a folder of them or a pattern. `general`: zip or folder of pictures, one folder for each data set.
        By default those of the folder $FACESTREAM_DATA.
    faces
        Take people drawn by the seed until there are this many faces.
    seed
        Seed of the degradations, the pairs, the bootstrap, and the pictures shown.
    rounds
        Bootstrap rounds.
    against
        The method to compute gains over: `bicubic`, `lanczos4`, or one of the models.
    lpips_weights
        AlexNet or VGG16 (a torch state dict in torchvision's layout), for LPIPS.
    features
        Also measure the distance of the features of dlib's first blocks, for when LPIPS has no weights (slow).
    second_embedder
        Another embedder besides dlib's, such as an ArcFace model in ONNX.
    record
        Also write the figures into the manifests of the models.
    cache
        Folder for face vectors; the user's cache if not given.
    """
    from engine.errors import UsageError
    from trt_build.cli.progress import RunProgress
    from trt_build.protocols.generators.files import write_csv, write_markdown
    from trt_build.protocols.generators.methods import BASE
    from trt_build.protocols.generators.page import check_page, write_page
    from trt_build.protocols.generators.record import record as record_figures
    from trt_build.protocols.generators.run import Request
    from trt_build.protocols.generators.run import evaluate as run
    from trt_build.protocols.generators.table import print_table
    from trt_build.protocols.tables import write_json

    if record and against != BASE:
        raise UsageError(f"manifests hold gains over {BASE}: give --record without --against")
    if protocol != "faces" and (faces is not None or second_embedder is not None):
        raise UsageError("--faces and --second-embedder are for --protocol faces alone")
    if rounds < 0 or seed < 0:
        raise UsageError("--rounds and --seed must not be below 0")
    if out is not None:
        check_page()
    request = Request(
        protocol=protocol,
        models=models,
        data=data or data_file(DATA[protocol], "--data"),
        seed=seed,
        faces=faces,
        rounds=rounds,
        against=against,
        cache=cache,
        second_embedder=second_embedder,
        lpips_weights=lpips_weights,
        features=features,
        record=record,
    )
    with RunProgress(CONSOLE) as progress:
        outcome = run(request, progress.on_prepare)
    print_table(outcome.results, CONSOLE)
    if out is not None:
        write_json(outcome.results, out / "results.json")
        write_csv(outcome.results, out / "results.csv")
        write_markdown(outcome.results, out / "results.md")
        write_page(outcome.results, outcome.strips, out / "results.html")
        CONSOLE.print(f"Table, curves and pictures: {out / 'results.html'}", soft_wrap=True)
    if record:
        record_figures(outcome.models, outcome.results)

"""The verification protocol of embedders, from checkpoints to the rows of a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_resnet import build_dlib_resnet
from engine.models.dlib_weights import read_dlib_weights
from engine.sessions.session import SessionSpec, open_session
from trt_build.data.chips import ChipFaces, load_chip_faces
from trt_build.data.face_sets import Enlarge
from trt_build.errors import DataError
from trt_build.measures.bootstrap import draw_people
from trt_build.measures.comparison import FMRS, Comparison
from trt_build.measures.verification import Pairing, generated_pairs
from trt_build.protocols.embedder.evaluation import (
    BASE,
    SHARP,
    SIZES_PX,
    Row,
    System,
    Vectors,
    choose_weights,
    eyes_px,
    mixed,
    plain,
    rows_of,
    score_sums,
    vectors_of,
)
from trt_build.protocols.tables import TextTable, write_json
from trt_build.recipes.embedder import EmbedderRecipe
from trt_build.systems.embedder.training import check_split, load_embedder
from trt_build.work import Done
from trt_build.writing import writable

_SEED = 11


@dataclass(frozen=True)
class Report:
    """The results."""

    rows: list[Row]
    weights: dict[str, dict[int, float]]
    """Weights of each network in its mixture with dlib's, by size."""
    eyes_px: dict[int, float]
    """Median distance of the eyes in pictures of each size, in pixels."""
    faces: int
    people: int
    same: int
    different: int
    """Number of pairs of the larger protocol."""


def evaluate_embedders(
    checkpoints: Sequence[Path],
    faces: Path,
    pairs: Path,
    cache: Path,
    done: Done,
    *,
    enlarge: Enlarge | None = None,
    degraded: bool = False,
    rounds: int = 300,
) -> Report:
    """Compare dlib's network, those of the checkpoints, and their mixtures with dlib's.

    Mixtures are chosen on the people whom the first checkpoint's recipe kept apart from its training.

    Args:
        checkpoints: of ``train_embedder``.
        faces: a zip or folder of people who took no part in any training.
        pairs: ``image_a,image_b,same`` of these faces, for the accuracy.
        cache: keeps labels and vectors.
        done: for progress.
        enlarge: a generator that the small faces go through first.
        degraded: small faces go through a camera too.
        rounds: of the bootstrap.

    Raises:
        TrainingError: a checkpoint cannot be read.
        DataError: checkpoints, faces or pairs are missing or do not fit.
    """
    if not checkpoints:
        raise DataError("There is no checkpoint to compare: give at least one that `embedder train` wrote.")
    dlib = read_dlib_weights(packaged_weights())
    graphs, recipes = {BASE: build_dlib_resnet(dlib)}, list[EmbedderRecipe]()
    for checkpoint in checkpoints:
        network, recipe = load_embedder(checkpoint, dlib)
        alike = sum(name.split("#")[0] == recipe.name for name in graphs)
        graphs[f"{recipe.name}#{alike + 1}" if alike else recipe.name] = build_dlib_resnet(network.weights())
        recipes.append(recipe)
    spec = recipes[0].faces
    teacher = Path(spec.teacher)
    training, held = load_chip_faces(Path(spec.train), teacher, cache, done).split(spec.kept_apart, recipes[0].seed)
    check_split(training, held, spec.train)
    tested = load_chip_faces(faces, teacher, cache, done)
    if shared := set(held.people) & set(tested.people):
        raise DataError(f"'{faces}' and '{spec.train}' share {len(shared)} people, as {min(shared)}: they must be apart.")
    few = read_pairing(pairs, tested)
    sides = {"kept apart": held, "tested": tested}
    many = {side: generated_pairs(some.people, _SEED) for side, some in sides.items()}
    vectors: dict[str, dict[str, Vectors]] = {side: {} for side in sides}
    for name, graph in graphs.items():
        with open_session(SessionSpec(graph, name=name)) as session:
            for side, some in sides.items():
                told = partial(done, f"{name}, people {side}")
                vectors[side][name] = vectors_of(session, some, enlarge, degraded, told)
    systems: dict[str, System] = {BASE: plain(vectors["tested"][BASE])}
    weights = {}
    for name in list(graphs)[1:]:
        ours, reference = vectors["tested"], vectors["kept apart"]
        weights[name] = choose_weights(reference[BASE], reference[name], many["kept apart"])
        always = dict.fromkeys(SIZES_PX[1:], 1.0)
        systems[name] = plain(ours[name])
        systems[f"{name}, gallery by {BASE}"] = plain(mixed(ours[BASE], ours[name], always))
        systems[f"{name}, mixed"] = plain(mixed(ours[BASE], ours[name], weights[name]))
        systems[f"{name}, sum of scores"] = score_sums(
            ours[BASE], ours[name], (reference[BASE], reference[name], many["kept apart"])
        )
    all_pairs = many["tested"]
    comparison = Comparison(draw_people(tested.people, rounds, _SEED), all_pairs, few, _SEED)
    rows = rows_of(comparison, enlarge is not None, systems)
    return Report(
        rows,
        weights,
        {size: eyes_px(tested, size) for size in SIZES_PX},
        len(tested),
        len(set(tested.people)),
        int(all_pairs.same.sum()),
        int((~all_pairs.same).sum()),
    )


def read_pairing(path: Path, faces: ChipFaces) -> Pairing:
    """Read ``image_a,image_b,same``; pairs with a picture in which the teacher found no face are left out.

    Raises:
        DataError: the table or one of its columns is missing, or no pair of one of the kinds is left.
    """
    if not path.is_file():
        raise DataError(f"The pair table '{path}' does not exist.")
    index = {name: at for at, name in enumerate(faces.names)}
    with path.open(newline="", encoding="utf-8") as file:
        table = csv.DictReader(file)
        if missing := {"image_a", "image_b", "same"} - set(table.fieldnames or ()):
            raise DataError(f"The pair table '{path}' has no column {min(missing)}.")
        rows = [row for row in table if row["image_a"] in index and row["image_b"] in index]
    left, right = (np.array([index[row[key]] for row in rows], np.int64) for key in ("image_a", "image_b"))
    same = np.array([row["same"] == "1" for row in rows], np.bool_)
    if not same.any() or same.all():
        raise DataError(f"The pair table '{path}' needs pairs of one person and of two, of the faces given.")
    return Pairing(left, right, same)


def write_report(report: Report, path: Path) -> None:
    """Write everything as JSON, and the tables as Markdown beside it.

    Raises:
        DataError: they cannot be written.
    """
    write_json(report, path)
    with writable(path):
        path.with_suffix(".md").write_text(markdown(report), encoding="utf-8")


def markdown(report: Report) -> str:
    """Return the tables: one for each gallery, a line for each system and size."""
    lines: list[str] = []
    for gallery, title in (("sharp", "Sharp gallery"), ("low", "Both faces small")):
        heads = ["size", "system", "accuracy", *(f"TAR at FMR {fmr:g}" for fmr in FMRS), f"TAR at {FMRS[0]:g} less {BASE}'s"]
        rows = []
        for row in report.rows:
            if row.gallery == gallery:
                size = "as it is" if row.size_px == SHARP else f"{row.size_px} px"
                gain = row.tar_gain[0]
                apart = "" if row.system == BASE else f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
                rows.append([size, row.system, str(row.accuracy), *map(str, row.tar), apart])
        lines += [f"### {title}", "", *TextTable(heads, rows).markdown(), ""]
    return "\n".join(lines)

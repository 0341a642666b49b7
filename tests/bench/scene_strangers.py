"""How alike strangers of one scene look: ``python -m tests.bench.scene_strangers --folder runs/scenes``.

Whoever stands in a picture beside somebody else is somebody else, before the same camera, in the same light. All such pairs are
compared, and pairs from pictures of other sources, by size of the smaller face, over the crowd of sharp photographs alone and
over the one that ships; no pair over a crowd that its picture had a part in. ``--sheet`` shows the pairs that are most alike,
to be looked at.
"""

from __future__ import annotations

import argparse
import itertools
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from engine.contracts.frames import Float32, Uint8
from engine.errors import FacestreamError
from engine.verify.open_set import OpenSet, crowding_of
from tests.assets import SHARED
from tests.bench.open_set_figures import interval, measured
from trt_build.cli.progress import RunProgress
from trt_build.data.people.group_pictures import GroupFaces, read_group_faces
from trt_build.protocols.open_set.scenes import ScenePairs, crowd_without, scene_pairs, wider_crowd

CONSOLE = Console()
SIZES_PX = (14.0, 24.0, 36.0, float("inf"))
SHARES = (0.5, 0.1, 0.01, 0.001)
COHORTS = (0, 1, 4, 16)
_SHOWN, _COLUMNS, _SIDE = 64, 8, 110
_LEAST_BESIDE = 6


def main() -> None:
    """Compare, count, show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=Path, default=SHARED / "data/detector_faces.zip", help="pictures of several people")
    parser.add_argument("--folder", type=Path, required=True, help="keeps what was found")
    parser.add_argument("--detector", default="grey")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="picture of the pairs that are most alike")
    options = parser.parse_args()
    for path in filter(None, (options.json, options.sheet)):
        if not path.absolute().parent.is_dir():
            parser.error(f"{path} is in no folder that is there")
    try:
        with RunProgress(CONSOLE) as progress:
            faces = read_group_faces(options.groups, options.detector, options.folder, progress.on_prepare)
    except (FacestreamError, OSError) as error:
        parser.error(str(error))
    limits = measured()
    sharp = crowd_without(faces, limits)
    alone = scene_pairs(faces, sharp, wider=False)
    pairs = {
        "one picture, crowd of photographs": alone,
        "one picture": scene_pairs(faces, sharp),
        "one picture, masked": scene_pairs(faces, sharp, masked=True),
        "other sources, crowd of photographs": apart(faces, sharp, wider=False),
        "other sources": apart(faces, sharp, wider=True),
    }
    rows = [row for name, found in pairs.items() for row in quantiles(name, found, limits)]
    cohorts = [cohort(faces, sharp, count) for count in COHORTS]
    show(
        "resemblance of two people",
        ("pairs", "px", "number", *(f"1 in {1 / one:g}" for one in SHARES), "above the limit"),
        rows,
    )
    show("with others of the picture in the crowd", ("others", "pairs", *(f"1 in {1 / one:g}" for one in SHARES)), cohorts)
    if options.json:
        options.json.write_text(json.dumps({"pairs": rows, "cohorts": cohorts}, indent=1) + "\n", encoding="utf-8")
    if options.sheet:
        cv2.imwrite(str(options.sheet), sheet(faces, pairs["one picture"], options.groups))


def apart(faces: GroupFaces, sharp: Float32, *, wider: bool) -> ScenePairs:
    """Return pairs of bare faces of different pictures of one half whose files begin otherwise: of other sources."""
    parts = []
    begin = np.array([name.split("_")[0] for name in faces.names.tolist()])
    for half in (0, 1):
        over = wider_crowd(sharp, faces, 1 - half) if wider else sharp
        rows = np.flatnonzero(faces.is_somebody & faces.is_bare & (faces.halves == half))
        crowding = crowding_of(faces.vectors[rows], over)
        alike = 2 * faces.vectors[rows] @ faces.vectors[rows].T - crowding[:, None] - crowding
        one, other = np.nonzero(np.triu(begin[rows][:, None] != begin[rows], 1))
        parts.append((alike[one, other].astype(np.float64), np.stack([rows[one], rows[other]], axis=1)))
    resemblance, both = (np.concatenate(one) for one in zip(*parts, strict=True))
    return ScenePairs(resemblance, faces.sizes_px[both].min(axis=1), faces.pictures[both[:, 0]], both)


def quantiles(name: str, pairs: ScenePairs, limits: OpenSet) -> list[list[str]]:
    """Return a row for each size: what shares of the pairs reach, and how many reach the limit of 1 in 1,000."""
    rows, least = [], limits.scene_limit(0.001)
    for low, high in [*itertools.pairwise(SIZES_PX), (SIZES_PX[0], SIZES_PX[-1])]:
        values = pairs.resemblance[(pairs.sizes_px >= low) & (pairs.sizes_px < high)]
        if not len(values):
            continue
        above = int((values >= least).sum())
        ends = interval(above, len(values))
        size = f"{low:g} to {high:g}" if high < SIZES_PX[-1] else f"from {low:g}"
        share = f"{above} ({1000 * above / len(values):.2f} [{1000 * ends[0]:.2f}, {1000 * ends[1]:.2f}] in 1,000)"
        rows.append([name, size, f"{len(values):,}", *(f"{np.quantile(values, 1 - one):.3f}" for one in SHARES), share])
    return rows


def cohort(faces: GroupFaces, sharp: Float32, count: int) -> list[str]:
    """Return what pairs of pictures with many people reach where so many of the others stand in the crowd, too."""
    rng, found = np.random.default_rng(5), list[float]()
    for half in (0, 1):
        over = wider_crowd(sharp, faces, 1 - half)
        chosen = faces.is_somebody & faces.is_bare & (faces.halves == half)
        for picture in np.unique(faces.pictures[chosen]):
            vectors = faces.vectors[chosen & (faces.pictures == picture)]
            if len(vectors) < _LEAST_BESIDE + 1:
                continue
            alike, nearest = vectors @ vectors.T, np.sort(vectors @ over.T, axis=1)[:, -5:]
            for one, other in itertools.combinations(range(len(vectors)), 2):
                beside = rng.permutation([at for at in range(len(vectors)) if at not in (one, other)])[:count]
                crowds = [np.sort(np.append(nearest[at], alike[at, beside]))[-5:].mean() for at in (one, other)]
                found.append(float(2 * alike[one, other] - sum(crowds)))
    return [str(count), f"{len(found):,}", *(f"{np.quantile(found, 1 - one):.3f}" for one in SHARES)]


def sheet(faces: GroupFaces, pairs: ScenePairs, archive: Path) -> Uint8:
    """Return the pairs that are most alike, the most first."""
    tiles = []
    with zipfile.ZipFile(archive) as opened:
        for at in np.argsort(-pairs.resemblance)[:_SHOWN].tolist():
            one, other = (_cut(faces, row, opened) for row in pairs.faces[at].tolist())
            tile = np.hstack([cv2.copyMakeBorder(side, 1, 20, 1, 1, cv2.BORDER_CONSTANT, value=255) for side in (one, other)])
            text = f"{pairs.resemblance[at]:.3f} {pairs.sizes_px[at]:.0f} px {faces.names[pairs.faces[at, 0]][:12]}"
            cv2.putText(tile, text, (2, tile.shape[0] - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.38, 0, 1, cv2.LINE_AA)
            tiles.append(tile)
    rows = [np.hstack(tiles[at : at + _COLUMNS]) for at in range(0, len(tiles) - len(tiles) % _COLUMNS, _COLUMNS)]
    return np.asarray(np.vstack(rows), np.uint8)


def _cut(faces: GroupFaces, row: int, archive: zipfile.ZipFile) -> Uint8:
    data = np.frombuffer(archive.read(f"images/{faces.names[row]}"), np.uint8)
    x, y, width, height = faces.boxes[row].tolist()
    scale = _SIDE / (1.7 * max(width, height))
    move: NDArray[np.float64] = np.array(
        [[scale, 0, _SIDE / 2 - scale * (x + width / 2)], [0, scale, _SIDE / 2 - scale * (y + height / 2)]]
    )
    luma = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(cv2.warpAffine(luma, move, (_SIDE, _SIDE), flags=cv2.INTER_AREA), np.uint8)


def show(title: str, headings: tuple[str, ...], rows: list[list[str]]) -> None:
    """Print a table."""
    table = Table(box=None, title=title)
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(table)


if __name__ == "__main__":
    main()

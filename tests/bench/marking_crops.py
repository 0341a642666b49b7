"""What the mark in the pixels costs a face as the product cuts it, with its margin: ``python -m tests.bench.marking_crops``.

Faces in photographs are cut, reduced to a width, enlarged by the default generator and published as JPEG, with the mark and
without. Beside the change of the vector by the mark stands that by JPEG alone.
"""

from __future__ import annotations

import argparse
import math
import zipfile
from collections.abc import Iterator
from contextlib import closing

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config import CropConfig, DetectConfig, PublishConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.detect.catalog import open_detector
from engine.marking import find_mark, put_mark
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import open_generator
from engine.verify.embedder import open_embedder
from tests.assets import SHARED
from tests.marking.attacks import as_jpeg

_SEARCHED_PX, _LEAST_PX = 640, 64
"""The longer side of the photographs, and the least width of a face in them: each is reduced."""


def faces(most: int) -> Iterator[tuple[Uint8, Float32, float]]:
    """Yield crops whose margin lies inside the photograph, with the landmarks in them and the width of the face."""
    margin, found = CropConfig().margin, 0
    with (
        zipfile.ZipFile(SHARED / "data/detector_faces.zip") as archive,
        closing(open_detector(DetectConfig(), find_model)) as detector,
    ):
        names = [name for name in archive.namelist() if name.endswith((".jpg", ".png"))]
        for name in np.random.default_rng(1).permutation(names):
            picture = cv2.imdecode(np.frombuffer(archive.read(str(name)), np.uint8), cv2.IMREAD_COLOR)
            factor = min(1.0, _SEARCHED_PX / max(picture.shape[:2]))
            picture = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
            one = detector.detect([planes_from_bgr(picture, full_range=True)])[0]
            if not len(one) or one.landmarks is None:
                continue
            best = int(np.argmax(one.boxes[:, 2]))
            x, y, width, height = one.boxes[best]
            left, top = round(float(x - margin * width)), round(float(y - margin * height))
            right, bottom = round(float(x + (1 + margin) * width)), round(float(y + (1 + margin) * height))
            if width >= _LEAST_PX and min(left, top) >= 0 and right <= picture.shape[1] and bottom <= picture.shape[0]:
                yield picture[top:bottom, left:right], one.landmarks[best] - np.float32([left, top]), float(width)
                found += 1
                if found == most:
                    return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=60)
    parser.add_argument("--widths", type=int, nargs="+", default=[12, 16, 24, 48], help="of the faces, pixels of the original")
    options = parser.parse_args()
    config = SuperResolveConfig(precision="float32", engines="none")
    enhancer = Enhancer(open_generator(config, find_model, threads=1), 1.0, math.inf)
    embedder, quality = open_embedder(VerifyConfig(), find_model), PublishConfig().jpeg_quality
    assert embedder is not None
    crops = list(faces(options.faces))
    table = Table("face, px", "picture, px", "by the mark", "most", "by JPEG alone", "most", "found", box=None)
    for wanted in options.widths:
        marked, plain, untouched, found = [], [], [], 0
        for crop, points, width in crops:
            size = tuple(round(side * wanted / width) for side in crop.shape[1::-1])
            small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
            picture = enhancer.enlarge([planes_from_bgr(small, full_range=True)])[0].bgr
            places = [np.asarray(points * np.divide(picture.shape[1::-1], crop.shape[1::-1]), np.float32)]
            published = as_jpeg(put_mark(picture), quality)
            found += find_mark(published).is_found
            marked.append(embedder.embed([published], places)[0])
            plain.append(embedder.embed([as_jpeg(picture, quality)], places)[0])
            untouched.append(embedder.embed([picture], places)[0])
        changes = [1 - (np.stack(plain) * np.stack(other)).sum(1) for other in (marked, untouched)]
        figures = [f"{value:.5f}" for change in changes for value in (change.mean(), change.max())]
        table.add_row(str(wanted), "x".join(map(str, picture.shape[1::-1])), *figures, f"{found} of {len(crops)}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

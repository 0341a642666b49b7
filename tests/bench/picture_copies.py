"""Which copies of a photograph are noticed as copies, and which other photographs are taken for some: ``python -m
tests.bench.picture_copies --people 60 --copied 24``."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.detect.catalog import open_detector
from engine.detect.second_look import open_second_look
from engine.enrolment.portrait import find_portrait
from engine.errors import EnrolmentRefused
from engine.models import find_model
from engine.verify.copies import COPY_COSINE, both_ways
from engine.verify.embedder import open_embedder
from tests.assets import SHARED
from tests.bench.gallery_references import photographs


def _scaled(picture: Uint8, factor: float) -> Uint8:
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how), np.uint8)


def _saved(picture: Uint8, quality: int) -> Uint8:
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def _mirrored(picture: Uint8) -> Uint8:
    return np.ascontiguousarray(picture[:, ::-1])


COPIES: dict[str, Callable[[Uint8], Uint8]] = {
    "JPEG of quality 75": lambda one: _saved(one, 75),
    "JPEG of quality 40": lambda one: _saved(one, 40),
    "scaled by 1.5": lambda one: _scaled(one, 1.5),
    "scaled by 0.7": lambda one: _scaled(one, 0.7),
    "scaled by 0.5": lambda one: _scaled(one, 0.5),
    "cropped by 5 % on each side": lambda one: one[7:-7, 7:-7],
    "brightened": lambda one: np.clip(one * 1.1 + 8, 0, 255).astype(np.uint8),
    "mirrored": _mirrored,
    "mirrored, scaled by 0.7, JPEG 75": lambda one: _saved(_scaled(_mirrored(one), 0.7), 75),
}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=60, help="whose different photographs are compared")
    parser.add_argument("--copied", type=int, default=24, help="of these a photograph is copied")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--archive", type=Path, default=SHARED / "data/lfw_gray/val.zip")
    options = parser.parse_args()
    embedder, second_look = open_embedder(VerifyConfig(), find_model), open_second_look(DetectConfig(), find_model)
    assert embedder is not None
    with closing(embedder), closing(open_detector(DetectConfig(), find_model)) as detector:

        def vectors(picture: Uint8) -> tuple[Float32, Float32] | None:
            try:
                portrait = find_portrait(options.archive, picture, detector, second_look)
            except EnrolmentRefused:
                return None
            return both_ways(portrait.bgr, portrait.landmarks, embedder)

        several = (pictures for _, pictures in photographs(options.archive, options.seed) if len(pictures) > 1)
        of_copies, different = dict[str, list[tuple[float, float]]](), list[float]()
        for number, pictures in enumerate(itertools.islice(several, options.people)):
            seen = [found for picture in pictures if (found := vectors(picture)) is not None]
            different += [_alike(one, other)[1] for one, other in itertools.combinations(seen, 2)]
            if number >= options.copied or (original := vectors(pictures[0])) is None:
                continue
            for kind, copied in COPIES.items():
                if (copy := vectors(copied(pictures[0]))) is not None:
                    of_copies.setdefault(kind, []).append(_alike(original, copy))
    table = Table("copy", "noticed", "without the mirror image", "of")
    for kind, cosines in of_copies.items():
        straight, either = (np.array(cosines) >= COPY_COSINE).sum(axis=0)
        table.add_row(kind, str(either), str(straight), str(len(cosines)))
    taken = sum(cosine >= COPY_COSINE for cosine in different)
    Console().print(table)
    Console().print(f"different photographs of a person: {taken} of {len(different)} pairs, the highest {max(different):.4f}")


def _alike(one: tuple[Float32, Float32], other: tuple[Float32, Float32]) -> tuple[float, float]:
    """Return the cosine of two faces as they are, and the higher one with either mirrored, as enrolment takes it."""
    straight = float(one[0] @ other[0])
    return straight, max(straight, float(one[0] @ other[1]))


if __name__ == "__main__":
    main()

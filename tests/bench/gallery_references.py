"""What becomes of good and of bad pictures at enrolment: ``python -m tests.bench.gallery_references --people 80 --bad 40``.

Good: photographs of people of no training, up to three of each. Bad: pictures of other such people, spoilt in eight ways, each
given as the second picture of a person whose first one is good, and as the first one of somebody new.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32, Uint8
from engine.detect.catalog import open_detector
from engine.detect.second_look import open_second_look
from engine.enrolment.enrol import EnrolResult, enrol_pictures
from engine.models import find_model
from engine.verify.embedder import open_embedder
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.open_set import open_set_of
from tests.assets import SHARED

CONSOLE = Console(width=180)


def _tiny(picture: Uint8) -> Uint8:
    return np.asarray(cv2.resize(picture[:, 15:-15], (22, 28), interpolation=cv2.INTER_AREA), np.uint8)


def _tiny_enlarged(picture: Uint8) -> Uint8:
    return np.asarray(cv2.resize(_tiny(picture), None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC), np.uint8)


def _tiny_sharpened(picture: Uint8) -> Uint8:
    large = _tiny_enlarged(picture).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 12, large.shape[:2])[:, :, None]
    sharp = 2.5 * large - 1.5 * cv2.GaussianBlur(large, (0, 0), 6)
    return np.asarray(np.clip(sharp + noise, 0, 255), np.uint8)


def _blurred(picture: Uint8) -> Uint8:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 5), np.uint8)


def _dark(picture: Uint8) -> Uint8:
    noise = np.random.default_rng(2).normal(0, 2, picture.shape)
    return np.asarray(np.clip(picture * 0.05 + noise, 0, 255), np.uint8)


def _half(picture: Uint8) -> Uint8:
    spoilt = picture.copy()
    spoilt[:, picture.shape[1] // 2 :] = 90
    return spoilt


def _back_of_a_head(picture: Uint8) -> Uint8:
    """The hair over the face."""
    spoilt, (height, width) = picture.copy(), picture.shape[:2]
    hair = cv2.resize(picture[:18, 50:95], (width, height), interpolation=cv2.INTER_CUBIC)
    middle, axes = (width // 2, round(0.55 * height)), (round(0.36 * width), round(0.46 * height))
    mask = cv2.ellipse(np.zeros((height, width), np.uint8), middle, axes, 0, 0, 360, 1, -1).astype(bool)
    spoilt[mask] = hair[mask]
    return spoilt


def _compressed(picture: Uint8) -> Uint8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 4])[1], cv2.IMREAD_COLOR), np.uint8)


SPOILT: dict[str, Callable[[Uint8], Uint8]] = {
    "tiny": _tiny, "tiny, enlarged": _tiny_enlarged, "tiny, enlarged, sharpened": _tiny_sharpened, "blurred": _blurred,
    "dark": _dark, "half a face": _half, "back of a head": _back_of_a_head, "strongly compressed": _compressed,
}  # fmt: skip


def photographs(archive: Path, seed: int) -> Iterator[tuple[str, list[Uint8]]]:
    """Yield people with their photographs as BGR, in an order that depends on the seed alone."""
    with zipfile.ZipFile(archive) as stored:
        of_person: dict[str, list[str]] = {}
        for name in sorted(stored.namelist()):
            of_person.setdefault(name.split("/")[0], []).append(name)
        people = sorted(of_person)
        for place in np.random.default_rng(seed).permutation(len(people)).tolist():
            files = [np.frombuffer(stored.read(name), np.uint8) for name in of_person[people[place]][:3]]
            yield people[place], [np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8) for file in files]


def kind_of(result: EnrolResult) -> str:
    """Return the outcome with the words that say why, without names and figures."""
    words = re.sub(r"^.*?\.png:? |\([^)]*\)|:.*$", "", result.reason.removeprefix("the face in ")) if result.reason else ""
    words = re.sub(r"(like|of) (?!the)[A-Z]\S*( \S+)?", r"\1 NAME", words)
    return f"{result.outcome} {' '.join(words.split())}".strip()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=80, help="whose good photographs are enrolled")
    parser.add_argument("--bad", type=int, default=20, help="other people, whose photographs are spoilt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="people who were taken before, into the same --gallery")
    parser.add_argument("--gallery", type=Path, help="kept; by default one for this run alone")
    parser.add_argument("--archive", type=Path, default=SHARED / "data/lfw_gray/val.zip")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    embedder = open_embedder(VerifyConfig(), find_model)
    second_look = open_second_look(DetectConfig(), find_model)
    assert embedder is not None
    measured = open_set_of(embedder.sha256)
    seen: dict[str, Counter[str]] = {}
    crowding: dict[str, list[float]] = {}
    vectors, embed = list[Float32](), embedder.embed

    def embed_and_remember(pictures: Sequence[Uint8], landmarks: Sequence[Float32 | None]) -> Float32:
        vectors.extend(found := embed(pictures, landmarks))
        return found

    embedder.embed = embed_and_remember  # type: ignore[method-assign]
    people = itertools.islice(photographs(options.archive, options.seed), options.skip, None)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(embedder),
        closing(open_detector(DetectConfig(), find_model)) as detector,
        Gallery(options.gallery or Path(folder) / "people.sqlite") as gallery,
    ):

        def enrol(kind: str, name: str, pictures: list[Uint8]) -> None:
            paths = []
            for number, picture in enumerate(pictures):
                paths.append(Path(folder) / f"{number}.png")
                cv2.imwrite(str(paths[-1]), picture)
            for one in enrol_pictures(name, paths, detector, embedder, gallery, second_look=second_look):
                seen.setdefault(kind, Counter())[kind_of(one)] += 1
            if measured is not None:  # every other vector is of a face's mirror image
                crowding.setdefault(kind, []).extend(measured.crowding(one[None])[0].item() for one in vectors[::2])
            vectors.clear()

        for _ in range(options.people):
            name, pictures = next(people)
            enrol("good", name, pictures)
        with_several = (one for one in people if len(one[1]) > 1)
        for number in range(options.bad):
            (name, pictures), (_, other) = next(with_several), next(with_several)
            enrol("good", name, pictures[:1])
            for kind, spoil in SPOILT.items():
                enrol(f"{kind}, second", name, [spoil(pictures[1])])
                enrol(f"{kind}, first", f"somebody {options.skip + number} {kind}", [spoil(other[0])])
    for kind, counts in seen.items():
        values = crowding.get(kind, [])
        spread = f"  crowding {np.quantile(values, [0, 0.05, 0.5, 0.95, 1]).round(3).tolist()}" if values else ""
        CONSOLE.print(f"{kind} ({counts.total()}){spread}")
        for outcome, count in counts.most_common():
            CONSOLE.print(f"    {count:4}  {outcome}")
    if options.json:
        options.json.write_text(json.dumps({"seen": seen, "crowding": crowding}, indent=1))


if __name__ == "__main__":
    main()

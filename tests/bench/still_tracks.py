"""Which faces of real pictures become tracks that speak, by size and kind: with the second look beside the detector alone.

``python -m tests.bench.still_tracks`` shows each picture that the detector's recipe keeps apart for two seconds, as a camera
would that trembles a little (12 frames a second, noise, H.264). There its labels say of each track whether it is of a face.
"""

from __future__ import annotations

import argparse
import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from engine.config import DetectConfig, TrackConfig
from engine.contracts.frames import Float32, Frame, FrameTime, Planes, TrackedFace, Uint8
from engine.detect.judged import open_judged
from engine.detect.large_faces import LargeFaces
from engine.models import find_model
from engine.perception.acceptance import Acceptance
from engine.perception.face_judge import FaceJudge
from engine.perception.following import Following
from engine.track.judge import Judge
from tests.bench.people_clips import through_h264
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.pictures import Picture, both_sides
from trt_build.data.scenes.teacher import Labelled
from trt_build.protocols.detector.pictures import BANDS, kinds_of
from trt_build.recipes.detector import DetectorRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of
from trt_build.systems.detector.scoring import MATCH_IOU
from trt_build.systems.second_look.candidates import sorted_by_labels

CONSOLE = Console()
FRAMES, RATE = 24, 12
_SWAY_PX = 3.0
_NOISE = 2.0
_LEAST_PX = 10.0
_SMALLEST_SIDE_PX = 64
NOTHING, DOUBTFUL = -1, -2
"""What a face of a track shows that is no labelled face."""
LOOKS = ALONE, TOGETHER = "alone", "with"


@dataclass
class Followed:
    """One track, and what it shows."""

    faces: list[TrackedFace] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    """Frame of each."""
    shows: list[int] = field(default_factory=list)
    """Of each: the number of the labelled face, ``NOTHING`` or ``DOUBTFUL``."""
    speaks: bool = False

    @property
    def face(self) -> int | None:
        """Number of the labelled face that most of it shows; None: of none."""
        (what, often), *_ = Counter(self.shows).most_common(1)
        return what if what >= 0 and 2 * often >= len(self.shows) else None

    @property
    def is_nothing(self) -> bool:
        """It lies away from all that may be a face, from its first frame to its last."""
        return set(self.shows) == {NOTHING}


def main() -> None:
    """Show each picture, follow its faces both ways, print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="grey_detector", help="says which pictures were kept apart")
    parser.add_argument("--scale", type=float, default=1.0, help="at which pictures are shown")
    parser.add_argument("--cache", type=Path, default=Path("runs/grey/cache"), help="folder for decoded pictures")
    options = parser.parse_args()
    spec = read_recipe_of(DetectorRecipe, find_recipe(options.recipe)).material
    sides = [both_sides(archive, spec, options.cache, lambda *what: None)[1] for archive in (spec.pictures, spec.negatives)]
    pictures = [picture for side in sides for picture in side]
    masked = masks_of(Path(spec.pictures))
    detectors = {look: open_judged(DetectConfig("grey", second_look=look == TOGETHER), find_model)[0] for look in LOOKS}
    judge = FaceJudge(CONSOLE.print)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for number, picture in enumerate(track(pictures, "pictures", console=CONSOLE)):
        shown = scaled(picture.labelled, options.scale)
        if min(shown.image.shape) < _SMALLEST_SIDE_PX:
            continue
        frames, sways = filmed(shown.image, np.random.default_rng([7, number]))
        tracks = {look: followed(frames, sways, shown, detector, judge) for look, detector in detectors.items()}
        count_faces(shown, words_of(picture, shown, masked), tracks, counts)
        count_alarms(shown, tracks, counts)
    CONSOLE.print(faces_table(counts))
    CONSOLE.print(alarms_table(counts))


def scaled(labelled: Labelled, scale: float) -> Labelled:
    """Return a picture with its labels at another scale, both sides even."""
    height, width = (2 * int(side * scale / 2) for side in labelled.image.shape)
    image = np.ascontiguousarray(labelled.image)
    if scale != 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    by = np.float32(scale)
    image = np.ascontiguousarray(image[:height, :width])
    return Labelled(image, labelled.boxes * by, labelled.points * by, labelled.unsure * by)


def filmed(image: Uint8, rng: np.random.Generator) -> tuple[list[Planes], NDArray[np.float64]]:
    """Return frames of a picture of full range, and how far (x, y) each was moved."""
    phases = rng.uniform(0, 2 * np.pi, 3)
    turns = 2 * np.pi * np.arange(FRAMES) / FRAMES
    sways = _SWAY_PX * np.stack([np.sin(0.9 * turns + phases[0]), 0.7 * np.sin(1.3 * turns + phases[1])], axis=1)
    lights = 1 + 0.03 * np.sin(2 * turns + phases[2])
    video = 16 + image.astype(np.float32) * (219 / 255)
    size = image.shape[::-1]
    pictures = []
    for sway, light in zip(sways, lights, strict=True):
        matrix = np.array([[1, 0, sway[0]], [0, 1, sway[1]]])
        moved = cv2.warpAffine(video, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        pictures.append(np.clip(moved * light + rng.normal(0, _NOISE, moved.shape), 16, 235).astype(np.uint8))
    return through_h264(pictures, int(rng.integers(22, 33)), RATE), sways


def followed(
    frames: Sequence[Planes], sways: NDArray[np.float64], truth: Labelled, detector: LargeFaces, judge: Judge
) -> list[Followed]:
    """Return all tracks of one detector, those that may not speak among them."""
    following = Following(TrackConfig(), RATE, count(1).__next__, detector.sure_score, judge)
    limits = detector.limits
    acceptance = Acceptance(TrackConfig().min_detections, limits)
    tracks: defaultdict[int, Followed] = defaultdict(Followed)
    for number, (planes, sway) in enumerate(zip(frames, sways, strict=True)):
        time = FrameTime(number, number, (1, RATE), number / RATE, 0)
        faces, _ = following.update(Frame("still", time, planes), detector.detect([planes])[0])
        for face in faces:
            one = tracks[face.track_id]
            one.faces.append(face)
            one.moments.append(number)
            one.shows.append(_shown(face.box - np.array([*sway, 0, 0], np.float32), truth))
        for face in acceptance.admit(faces):
            tracks[face.track_id].speaks = True
    return list(tracks.values())


def _shown(box: Float32, truth: Labelled) -> int:
    (is_face,), (is_none,) = sorted_by_labels(box[None], truth)
    if is_face:
        return int(overlaps(box[None], truth.boxes)[0].argmax())
    return NOTHING if is_none else DOUBTFUL


def masks_of(archive: Path) -> dict[str, list[tuple[list[float], str]]]:
    """Return, by picture, the boxes that came with the pictures and what they are called: with_mask, without_mask and so on."""
    found: defaultdict[str, list[tuple[list[float], str]]] = defaultdict(list)
    with zipfile.ZipFile(archive) as opened:
        for row in csv.DictReader(io.StringIO(opened.read("boxes.csv").decode())):
            found[row["file"]].append(([float(row[key]) for key in "xywh"], row["source"].rpartition(" ")[2]))
    return found


def words_of(picture: Picture, shown: Labelled, masked: dict[str, list[tuple[list[float], str]]]) -> list[set[str]]:
    """Return what is special about each labelled face of a picture: size, kind, mask."""
    words: list[set[str]] = [set(kinds) for kinds in kinds_of(picture.labelled)]
    given = masked.get(picture.name, [])
    boxes = np.array([box for box, _ in given], np.float32).reshape(-1, 4)
    shared = overlaps(picture.labelled.boxes, boxes)
    for row, of, box in zip(shared, words, shown.boxes, strict=True):
        if len(row) and row.max() >= MATCH_IOU:
            of.add(given[int(row.argmax())][1])
        of.update(f"{low:.0f} px and more" for low, high in BANDS if low <= box[2] < high)
        of.add("all")
        if "surv-dataset" in picture.source:
            of.add("cctv")
    return words


def count_faces(
    shown: Labelled, words: Sequence[set[str]], tracks: dict[str, list[Followed]], counts: dict[str, Counter[str]]
) -> None:
    """Count labelled faces by words: those of a track, of one that speaks, and what only the detector alone says."""
    of = {look: {one.face for one in some} for look, some in tracks.items()}
    said = {look: {one.face for one in some if one.speaks} for look, some in tracks.items()}
    for number, (kinds, box) in enumerate(zip(words, shown.boxes, strict=True)):
        if box[2] < _LEAST_PX:
            continue
        for word in kinds:
            counts[word]["faces"] += 1
            for look in LOOKS:
                counts[word][f"followed {look}"] += number in of[look]
                counts[word][f"said {look}"] += number in said[look]
            counts[word]["lost"] += number in said[ALONE] and number not in said[TOGETHER]


def count_alarms(shown: Labelled, tracks: dict[str, list[Followed]], counts: dict[str, Counter[str]]) -> None:
    """Count tracks that lie away from all faces, in pictures with faces and without."""
    side = "pictures without a face" if shown.is_empty else "pictures with faces"
    counts[side]["pictures"] += 1
    for look, some in tracks.items():
        counts[side][f"followed {look}"] += sum(one.is_nothing for one in some)
        counts[side][f"said {look}"] += sum(one.is_nothing and one.speaks for one in some)


def faces_table(counts: dict[str, Counter[str]]) -> Table:
    """Return a row for each kind of face."""
    table = Table("faces", "", "alone", "with, followed", "with, speaks", "silent", "lost of alone", box=None)
    for word, some in sorted(counts.items()):
        if some["faces"]:
            silent = 1 - some[f"said {TOGETHER}"] / max(1, some[f"followed {TOGETHER}"])
            numbers = (some["faces"], some[f"said {ALONE}"], some[f"followed {TOGETHER}"], some[f"said {TOGETHER}"])
            table.add_row(word, *map(str, numbers), f"{silent:.3f}", str(some["lost"]))
    return table


def alarms_table(counts: dict[str, Counter[str]]) -> Table:
    """Return how many tracks are of no face."""
    table = Table("tracks of no face", "", *(f"{what} {look}" for look in LOOKS for what in ("followed", "said")), box=None)
    for word, some in sorted(counts.items()):
        if some["pictures"]:
            table.add_row(
                word,
                *(str(some[key]) for key in ("pictures", *(f"{w} {look}" for look in LOOKS for w in ("followed", "said")))),
            )
    return table


if __name__ == "__main__":
    main()

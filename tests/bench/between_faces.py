"""How far drawn boxes are from the faces of a sample clip, in widths and heights of the face.

Usage: python -m tests.bench.between_faces RESULT CLIP.truth.json

RESULT is the output directory of a run over the clip. Of each track the person is the one whom its faces cover most; the
detector's way of framing a face is taken out (the mean offset of the faces that were written).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

from engine.client.results import load_run
from engine.results.cast import Cast
from engine.sample.clip import Truth, TruthBox, read_truth


def main(result: Path, truth_file: Path) -> None:
    run, truth = load_run(result), read_truth(truth_file)
    (stream,) = run.inputs
    written = defaultdict(list)
    for line in run.faces():
        written[line.face.track_id].append((line.face.frame_index, np.array(line.face.box)))
    people = {number: _person(faces, truth) for number, faces in written.items()}
    offsets = {number: _mean_offset(faces, truth, people[number]) for number, faces in written.items()}
    cast, errors = Cast(run, stream), {"between faces": list[float](), "before the first, after the last": list[float]()}
    for index, frame in enumerate(truth.frames):
        for role, box in cast.at(index / truth.fps):
            real = _box_of(frame, people[role.track_id])
            if box is None or real is None:
                continue
            first, last = min(face[0] for face in written[role.track_id]), max(face[0] for face in written[role.track_id])
            kind = "between faces" if first <= index <= last else "before the first, after the last"
            errors[kind].append(float(np.abs(_offset(np.array(box), real) - offsets[role.track_id]).max()))
    for kind, found in errors.items():
        half, most, worst = np.percentile(found, [50, 95, 100])
        print(f"{kind}: {len(found)} boxes, median {half:.2f}, 95 % {most:.2f}, largest {worst:.2f}")  # noqa: T201


def _person(faces: list[tuple[int, np.ndarray]], truth: Truth) -> str:
    votes: dict[str, float] = defaultdict(float)
    for index, box in faces:
        for one in truth.frames[index]:
            votes[one.identity] += np.abs(_offset(box, one)).max() < 1
    return max(votes, key=lambda name: votes[name])


def _box_of(frame: list[TruthBox], person: str) -> TruthBox | None:
    return next((one for one in frame if one.identity == person), None)


def _mean_offset(faces: list[tuple[int, np.ndarray]], truth: Truth, person: str) -> np.ndarray:
    found = [_offset(box, real) for index, box in faces if (real := _box_of(truth.frames[index], person)) is not None]
    return np.mean(found, axis=0)


def _offset(box: np.ndarray, real: TruthBox) -> np.ndarray:
    place = np.array(real.box)
    return (box[:2] + box[2:] / 2 - place[:2] - place[2:] / 2) / place[2:]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))

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
from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.recording import reader_of
from engine.results.cast import Cast
from engine.results.finding import Seeker
from engine.results.tracks_of import recording_in
from engine.sample.truth import Truth, TruthBox, read_truth


def main(result: Path, truth_file: Path) -> None:
    run, truth = load_run(result), read_truth(truth_file)
    (stream,) = run.inputs
    written = defaultdict(list)
    for line in run.faces():
        written[line.face.track_id].append((line.face.frame_index, np.array(line.face.box)))
    people = {number: _person(faces, truth) for number, faces in written.items()}
    offsets = {number: _mean_offset(faces, truth, people[number]) for number, faces in written.items()}
    cast, seeker, errors = Cast(run, stream), Seeker(run), defaultdict[str, list[float]](list)
    frames = (item for item in reader_of(recording_in(run, stream), DecodeConfig()) if isinstance(item, Frame))
    for index, item in enumerate(frames):
        for role, expected in cast.at(item.time.pts_seconds):
            real = _box_of(truth.frames[index], people[role.track_id])
            if expected is None or real is None:
                continue
            box = seeker.place(role, expected, item.time.pts_seconds, item.planes.y)
            first, last = min(face[0] for face in written[role.track_id]), max(face[0] for face in written[role.track_id])
            kind = "between faces" if first <= index <= last else "before the first, after the last"
            for way, drawn in (("moved evenly", expected), ("looked for", box)):
                away = np.abs(_offset(np.array(drawn), real) - offsets[role.track_id]).max()
                errors[f"{kind}, {way}"].append(float(away))
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

"""Whether a track is one person, and a person one track: the rules switched off beside the rules, on the same detections.

``python -m tests.bench.tracking`` renders its clips from ``lfw_gray/val.zip``, people of whom nothing was measured before;
``--people train`` from those that the thresholds come from.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import count
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from engine.config import DetectConfig, TrackConfig
from engine.contracts.frames import Detections, Frame
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.perception.face_judge import FaceJudge
from engine.perception.following import Following
from tests.assets import SHARED
from tests.bench.people_clips import FPS, Backgrounds, Clip, Faces
from tests.bench.people_scenes import KINDS
from tests.bench.track_score import Account, Score

CONSOLE = Console(width=180)
RULES = {"off": {"scene_cuts": False, "same_person": False}, "on": {}}


def main() -> None:
    """Render, detect once, follow twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12, help="of each kind")
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--people", choices=("val", "train"), default="val")
    parser.add_argument("--every", type=int, default=1, help="detect on every n-th frame")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    faces = Faces(SHARED / "data" / "lfw_gray" / f"{options.people}.zip")
    backgrounds = Backgrounds(SHARED / "data" / "detector_negatives.zip")
    detector = open_detector(DetectConfig(detector=options.detector), find_model)
    judge = FaceJudge(CONSOLE.print)
    table = _table(f"{options.clips} clips of each kind, {detector.name} on every {options.every}. frame")
    figures: dict[str, dict[str, object]] = {}
    for kind in options.kinds:
        scores = {rule: Score() for rule in RULES}
        for number in range(options.clips):
            clip = KINDS[kind](faces, backgrounds, np.random.default_rng([options.seed, number]))
            start = time.process_time()
            found = [
                detector.detect([planes])[0] if index % options.every == 0 else None for index, planes in enumerate(clip.planes)
            ]
            seconds = time.process_time() - start
            for rule, changes in RULES.items():
                score = follow(clip, found, replace(TrackConfig(), **changes), detector.sure_score, judge)
                score.seconds["detect"] = seconds
                scores[rule].add(score)
        for rule, score in scores.items():
            table.add_row(kind if rule == "off" else "", rule, *_cells(score))
            figures[f"{kind}, {rule}"] = {**vars(score), "seconds": dict(score.seconds), "counters": dict(score.counters)}
    CONSOLE.print(table)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def follow(clip: Clip, found: list[Detections | None], config: TrackConfig, start_score: float, judge: FaceJudge) -> Score:
    """Follow the detections of a clip by a configuration."""
    following = Following(config, FPS, count(1).__next__, start_score, judge)
    account, seconds, cuts = Account(), {"cuts": 0.0, "track": 0.0}, set()
    for (moment, planes), detections in zip(clip.times(), found, strict=True):
        if moment.frame_index in clip.cuts:
            account.cut()
        frame = Frame("bench", moment, planes)
        start = time.process_time()
        if following.is_cut(frame):
            cuts.add(moment.frame_index)
            following.cut()
        middle = time.process_time()
        faces, _ = following.update(frame, detections)
        seconds["cuts"] += middle - start
        seconds["track"] += time.process_time() - middle
        if detections is not None:
            account.add(clip.truth[moment.frame_index], detections.boxes, faces)
    score = account.score()
    score.seconds.update(seconds)
    score.counters.update(following.counters)
    score.cuts = len(clip.cuts)
    if config.scene_cuts:
        score.missed_cuts = sum(all(abs(cut - at) > clip.tolerance for at in cuts) for cut in clip.cuts)
        score.false_cuts = sum(all(abs(cut - at) > clip.tolerance for cut in clip.cuts) for at in cuts)
    return score


def _table(title: str) -> Table:
    table = Table(box=None, title=title)
    headings = (
        "clips", "rules", "purity", "pure tracks", "tracks", "tracks/passage", "without", "switches", "cuts missed", "false",
        "in tracks", "asked", "split", "joined", "cuts/detect", "track/detect",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="left" if heading in headings[:2] else "right")
    return table


def _cells(score: Score) -> list[str]:
    detect = max(score.seconds["detect"], 1e-9)
    return [
        f"{score.purity:.4f}",
        f"{score.pure_share:.3f}",
        str(score.tracks),
        f"{score.fragments:.3f}",
        f"{score.untracked} of {score.passages}",
        str(score.switches),
        f"{score.missed_cuts} of {score.cuts}",
        str(score.false_cuts),
        f"{score.faces / max(score.detected, 1):.3f}",
        *(str(score.counters[f"tracks.{name}"]) for name in ("asked", "split", "joined")),
        f"{score.seconds['cuts'] / detect:.3f}",
        f"{score.seconds['track'] / detect:.3f}",
    ]


if __name__ == "__main__":
    main()

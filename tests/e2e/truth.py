"""Holds the output of a run on a sample clip against its ground truth.

python -m tests.e2e.truth RESULT_DIR SAMPLE.truth.json
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engine.sample.truth import Truth, read_truth

SMALLEST_IOU = 0.3
"""dlib's square boxes and the truth's tight ones agree to about 0.7."""


@dataclass(frozen=True)
class TrackTruth:
    """One track of the run."""

    track_id: int
    identity: str
    """Who most of its faces are; empty where none is anybody."""
    faces: int
    right: int
    """Faces of ``identity``."""
    decision: str
    candidate: str
    cosine_original: float
    cosine_enhanced: float


@dataclass(frozen=True)
class Score:
    """The run as a whole."""

    tracks: list[TrackTruth]
    false_faces: int
    """Faces where the truth has nobody."""

    @property
    def purity(self) -> float:
        """Share of the tracks' faces that belong to the person of their track."""
        return sum(track.right for track in self.tracks) / max(sum(track.faces for track in self.tracks), 1)

    @property
    def fragments(self) -> dict[str, int]:
        """Tracks of each person."""
        return dict(Counter(track.identity for track in self.tracks if track.identity))


def score(directory: Path, truth: Truth) -> Score:
    """Match every recorded face with the truth of its frame."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for line in _lines(directory / "faces.jsonl"):
        found[line["track_id"]][_who(line["box"], truth.frames[line["frame_index"]])] += 1
    ended = {line["track_id"]: line for line in _lines(directory / "tracks.jsonl") if line["ended"]}
    tracks = [_track(ended[track_id], seen) for track_id, seen in sorted(found.items())]
    return Score(tracks, sum(seen[""] for seen in found.values()))


def _track(line: dict, seen: Counter[str]) -> TrackTruth:
    (identity, right), *_ = seen.most_common(1)
    best = line["candidates"][0] if line["candidates"] else {"identity": "", "cosine_original": float("nan")}
    enhanced = best.get("cosine_enhanced")
    return TrackTruth(
        line["track_id"], identity, sum(seen.values()), right, line["decision"], best["identity"],
        best["cosine_original"], float("nan") if enhanced is None else enhanced,
    )  # fmt: skip


def _who(box: list[float], people) -> str:
    best = max(people, key=lambda person: iou(box, person.box), default=None)
    return best.identity if best is not None and iou(box, best.box) >= SMALLEST_IOU else ""


def iou(a, b) -> float:
    """Return the intersection over the union of two boxes, (x, y, width, height) each."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Print the table."""
    result = score(Path(sys.argv[1]), read_truth(Path(sys.argv[2])))
    table = Table()
    for heading in ("track", "who", "faces", "right", "decision", "candidate", "cosine", "after SR"):
        table.add_column(heading)
    for track in result.tracks:
        table.add_row(
            str(track.track_id), track.identity, str(track.faces), str(track.right), track.decision, track.candidate,
            f"{track.cosine_original:.3f}", f"{track.cosine_enhanced:.3f}",
        )  # fmt: skip
    console = Console()
    console.print(table)
    console.print(
        f"track purity {result.purity:.3f}, false faces {result.false_faces}, tracks of each person {result.fragments}"
    )


if __name__ == "__main__":
    main()

"""Tracks of what is no face, and true tracks that the second look costs, on footage that nothing was trained on, and beside it
on clips of which the second look has learnt eight frames each.

``python -m tests.bench.false_tracks --sheet DIR`` runs the product on each clip with and without the second look. Whether a
track is of a face is asked of YuNet, on enlarged and reduced windows of its frames, and it is wrong about wheels, vests and
backs of heads: ``--truth FILE`` takes what somebody saw (lines ``CLIP FRAME X Y face|doubtful|none``), by default where that
differs. ``--sheet`` writes pictures of the tracks, for whoever wants to see for themselves.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config.file import load_config
from engine.contracts.frames import Float32, Uint8
from engine.detect.nested import shares
from engine.pipeline.run import run_pipeline
from tests.assets import SHARED
from trt_build.data.clips import luma_frames
from trt_build.data.scenes.clips import clips_in, look_at_scales
from trt_build.data.scenes.teacher import Teacher, expand
from trt_build.recipes.detector import DetectorRecipe
from trt_build.recipes.files import find_recipe, read_recipe_of

CONSOLE = Console()
LOOKED_AT = 8
"""Faces of a track, evenly spread, at which YuNet looks."""
_SAME_SHARE = 0.4
_WINDOW = 5.0
_CELL_PX = 96


@dataclass
class Seen:
    """One track of one run."""

    clip: str
    boxes: dict[int, Float32] = field(default_factory=dict)
    """By frame."""
    verdict: str = ""
    """``face``, ``doubtful`` or ``none``."""
    cells: list[Uint8] = field(default_factory=list)


@dataclass
class Figures:
    """Of one group of clips and one arrangement."""

    seconds: float = 0.0
    tracks: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """By verdict."""
    lost: int = 0
    """Tracks of faces of the run without a second look of which this one has nothing."""
    rejected: int = 0

    def row(self) -> tuple[str, ...]:
        hours = self.seconds / 3600
        counts = (self.tracks[verdict] for verdict in ("face", "doubtful", "none"))
        per_hour = self.tracks["none"] / hours if hours else 0.0
        return (*(str(count) for count in counts), f"{per_hour:.1f}", str(self.lost), str(self.rejected))


def main() -> None:
    """Run each clip both ways, judge the tracks, print a table for each group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detector", default="grey", help="as detect.detector")
    parser.add_argument("--recipe", default="grey_detector", help="says which clips of its archive were kept apart")
    parser.add_argument("--sheet", type=Path, help="folder for pictures of the tracks")
    parser.add_argument("--truth", type=Path, default=Path(__file__).with_name("false_tracks.txt"), help="verdicts of a person")
    parser.add_argument("--only", default="", help="clips whose names hold this")
    options = parser.parse_args()
    teacher = Teacher(SHARED / "models" / "face_detection_yunet_2023mar.onnx")
    truth = _read_truth(options.truth)
    table = Table(
        "clips", "minutes", "second look", "of faces", "doubtful", "of none", "of none/hour", "lost", "rejected", box=None
    )
    with tempfile.TemporaryDirectory() as folder:
        for group, clips in groups(options.recipe, Path(folder)):
            chosen = [clip for clip in clips if options.only in clip.name]
            if not chosen:
                continue
            figures = {look: Figures(sum(map(_seconds, chosen))) for look in (False, True)}
            tracks = {look: tracks_of(chosen, options.detector, look, Path(folder) / group, figures[look]) for look in figures}
            for clip in chosen:
                judge(clip, [one for some in tracks.values() for one in some if one.clip == clip.name], teacher, truth)
            lost = [one for one in tracks[False] if one.verdict == "face" and not _is_among(one, tracks[True])]
            figures[True].lost = len(lost)
            if options.sheet and lost:
                write_sheets(options.sheet, f"{group}-lost", lost)
            for look in (False, True):
                for one in tracks[look]:
                    figures[look].tracks[one.verdict] += 1
                minutes = f"{figures[look].seconds / 60:.1f}"
                table.add_row(group, minutes, "with" if look else "without", *figures[look].row())
                if options.sheet:
                    write_sheets(options.sheet, f"{group}-{'with' if look else 'without'}", tracks[look])
    CONSOLE.print(table)


def groups(recipe: str, folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield a name and the clips of each group that is there."""
    spec = read_recipe_of(DetectorRecipe, find_recipe(recipe)).material.clips
    if spec.archive and Path(spec.archive).exists():
        clips = list(clips_in(Path(spec.archive), folder))
        yield "kept-apart", [clip for clip in clips if spec.keeps_apart(clip.name)]
        yield "learnt-from", [clip for clip in clips if not spec.keeps_apart(clip.name)]
    names = ("car-detection.mp4", "one-by-one-person-detection.mp4", "asl_help.mkv", "asl_hungry.mkv")
    for group, clips in (
        ("videos", [SHARED / "video" / name for name in names]),
        ("no-faces", [SHARED / "cases" / "no-faces" / name for name in ("flir.mp4", "mot20_05.mp4")]),
    ):
        if there := [clip for clip in clips if clip.exists()]:
            yield group, there


def tracks_of(clips: list[Path], detector: str, second_look: bool, folder: Path, figures: Figures) -> list[Seen]:
    """Run the product on some clips, every face kept, and return the tracks of all."""
    out = folder.with_name(f"{folder.name}-{second_look}")
    sections = {
        "sources": [{"uri": str(clip), "name": str(number)} for number, clip in enumerate(clips)],
        "detect": {"detector": detector, "second_look": second_look},
        "crop": {"policy": "every", "min_size_px": 6},
        "super_resolve": {"generator": "none"},
        "verify": {"embedder": "none"},
        "publish": {"parts": ["original"]},
        "output": {"directory": str(out), "report": False},
    }
    result = run_pipeline(load_config(None, sections))
    figures.rejected = result.counters.get("rejected", 0)
    tracks: dict[tuple[str, int], Seen] = {}
    for line in (out / "faces.jsonl").read_text().splitlines():
        face = json.loads(line)
        one = tracks.setdefault((face["stream"], face["track_id"]), Seen(clips[int(face["stream"])].name))
        one.boxes[face["frame_index"]] = np.array(face["box"], np.float32)
    return list(tracks.values())


def judge(clip: Path, tracks: list[Seen], teacher: Teacher, truth: list[tuple[str, int, float, float, str]]) -> None:
    """Say of each track whether it is of a face: YuNet sees one at 0.6 (``doubtful``: at 0.3) in one of its frames."""
    wanted: dict[int, list[Seen]] = defaultdict(list)
    for one in tracks:
        frames = sorted(one.boxes)
        for frame in {frames[round(at)] for at in np.linspace(0, len(frames) - 1, LOOKED_AT)}:
            wanted[frame].append(one)
    for number, luma in enumerate(luma_frames(clip)):
        for one in wanted.get(number, ()):
            window, box = _window(expand(luma), one.boxes[number])
            seen = look_at_scales(window, teacher)
            best = "face" if _hit(box, seen.boxes) else "doubtful" if _hit(box, seen.unsure) else "none"
            one.verdict = min(one.verdict or best, best, key=("face", "doubtful", "none").index)
            one.cells.append(_cell(window, box))
    for name, frame, x, y, verdict in truth:
        for one in tracks:
            place = one.boxes.get(frame)
            if one.clip == name and place is not None and _holds(place, x, y):
                one.verdict = verdict


def write_sheets(folder: Path, name: str, tracks: list[Seen]) -> None:
    """Write a picture for each verdict: a row for each track."""
    folder.mkdir(parents=True, exist_ok=True)
    for verdict in ("face", "doubtful", "none"):
        some = [one for one in tracks if one.verdict == verdict]
        if not some:
            continue
        sheet = np.zeros((len(some) * _CELL_PX, (LOOKED_AT + 3) * _CELL_PX), np.uint8)
        for row, one in enumerate(some):
            top = row * _CELL_PX
            for column, cell in enumerate(one.cells[:LOOKED_AT]):
                sheet[top : top + _CELL_PX, column * _CELL_PX : (column + 1) * _CELL_PX] = cell
            first = min(one.boxes)
            x, y, width, height = one.boxes[first].tolist()
            lines = (one.clip, f"{first} {x + width / 2:.0f} {y + height / 2:.0f}", f"{len(one.boxes)} faces, {width:.0f} px")
            for number, line in enumerate(lines):
                place = (LOOKED_AT * _CELL_PX + 4, top + 24 + 24 * number)
                cv2.putText(sheet, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 255, 1, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"{name}-{verdict}.png"), sheet)


def _window(luma: Uint8, box: Float32) -> tuple[Uint8, Float32]:
    """Cut what lies about a box, and return the box in it."""
    reach = max(48.0, _WINDOW * float(box[2:].max()) / 2)
    middle = box[:2] + box[2:] / 2
    low = np.maximum(0, np.floor(middle - reach)).astype(int)
    high = np.ceil(middle + reach).astype(int)
    cut = np.ascontiguousarray(luma[low[1] : high[1], low[0] : high[0]])
    return cut, np.concatenate([box[:2] - low, box[2:]]).astype(np.float32)


def _holds(box: Float32, x: float, y: float) -> bool:
    left, top, width, height = box.tolist()
    return bool(left <= x <= left + width and top <= y <= top + height)


def _hit(box: Float32, others: Float32) -> bool:
    return bool(len(others) and (shares(box, others) >= _SAME_SHARE).any())


def _cell(window: Uint8, box: Float32) -> Uint8:
    x, y, width, height = box.tolist()
    margin = 0.4 * max(width, height)
    cut = window[max(0, int(y - margin)) : int(y + height + margin) + 1, max(0, int(x - margin)) : int(x + width + margin) + 1]
    if not cut.size:
        return np.zeros((_CELL_PX, _CELL_PX), np.uint8)
    return np.asarray(cv2.resize(cut, (_CELL_PX, _CELL_PX), interpolation=cv2.INTER_LINEAR), np.uint8)


def _is_among(one: Seen, others: Iterable[Seen]) -> bool:
    """Whether another run has a face of it: at the same place in the same frame."""
    return any(
        other.clip == one.clip and frame in other.boxes and shares(box, other.boxes[frame][None])[0] >= _SAME_SHARE
        for other in others
        for frame, box in one.boxes.items()
    )


def _seconds(clip: Path) -> float:
    with av.open(str(clip)) as container:
        return float(container.duration or 0) / av.time_base


def _read_truth(path: Path) -> list[tuple[str, int, float, float, str]]:
    rows = (line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#"))
    return [(name, int(frame), float(x), float(y), verdict) for name, frame, x, y, verdict in rows]


if __name__ == "__main__":
    main()

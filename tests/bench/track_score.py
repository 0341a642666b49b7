"""How far tracks and people agree, where it is known who is where."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.contracts.frames import Float32, TrackedFace
from tests.bench.people_clips import Box

_LEAST_VISIBLE = 0.35
_LEAST_OVERLAP = 0.25
_PASSAGE_FACES = 4
"""Fewer detections of a person need no track."""


@dataclass
class Score:
    """Counts over any number of clips."""

    faces: int = 0
    """Faces of tracks that show a person who is known."""
    own_faces: int = 0
    """Those that show the person whom their track shows most often."""
    tracks: int = 0
    pure_tracks: int = 0
    passages: int = 0
    """A person between two cuts who was detected often enough."""
    untracked: int = 0
    """Passages without a track of their own."""
    pieces: int = 0
    """Tracks that passages with a track have of their own."""
    switches: int = 0
    detected: int = 0
    """Detections that show a known person; those that are no faces of tracks belong to nobody."""
    cuts: int = 0
    missed_cuts: int = 0
    false_cuts: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    counters: Counter[str] = field(default_factory=Counter)

    def add(self, other: Score) -> None:
        for name in ("seconds", "counters"):
            getattr(self, name).update(getattr(other, name))
        for name, value in vars(other).items():
            if isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)

    @property
    def purity(self) -> float:
        return self.own_faces / max(self.faces, 1)

    @property
    def pure_share(self) -> float:
        return self.pure_tracks / max(self.tracks, 1)

    @property
    def fragments(self) -> float:
        return self.pieces / max(self.passages - self.untracked, 1)


class Account:
    """Takes the frames of one clip in turn."""

    def __init__(self) -> None:
        self._scene = 0
        self._tracks: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
        self._detected: Counter[tuple[str, int]] = Counter()
        self._last: dict[tuple[str, int], int] = {}
        self._switches = 0

    def cut(self) -> None:
        """The next frame begins another scene."""
        self._scene += 1

    def add(self, truth: Sequence[Box], boxes: Float32, faces: Sequence[TrackedFace]) -> None:
        """Note what was detected in a frame, and which faces belong to tracks."""
        for name in filter(None, (_name(truth, box) for box in boxes)):
            self._detected[name, self._scene] += 1
        for face in faces:
            if name := _name(truth, face.box):
                passage = name, self._scene
                self._tracks[face.track_id][passage] += 1
                self._switches += self._last.get(passage, face.track_id) != face.track_id
                self._last[passage] = face.track_id

    def score(self) -> Score:
        """Return the counts of the clip."""
        pieces: Counter[tuple[str, int]] = Counter()
        result = Score(switches=self._switches, detected=self._detected.total())
        for shown in self._tracks.values():
            names: Counter[str] = Counter()
            for (name, _), number in shown.items():
                names[name] += number
            result.tracks += 1
            result.pure_tracks += len(names) == 1
            result.faces += names.total()
            result.own_faces += names.most_common(1)[0][1]
            pieces[shown.most_common(1)[0][0]] += 1
        passages = [passage for passage, number in self._detected.items() if number >= _PASSAGE_FACES]
        result.passages = len(passages)
        result.untracked = sum(not pieces[passage] for passage in passages)
        result.pieces = sum(pieces[passage] for passage in passages)
        return result


def _name(truth: Sequence[Box], box: Float32) -> str:
    """Return whom a box shows, empty for nobody that is known."""
    best = max(truth, key=lambda one: _overlap(one.box, box), default=None)
    if best is None or _overlap(best.box, box) < _LEAST_OVERLAP or best.visible < _LEAST_VISIBLE:
        return ""
    # Of two people in one place the box shows the nearer, who is whole.
    near = [one for one in truth if _overlap(one.box, box) > 0.6 * _overlap(best.box, box)]
    return max(near, key=lambda one: one.visible).name


def _overlap(one: Sequence[float], other: Sequence[float] | Float32) -> float:
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    return float(common / (one[2] * one[3] + other[2] * other[3] - common))

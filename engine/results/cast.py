"""Who is in a recording, when and where, as a finished run has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.archive.reader import FaceLine, TrackLine
from engine.client.results import Run
from engine.contracts.findings import Decision
from engine.contracts.frames import Uint8
from engine.footage.canvas import Box
from engine.results.paths import TrackPath

_MOST_PICTURES = 64


@dataclass(frozen=True)
class Role:
    """One track."""

    track_id: int
    path: TrackPath
    decision: Decision
    name: str
    """Who it is, where that was decided; else empty."""
    picture: TrackLine | FaceLine | None
    """Whose enhanced picture stands for it: of the track, or of its best face."""
    width_px: int
    """Of the pictures in whose pixels the boxes are; 0: not known."""
    height_px: int

    @property
    def label(self) -> str:
        """Number and name, or what was decided."""
        words = self.name or ("" if self.decision == "none" else self.decision)
        return f"#{self.track_id} {words}".rstrip()


class Cast:
    """The tracks of one stream, asked for as time goes by."""

    def __init__(self, run: Run, stream: str) -> None:
        """Read them.

        Raises:
            PublishError: a file of the run cannot be read.
        """
        self._coming = sorted(_roles(run, stream), key=lambda role: -role.path.first)
        self._present: list[Role] = []
        self._run = run
        self._picture = lru_cache(_MOST_PICTURES)(self._read)
        self._by_id = {role.track_id: role for role in self._coming}

    def __len__(self) -> int:
        return len(self._by_id)

    def share_below(self, part: float) -> float:
        """Return which share of all faces lies in the lowest part of the picture, as 0.25 of its height, as far as is known."""
        low = [role.path.bottoms > (1 - part) * role.height_px for role in self._by_id.values() if role.height_px]
        return float(np.concatenate(low).mean()) if low else 0.0

    def share_above(self, part: float) -> float:
        """Return the same of its uppermost part."""
        high = [role.path.tops < part * role.height_px for role in self._by_id.values() if role.height_px]
        return float(np.concatenate(high).mean()) if high else 0.0

    def at(self, now: float) -> list[tuple[Role, Box | None]]:
        """Return the tracks that are there at a time in seconds, in the order of their beginnings, each with its box: None
        where nobody can say it. Times must grow."""
        while self._coming and self._coming[-1].path.first <= now:
            self._present.append(self._coming.pop())
        self._present = [role for role in self._present if role.path.last >= now]
        return [(role, role.path.at(now)) for role in self._present]

    def face_of(self, role: Role) -> Uint8 | None:
        """Return the enhanced picture of a track, (height, width, 3) BGR; None where there is none, or not any more."""
        return self._picture(role.track_id)

    def _read(self, track_id: int) -> Uint8 | None:
        line = self._by_id[track_id].picture
        if line is None:
            return None
        return self._run.picture(line, "track" if isinstance(line, TrackLine) else "enhanced")


def _roles(run: Run, stream: str) -> Iterator[Role]:
    faces: dict[int, list[FaceLine]] = {}
    for line in run.faces():
        if line.face.stream == stream:
            faces.setdefault(line.face.track_id, []).append(line)
    words: dict[int, TrackLine] = {}
    pictures: dict[int, TrackLine] = {}
    for word in run.track_messages():
        if word.track.stream == stream:
            words[word.track.track_id] = word
            if "track" in word.files:
                pictures[word.track.track_id] = word
    for number, lines in faces.items():
        yield _role(number, lines, words.get(number), pictures.get(number))


def _role(number: int, lines: Sequence[FaceLine], word: TrackLine | None, picture: TrackLine | None) -> Role:
    in_time = sorted(lines, key=lambda line: line.face.pts_seconds)
    seconds = np.array([line.face.pts_seconds for line in in_time])
    boxes = np.array([line.face.box for line in in_time], np.float64)
    said = word.track if word is not None else max(lines, key=lambda line: line.face.quality.score).face
    name = said.candidates[0].identity if said.decision == "known" and said.candidates else ""
    enhanced = [line for line in lines if "enhanced" in line.files]
    best = max(enhanced, key=lambda line: line.face.quality.score, default=None)
    first, last = (word.track.first_pts_seconds, word.track.last_pts_seconds) if word is not None else (seconds[0], seconds[-1])
    path = TrackPath(seconds, boxes, float(first), float(last))
    return Role(number, path, said.decision, name, picture or best, in_time[0].face.width_px, in_time[0].face.height_px)

"""Who is in a recording, when and where, as a finished run has it."""

from __future__ import annotations

from collections.abc import Iterator
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


@dataclass(frozen=True, slots=True)
class Shot:
    """One face that was written."""

    seconds: float
    box: Box
    crop_box: tuple[int, int, int, int]
    """Of the picture in ``original``."""
    original: str
    """Name of its file; empty: it has none."""


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
    shots: tuple[Shot, ...]
    """Its faces, in time."""

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
    seen: dict[int, _Seen] = {}
    for line in run.faces():
        if line.face.stream == stream:
            seen.setdefault(line.face.track_id, _Seen(line)).add(line)
    words = {word.track.track_id: word for word in run.tracks() if word.track.stream == stream}
    pictures = {
        word.track.track_id: word for word in run.track_messages() if word.track.stream == stream and "track" in word.files
    }
    for number, faces in seen.items():
        yield faces.role(number, words.get(number), pictures.get(number))


class _Seen:
    """What is kept of the faces of one track while they are read."""

    def __init__(self, first: FaceLine) -> None:
        self._shots: list[Shot] = []
        self._best, self._enhanced = first, None if "enhanced" not in first.files else first

    def add(self, line: FaceLine) -> None:
        face = line.face
        self._shots.append(Shot(face.pts_seconds, face.box, face.crop_box, line.files.get("original", "")))
        if face.quality.score > self._best.face.quality.score:
            self._best = line
        if "enhanced" in line.files and (self._enhanced is None or face.quality.score > self._enhanced.face.quality.score):
            self._enhanced = line

    def role(self, number: int, word: TrackLine | None, picture: TrackLine | None) -> Role:
        shots = tuple(sorted(self._shots, key=lambda shot: shot.seconds))
        seconds, boxes = np.array([shot.seconds for shot in shots]), np.array([shot.box for shot in shots], np.float64)
        said = self._best.face if word is None else word.track
        name = said.candidates[0].identity if said.decision == "known" and said.candidates else ""
        ends = (seconds[0], seconds[-1]) if word is None else (word.track.first_pts_seconds, word.track.last_pts_seconds)
        path = TrackPath(seconds, boxes, float(ends[0]), float(ends[1]))
        of = self._best.face
        return Role(number, path, said.decision, name, picture or self._enhanced, of.width_px, of.height_px, shots)

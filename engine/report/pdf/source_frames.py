"""The whole frames of a run's tracks: kept beside the faces, or read once more from the recordings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import msgspec

from engine.archive.hiding import hides_faces
from engine.archive.reader import FaceLine, TrackRecord
from engine.archive.record import settings
from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.contracts.recording import Recording
from engine.decode.recording import reader_of
from engine.errors import FacestreamError
from engine.footage.recordings import recording_at
from engine.footage.sameness import compared
from engine.pictures.colour import bgr_from_planes
from engine.pictures.encode import encode_picture
from engine.report.scene import Scene, scene_of
from engine.words.text import path_of

_WIDEST_PX = 1100
"""Of a frame on paper: 260 dots an inch."""
_JPEG_QUALITY = 85
SourceState = Literal["same", "other", "gone", "not hashed", "camera"]
"""Of a recording now: it is the one that was processed; another one is in its place; it is not there; it is there, and what it
was is not known; a camera has none."""


@dataclass(frozen=True)
class SourceFrame:
    """One whole frame, and the face in it."""

    jpeg: bytes
    line: FaceLine
    """Of the face."""
    is_reduced: bool
    """Kept beside the faces as a smaller copy; else read from the recording."""


@dataclass
class Sources:
    """What became of the recordings, and the frames that were read from them.

    Args:
        directory: of the run.
        run: ``run.json``.
        folder: for the frames, so that memory does not grow with them.
    """

    directory: Path
    run: Mapping[str, Any]
    folder: Path
    states: dict[str, SourceState] = field(default_factory=dict)
    _paths: dict[tuple[str, int], Path] = field(default_factory=dict)

    def read(self, records: Sequence[TrackRecord], progress: Callable[[str], None]) -> None:
        """Look at the recordings of these tracks, and keep the frame of the best face of each that has none beside it.

        Args:
            records: the tracks.
            progress: is told what goes on, in a few words.
        """
        inputs: Mapping[str, Mapping[str, Any]] = self.run.get("inputs") or {}
        wanted: defaultdict[str, dict[int, Path]] = defaultdict(dict)
        for record in records:
            line = record.best
            if line is not None and self._scene(line) is None and not hides_faces(self.run):
                path = self.folder / f"source_frame_{sum(map(len, wanted.values()))}.jpg"  # no name of a run leads anywhere
                wanted[record.stream].setdefault(line.face.frame_index, path)
        shown = [stream for stream in dict.fromkeys(record.stream for record in records) if stream in inputs]
        for number, stream in enumerate(shown, 1):
            progress(f"recording {number} of {len(shown)}: {stream}")
            self._look(stream, inputs[stream], wanted.get(stream, {}))

    def frame(self, record: TrackRecord) -> SourceFrame | None:
        """Return the frame of a track's best face, where there is none that of another of its faces, and None without any."""
        if (line := record.best) is None:
            return None
        path = self._paths.get((record.stream, line.face.frame_index))
        if path is not None:
            return SourceFrame(path.read_bytes(), line, is_reduced=False)
        scene = self._scene(line) or scene_of(self.directory, record.faces)
        return SourceFrame(scene.file.read_bytes(), scene.line, is_reduced=True) if scene else None

    def _scene(self, line: FaceLine) -> Scene | None:
        return scene_of(self.directory, [line])

    def _look(self, stream: str, facts: Mapping[str, Any], frames: dict[int, Path]) -> None:
        try:
            recording = recording_at(stream, facts)
        except FacestreamError:
            self.states[stream] = "other" if "path" in facts and path_of(facts["path"]).exists() else "gone"
            return
        self.states[stream] = _state(recording, facts)
        try:
            if self.states[stream] == "same" and frames:
                self._decode(recording, frames)
        except (FacestreamError, OSError):
            return

    def _decode(self, recording: Recording, frames: dict[int, Path]) -> None:
        last = max(frames)
        with reader_of(recording, _decoding(self.run)) as reader:
            for item in reader:
                if not isinstance(item, Frame):
                    continue
                index = item.time.frame_index
                if (path := frames.get(index)) is not None:
                    path.write_bytes(_jpeg(item))
                    self._paths[recording.name, index] = path
                if index >= last:
                    return


def _state(recording: Recording, facts: Mapping[str, Any]) -> SourceState:
    state = compared(recording, facts, None).state
    return state if state in ("same", "other", "gone") else "not hashed"


def _decoding(run: Mapping[str, Any]) -> DecodeConfig:
    try:
        return msgspec.convert(settings(run, "decode"), DecodeConfig)
    except msgspec.ValidationError:  # of another version
        return DecodeConfig()


def _jpeg(frame: Frame) -> bytes:
    bgr = bgr_from_planes(frame.planes)
    height, width = bgr.shape[:2]
    if width > _WIDEST_PX:
        bgr = cv2.resize(bgr, (_WIDEST_PX, max(1, round(height * _WIDEST_PX / width))), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return encode_picture(bgr, quality=_JPEG_QUALITY)

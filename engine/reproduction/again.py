"""Makes the faces of one track again, with the cores that a run uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from engine.config import Config
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Frame, TrackedFace
from engine.contracts.messages import Face
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.crop.cut import cut_face
from engine.crop.quality import assess
from engine.crop.scene import Scenes
from engine.decode.recording import reader_of
from engine.perception.perception import Item, Perception

Progress = Callable[[int], None]
"""Told the frames that were read."""


def cut_again(recording: Recording, config: Config, faces: Mapping[int, Face], progress: Progress) -> Iterator[FaceCrop]:
    """Yield the faces that were written, cut from the same frames at the same boxes, and rated anew.

    Args:
        recording: of the track.
        config: of the run.
        faces: frame index to face.
        progress: see ``Progress``.
    """
    last, scenes = max(faces), Scenes()
    for frame in _frames(recording, config, last, progress):
        face = faces.get(frame.time.frame_index)
        if face is None:
            continue
        crop = _cut(frame, face, config)
        if crop is not None:
            yield scenes.added(crop, frame) if any(part.name == "scene" for part in face.parts) else crop


def followed_again(
    recording: Recording, config: Config, core: Perception, progress: Progress
) -> Iterator[FaceCrop | TrackClosed]:
    """Yield the faces and the ends of all tracks, found and followed from the beginning of the recording.

    Args:
        recording: of the track.
        config: of the run.
        core: that has followed nothing yet.
        progress: see ``Progress``.
    """
    with reader_of(recording, config.decode, config.detect.every) as reader:
        for item in reader:
            if isinstance(item, StreamChanged):
                yield from _of_tracks(core.change(item, live=False))
                continue
            found = None
            if core.is_detection_due(item.stream, marked=item.detect, live=False):
                [found] = core.detect([item.planes])
            yield from _of_tracks(core.take(item, found, time.monotonic(), live=False))
            progress(item.time.frame_index)


def _frames(recording: Recording, config: Config, last: int, progress: Progress) -> Iterator[Frame]:
    with reader_of(recording, config.decode, config.detect.every) as reader:
        for item in reader:
            if isinstance(item, Frame):
                progress(item.time.frame_index)
                yield item
                if item.time.frame_index >= last:
                    return


def _cut(frame: Frame, face: Face, config: Config) -> FaceCrop | None:
    landmarks = None if face.landmarks is None else np.array(face.landmarks, np.float32)
    followed = TrackedFace(face.track_id, np.array(face.box, np.float32), landmarks, face.detection_score)
    quality = assess(frame.planes, followed.box, landmarks, followed.score, damaged=frame.damaged)
    return cut_face(frame, followed, quality, config.crop.margin)


def _of_tracks(items: list[Item]) -> Iterator[FaceCrop | TrackClosed]:
    yield from (item for item in items if isinstance(item, FaceCrop | TrackClosed))

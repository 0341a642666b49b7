"""One look at one camera, for a few seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from msgspec.structs import replace

from engine.config import DetectConfig, Redact
from engine.contracts.camera import Camera
from engine.contracts.frames import Detections, Frame, FrameTime
from engine.contracts.messages import Reason, StreamState
from engine.contracts.probed import ClockKind, Probed, ProbedFace
from engine.contracts.streams import StreamChanged
from engine.decode.camera_errors import failure
from engine.decode.connection import Connection
from engine.decode.counted import Counted, of_camera
from engine.detect.detector import Detector
from engine.detect.judged import open_judged
from engine.models import find_model
from engine.pictures.colour import bgr_from_planes
from engine.pictures.encode import encode_picture
from engine.pictures.veil import hide
from engine.probe.advice import advice, sizes_px

LOOKS_PER_SECOND = 2.0
"""Pictures in which faces are looked for: those between them show the same people."""
_CONNECT_SECONDS = 10.0
"""Whoever waits for an answer does not wait longer, whatever the camera's settings say."""
_GAP = 3.0
"""A step of so many usual ones is a gap."""
_JPEG_QUALITY = 85


def probe(camera: Camera, detect: DetectConfig | None = None, seconds: float = 5.0, redact: Redact = "none") -> Probed:
    """Connect to a camera, look at its pictures for some seconds, and say what it sends and how large its faces are.

    It takes ``seconds`` more than connecting, for which ``camera.connect_seconds`` counts, 10 at most. Nothing is retried.

    Args:
        camera: with its settings; only ``url`` is looked at, not the stream that faces are cut from.
        detect: the detector; None: no faces are looked for.
        seconds: from the first picture on.
        redact: ``vectors``: without a picture, ``blur``: without faces on it; nobody is recognised here.

    Raises:
        SourceError: why there are no pictures, in one sentence without credentials.
        FacestreamError: the detector cannot be opened, see ``open_judged``.
        WorkerError: FFmpeg does not come back; the process should end.
    """
    if detect is None:
        return look_at(camera, None, seconds, redact)
    with closing(open_judged(detect, find_model)[0]) as detector:
        return look_at(camera, detector, seconds, redact)


def look_at(camera: Camera, detector: Detector | None, seconds: float = 5.0, redact: Redact = "none") -> Probed:
    """See ``probe``; with a detector that is open already."""
    camera = replace(camera, connect_seconds=min(camera.connect_seconds, _CONNECT_SECONDS), hwaccel="none")
    counted = of_camera()
    connection = Connection(camera, counted, _nothing_said)
    seen = _Seen()
    try:
        for frame in _frames(connection, camera, seconds):
            seen.take(frame, detector)
    finally:
        connection.close()
    picture = _picture(seen, redact, detector is not None)
    return _told(camera, connection, counted, seen, picture, detector is not None)


@dataclass
class _Seen:
    """What the pictures showed so far."""

    first: FrameTime | None = None
    last: FrameTime | None = None
    frames: int = 0
    moments: list[float] = field(default_factory=list)
    """Seconds by the stream's clock."""
    ntp: list[float] = field(default_factory=list)
    """Seconds that the camera's clock was behind ours."""
    looked_at: int = 0
    most_faces: int = 0
    largest_px: list[float] = field(default_factory=list)
    chosen: Frame | None = None
    faces: Detections = field(default_factory=Detections.empty)
    _chosen_px: float = -1.0
    _next_look: float = 0.0

    def take(self, frame: Frame, detector: Detector | None) -> None:
        self.frames += 1
        self.moments.append(frame.time.pts_seconds)
        self.first, self.last = self.first or frame.time, frame.time
        if frame.time.ntp_ns is not None:
            self.ntp.append((frame.time.captured_ns - frame.time.ntp_ns) / 1e9)
        if self.chosen is None:
            self.chosen = frame
        if detector is not None and frame.time.arrived_seconds >= self._next_look:
            self._next_look = frame.time.arrived_seconds + 1.0 / LOOKS_PER_SECOND
            self._look(frame, detector)

    def _look(self, frame: Frame, detector: Detector) -> None:
        (faces,) = detector.detect([frame.planes])
        self.looked_at += 1
        self.most_faces = max(self.most_faces, len(faces))
        largest = max(sizes_px(faces), default=0.0)
        if len(faces):
            self.largest_px.append(largest)
        if largest > self._chosen_px:
            self._chosen_px, self.chosen, self.faces = largest, frame, faces


def _frames(connection: Connection, camera: Camera, seconds: float) -> Iterator[Frame]:
    """Yield pictures for some seconds after the first.

    Raises:
        SourceError: there is none, or the connection is lost before two have come.
    """
    came, items = 0, connection.run()
    ends = time.monotonic() + camera.connect_seconds + seconds
    while time.monotonic() < ends:
        try:
            item = next(items)
        except StopIteration as end:
            if came < 2:
                raise end.value from None
            return
        if isinstance(item, Frame):
            if not came:
                ends = time.monotonic() + seconds
            came += 1
            yield item
    if not came:
        what = f"gave no picture within {camera.connect_seconds + seconds:.0f} s: check that it sends video, and key frames"
        raise failure(camera, "timeout", what)


def _picture(seen: _Seen, redact: Redact, looked: bool) -> bytes:
    """Return what may be shown of the chosen picture; where nobody looked for faces, nobody knows what is to be hidden."""
    assert seen.chosen is not None
    if redact == "vectors" or (redact == "blur" and not looked):
        return b""
    picture = bgr_from_planes(seen.chosen.planes)
    if redact == "blur":
        hide(picture, [(x, y, width, height) for x, y, width, height in seen.faces.boxes.tolist()])
    return encode_picture(picture, quality=_JPEG_QUALITY)


def _told(camera: Camera, connection: Connection, counted: Counted, seen: _Seen, picture: bytes, looked: bool) -> Probed:
    opened, frame, first, last = connection.opened, seen.chosen, seen.first, seen.last
    assert opened is not None
    assert frame is not None
    assert first is not None
    assert last is not None
    context = opened.context
    arriving = max(1e-3, last.arrived_seconds - first.arrived_seconds)
    verdict, words = (
        advice(seen.largest_px, frame.planes.width_px, frame.planes.height_px, arriving) if looked else ("not_looked", "")
    )
    clock: ClockKind = "ntp" if seen.ntp else "arrival" if last.pts is None else "stamps"
    sizes = sizes_px(seen.faces)
    return Probed(
        shown=camera.shown,
        codec=context.name if context else "rawvideo",
        profile=(context.profile if context else "") or "",
        width_px=frame.planes.width_px,
        height_px=frame.planes.height_px,
        fps=rate_of(seen.moments),
        announced_rate=float(opened.frame_rate or 0),
        time_base=(opened.time_base.numerator, opened.time_base.denominator),
        clock=clock,
        clock_behind_seconds=median(seen.ntp) if seen.ntp else None,
        kbps=counted.counts["bytes"] * 8 / 1000 / arriving if seen.frames > 1 else 0.0,
        seconds=arriving,
        pictures=seen.frames,
        looked_at=seen.looked_at,
        with_faces=len(seen.largest_px),
        most_faces=seen.most_faces,
        face_sizes_px=sorted(seen.largest_px),
        faces=[
            ProbedFace(x=x, y=y, width=width, height=height, score=float(score), size_px=size)
            for (x, y, width, height), score, size in zip(seen.faces.boxes.tolist(), seen.faces.scores, sizes, strict=True)
        ],
        picture=picture,
        verdict=verdict,
        advice=words,
    )


def _nothing_said(
    state: StreamState, reason: Reason, detail: str, size_px: tuple[int, int], frame_rate: float
) -> StreamChanged:
    """States of the connection are of no interest here."""
    return StreamChanged("", state, reason, detail, *size_px, frame_rate=frame_rate)


def rate_of(moments: Sequence[float]) -> float:
    """Return pictures a second by their times in seconds; gaps do not count, as where a slow machine left some out. 0 where
    there are too few."""
    steps = [after - before for before, after in pairwise(moments) if after > before]
    usual = [step for step in steps if step <= _GAP * median(steps)]
    return len(usual) / sum(usual) if usual else 0.0

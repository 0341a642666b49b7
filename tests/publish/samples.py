"""Messages as a run would send them, with real faces."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import zmq
from msgspec.structs import replace
from skimage.data import astronaut

from engine.config import PublishConfig
from engine.contracts.envelope import Envelope, sealed
from engine.contracts.faces import FaceResult, Sighting, TrackClosed, TrackResult
from engine.contracts.findings import Candidate, Enhanced, Quality
from engine.contracts.frames import FrameTime, Span
from engine.contracts.rejected import Rejected
from engine.contracts.streams import RunEnd, StreamChanged
from engine.contracts.track_picture import FusedFrame, TrackPicture
from engine.publish.encode import parts_of, track_parts_of

_FACE = (186, 78, 80, 80)
"""x, y, width, height of the astronaut's face with margin."""

_EPOCH_NS = 1_700_000_000_000_000_000


@cache
def pictures(size_px: int = 32, scale: int = 4):
    """Return (original, enhanced) BGR: a real face at ``size_px``, and the same sharpened at ``scale`` times the size."""
    x, y, width, height = _FACE
    face = cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR)[y : y + height, x : x + width]
    original = cv2.resize(face, (size_px, size_px), interpolation=cv2.INTER_AREA)
    large = cv2.resize(original, (size_px * scale, size_px * scale), interpolation=cv2.INTER_CUBIC)
    return original, cv2.addWeighted(large, 1.6, cv2.GaussianBlur(large, (0, 0), 2), -0.6, 0)


@cache
def _parts(size_px: int, codec: str):
    original, enhanced = pictures(size_px)
    embedding = np.linspace(-1, 1, 128, dtype=np.float32)
    return parts_of(PublishConfig(codec=codec), original, enhanced, embedding, "compact_x4")


def face(stream="cam1", track_id=1, index=0, score=0.5, size_px=32, codec="jpeg", decision="known", pts_seconds=None):
    """Return the body of a face message and its payloads."""
    parts, payloads = _parts(size_px, codec)
    seconds = index / 25 if pts_seconds is None else pts_seconds
    seen = Sighting(
        stream=stream, track_id=track_id, time=FrameTime(index, index * 512, (1, 12800), seconds, _EPOCH_NS + index),
        box=(10.0, 20.0, 24.0, 24.0), landmarks=[(1.0, 2.0)] * 5, detection_score=0.9,
        quality=Quality(size_px=24.0, sharpness=0.4, frontal=0.9, score=score), crop_box=(6, 16, size_px, size_px), live=False,
    )  # fmt: skip
    candidates = [Candidate("Eileen Collins", 0.71, 0.74)]
    return FaceResult(seen, Enhanced("compact_x4", 4, 41.3), decision, candidates, 3, parts), list(payloads)


@cache
def _track_parts(pictured: bool):
    large = pictures()[1] if pictured else None
    agreement = None if large is None else 255 - large[..., 1]
    return track_parts_of(PublishConfig(), np.linspace(1, -1, 128, dtype=np.float32), large, agreement, "mean_x4")


def track(
    stream="cam1", track_id=1, first=0.0, last=2.5, decision="known", ended=True, identity="Eileen Collins", frames=(), left=()
):
    """Return the body of a track message and its payloads; with ``frames`` it has a picture that was made of them."""
    parts, payloads = _track_parts(bool(frames))
    made_of = [FusedFrame(index, index / 25, 1 / len(frames)) for index in frames]
    picture = TrackPicture("mean_x4", 4, made_of, list(left), 128, 128, 0.75) if frames else None
    span = Span(FrameTime(0, 0, (1, 12800), first, 0), FrameTime(62, 100, (1, 12800), last, 0))
    candidates = [Candidate(identity, 0.73, 0.75), Candidate("A <b>& B", 0.31, None)]
    known = decision, candidates, 3, list(parts)
    return TrackResult(TrackClosed(stream, track_id, span, 62), ended, 3, *known, picture=picture), list(payloads)


@cache
def _original(size_px: int):
    return parts_of(PublishConfig(), pictures(size_px)[0], None, None)


def rejected(stream="cam1", track_id=9, score=0.7, index=None, size_px=24):
    """Return a track that was rejected, seen at its best in frame ``index``, and the payload of its picture."""
    parts, payloads = _original(size_px)
    index = track_id if index is None else index
    when = index, index / 25, _EPOCH_NS + index, None
    box, crop_box = (10.0 + track_id % 7, 20.0, 24.0, 24.0), (6, 16, size_px, size_px)
    return Rejected(stream, track_id, *when, box, crop_box, 768, 432, score, 3, list(parts)), list(payloads)


def stream_event(stream="cam1", state="live", reason=""):
    return StreamChanged(stream, state, reason, width_px=768, height_px=432, counters={"frames": 10})


def end(outcome="completed"):
    return RunEnd(outcome, "", {"faces": 1})


def as_sent(body, seq=0, run_id="run1", sent_ns=1, **changes):
    """Return the message of a body as a publisher would send it, with some fields changed."""
    known = {"best_face_seq": None} if isinstance(body, TrackResult) else {"last_seq": {}} if isinstance(body, RunEnd) else {}
    return replace(sealed(body, Envelope(run_id, seq, sent_ns), **known), **changes)


def context():
    """Return a context whose sockets never hold a test up."""
    opened = zmq.Context()
    opened.linger = 0
    return opened


def environment() -> dict[str, str]:
    """Return the environment for a process that imports this checkout."""
    return os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}

"""Messages as a run would send them, with real faces."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import zmq
from skimage.data import astronaut

from engine.config import PublishConfig
from engine.contracts.messages import Candidate, End, Enhanced, Face, Quality, Stream, Track
from engine.publish.encode import parts_of

_FACE = (186, 78, 80, 80)
"""x, y, width, height of the astronaut's face with margin."""


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
    """Return a face message and its payloads."""
    parts, payloads = _parts(size_px, codec)
    message = Face(
        run_id="", stream=stream, track_id=track_id, frame_index=index, pts=index * 512, time_base=(1, 12800),
        pts_seconds=index / 25 if pts_seconds is None else pts_seconds, captured_ns=1_700_000_000_000_000_000 + index,
        box=(10.0, 20.0, 24.0, 24.0), landmarks=[(1.0, 2.0)] * 5, detection_score=0.9,
        quality=Quality(size_px=24.0, sharpness=0.4, frontal=0.9, score=score), crop_box=(6, 16, size_px, size_px),
        enhanced=Enhanced("compact_x4", 4, 41.3), decision=decision, candidates=[Candidate("Eileen Collins", 0.71, 0.74)],
        gallery_version=3, parts=parts,
    )  # fmt: skip
    return message, list(payloads)


def track(stream="cam1", track_id=1, first=0.0, last=2.5, decision="known", ended=True, identity="Eileen Collins"):
    """Return a track message and its payload."""
    embedding = np.linspace(1, -1, 128, dtype=np.float32)
    parts, payloads = parts_of(PublishConfig(), None, None, embedding)
    message = Track(
        run_id="", stream=stream, track_id=track_id, ended=ended, first_pts_seconds=first, last_pts_seconds=last, first_pts=0,
        last_pts=100, time_base=(1, 12800), frames_seen=62, faces_enhanced=3, best_face_seq=None, decision=decision,
        candidates=[Candidate(identity, 0.73, 0.75), Candidate("A <b>& B", 0.31, None)], gallery_version=3, parts=parts,
    )  # fmt: skip
    return message, payloads


def stream_event(stream="cam1", state="live", reason=""):
    return Stream(run_id="", stream=stream, state=state, reason=reason, width_px=768, height_px=432, counters={"frames": 10})


def end(outcome="completed"):
    return End(run_id="", stream="", outcome=outcome, detail="", last_seq={}, counters={"faces": 1})


def context():
    """Return a context whose sockets never hold a test up."""
    opened = zmq.Context()
    opened.linger = 0
    return opened


def environment() -> dict[str, str]:
    """Return the environment for a process that imports this checkout."""
    return os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}

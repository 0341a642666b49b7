"""What a body becomes on the wire: version 1, field for field."""

from __future__ import annotations

import msgspec
import pytest

from engine.contracts.envelope import Envelope, kind_of_body, sealed
from engine.contracts.faces import FaceResult, Sighting, TrackClosed, TrackResult
from engine.contracts.findings import Basis, Candidate, Enhanced, Quality
from engine.contracts.frames import FrameTime, Span
from engine.contracts.gallery import GalleryVersion
from engine.contracts.messages import StageStats, decode_header, encode_header, kind_of
from engine.contracts.streams import Calls, RunEnd, RunStats, StreamChanged
from engine.contracts.track_picture import FusedFrame, TrackPicture

ENVELOPE = Envelope("run7", 3, 1_000)
COMMON = {"run_id": "run7", "seq": 3, "sent_ns": 1_000, "schema": "facestream/1"}
EARLY = FrameTime(10, 900, (1, 90_000), 0.01, 5_000, 4_000, 3_000)
LATE = FrameTime(20, None, (1, 90_000), 0.02, 6_000, None, 3_500)
SEEN = Sighting("cam", 7, EARLY, (1.0, 2.0, 3.0, 4.0), None, 0.5, Quality(9.0, 0.1, 0.2, 0.3), (0, 2, 8, 10), True, 64, 48)
WHO = [Candidate("Ann", 0.5)]
BASIS = Basis(4, 2, 30.0, 14.0, 0.5, None, 0.01, false_name_rate=0.001, missing="likeness")
GALLERY = GalleryVersion("0123456789abcdef", 2, "f" * 32)
PICTURE = TrackPicture("net", 4, [FusedFrame(10, 0.01, 0.75), FusedFrame(20, 0.02, 0.25)], [15], 32, 40, 0.9)
BODIES = {
    "face": (
        FaceResult(SEEN, Enhanced("net", 4, 30.0), "known", WHO, 2, [], gallery=GALLERY),
        {
            "stream": "cam", "track_id": 7, "frame_index": 10, "pts": 900, "time_base": [1, 90_000], "pts_seconds": 0.01,
            "captured_ns": 5_000, "ntp_ns": 4_000, "recorded_ns": 3_000, "box": [1.0, 2.0, 3.0, 4.0], "landmarks": None,
            "detection_score": 0.5, "crop_box": [0, 2, 8, 10], "live": True, "decision": "known", "gallery_version": 2,
            "parts": [], "width_px": 64, "height_px": 48, "gallery": msgspec.to_builtins(GALLERY),
        },
    ),
    "track": (
        TrackResult(TrackClosed("cam", 7, Span(EARLY, LATE), 11), True, 4, "unknown", [], 2, [], BASIS, GALLERY, "so", PICTURE),
        {
            "stream": "cam", "track_id": 7, "ended": True, "first_pts": 900, "first_pts_seconds": 0.01, "last_pts": None,
            "last_pts_seconds": 0.02, "time_base": [1, 90_000], "frames_seen": 11, "faces_enhanced": 4, "best_face_seq": 2,
            "decision": "unknown", "candidates": [], "gallery_version": 2, "parts": [], "first_recorded_ns": 3_000,
            "last_recorded_ns": 3_500, "basis": msgspec.to_builtins(BASIS), "gallery": msgspec.to_builtins(GALLERY),
            "reason": "so", "picture": msgspec.to_builtins(PICTURE),
        },
    ),
    "stream": (
        StreamChanged(
            "cam", "failed", "auth", "no", 64, 48, {"frames": 1}, 25.0, 9, 77, "file_name", 5, ("a",), {"x": Calls()}
        ),
        {
            "stream": "cam", "state": "failed", "reason": "auth", "detail": "no", "width_px": 64, "height_px": 48,
            "counters": {"frames": 1}, "started_ns": 77, "clock": "file_name",
        },
    ),
    "stats": (RunStats({"detect": StageStats(1, 2.0, 3.0, 4.0)}, {"frames": 5}), {"stream": "", "counters": {"frames": 5}}),
    "end": (
        RunEnd("drained", "why", {"faces": 1}),
        {"stream": "", "outcome": "drained", "detail": "why", "last_seq": {"face/cam": 3}, "counters": {"faces": 1}},
    ),
}  # fmt: skip
KNOWN = {"track": {"best_face_seq": 2}, "end": {"last_seq": {"face/cam": 3}}}
NESTED = {"face": {"quality", "enhanced", "candidates"}, "stats": {"stages"}}


@pytest.mark.parametrize("kind", BODIES)
def test_every_field_of_the_wire_comes_from_the_body_or_the_envelope(kind: str):
    body, fields = BODIES[kind]
    message = sealed(body, ENVELOPE, **KNOWN.get(kind, {}))
    header = msgspec.msgpack.decode(encode_header(message))
    for name in NESTED.get(kind, set()):
        header.pop(name)
    assert header == COMMON | fields | {"kind": kind}
    assert kind_of(message) == kind_of_body(body) == kind
    assert decode_header(encode_header(message)) == message


def test_the_parts_of_a_face_are_not_flattened():
    face = sealed(BODIES["face"][0], ENVELOPE)
    assert (face.quality, face.enhanced, face.candidates) == (SEEN.quality, Enhanced("net", 4, 30.0), WHO)  # type: ignore[union-attr]


def test_a_message_is_never_half_built():
    with pytest.raises(TypeError, match="best_face_seq"):
        sealed(BODIES["track"][0], ENVELOPE)
    with pytest.raises(TypeError, match="seq"):
        type(sealed(BODIES["stats"][0], ENVELOPE))(run_id="run7", stream="", stages={}, counters={})  # type: ignore[call-arg]

"""The wire, version 1: what a subscriber receives.

Every message is a ZeroMQ multipart ``[topic][header][part...]``: the topic is ``v1/<kind>/<stream>/`` or, for faces and
tracks, ``v1/<kind>/<stream>/<track_id>/`` (``v1/end/`` for the end of a run); the header is one of the structs below as a
MessagePack map; the parts are the payloads that ``parts`` describes, in its order. Readers ignore unknown fields.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from engine.errors import ConfigError

SCHEMA = "facestream/1"
Decision = Literal["known", "unknown", "undecided", "none"]
StreamState = Literal["connecting", "live", "stalled", "discontinuity", "ended", "failed"]
Outcome = Literal["completed", "drained", "failed"]
Reason = Literal[
    "", "end_of_file", "drained", "not_found", "not_a_video", "no_video", "truncated", "codec", "permission", "timeout",
    "network", "auth", "busy", "server_error", "end_of_stream", "not_live", "resolution_change", "codec_change",
    "timestamp_jump", "reconnect", "worker_died", "encrypted", "unexpected", "model",
]  # fmt: skip

Lack = Literal["", "faces", "size", "likeness", "margin"]
"""Too few faces, too small ones, nobody resembles them enough, or two people do nearly as well."""
Clock = Literal["", "start_time", "file_name", "creation_time"]
"""Where the wall clock of a recording comes from: what the user said, the file's name, or the file's metadata."""
Rotate = Literal[0, 90, 180, 270, "flip", "mirror"]
"""Degrees clockwise; ``flip`` turns a picture upside down like a mirror below it, ``mirror`` exchanges left and right."""
Deinterlace = Literal["auto", "on", "off"]
"""``auto``: pictures that are flagged as interlaced."""

_STREAM_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def check_stream_name(name: str) -> str:
    """Return ``name`` if it may stand in a topic.

    Raises:
        ConfigError: it has other characters than ``A-Z a-z 0-9 _ . -``, not 1 to 64 of them, or dots only, as it may become
            the name of a folder.
    """
    if not _STREAM_NAME.fullmatch(name) or not name.strip("."):
        raise ConfigError(f"the stream name {name!r} is not usable in a topic: use 1 to 64 characters of A-Z a-z 0-9 _ . -")
    return name


def is_run_id(text: str) -> bool:
    """Return whether this may be the id of a run, which is the name of its folder too and leads nowhere else."""
    return _RUN_ID.fullmatch(text) is not None


class Quality(msgspec.Struct, frozen=True):
    """How good one crop of a face is; every value but ``size_px`` is 0 (useless) to 1 (good)."""

    size_px: float
    """Geometric mean of the face box's sides, in pixels of the picture that it was cut from."""
    sharpness: float
    frontal: float
    """1 looks into the camera, 0 is a full profile; 0.5 where there are no landmarks."""
    score: float
    """All of them in one number: the weight of this face in the fusion over its track."""
    damaged: bool = False
    """The decoder had to make up parts of the picture: the lowest score of all."""


class Enhanced(msgspec.Struct, frozen=True):
    """What super-resolution did."""

    model: str
    scale: int
    lr_consistency_db: float
    """PSNR between the enhanced crop, reduced to the original's size, and the original's luma."""
    strength: float = 1.0
    """0 is bicubic, 1 the generator's whole residual."""


class Candidate(msgspec.Struct, frozen=True):
    """One enrolled person compared with a face or a track; best first, by the chance of a false name where there is one."""

    identity: str
    cosine_original: float
    """-1 to 1; decisions rest on this one."""
    cosine_enhanced: float | None = None
    """The same after super-resolution: it may confirm, it never creates a match alone."""
    probability: float | None = None
    """Calibrated; None where no calibration is loaded."""
    false_name_chance: float | None = None
    """How often at most strangers with a face of this size look so much like anybody in the gallery, in 95 of 100 galleries as
    large: ``known`` asks for at most ``verify.false_name_rate``. None where that was not measured for the embedder, or cosines
    decide."""


class Basis(msgspec.Struct, frozen=True):
    """Why a track was decided so: what its faces gave, beside what the decision asks for. The likeness is the best candidate's:
    ``false_name_chance`` where chances decide, else ``cosine_original``."""

    faces: int
    """That the decision rests on."""
    faces_needed: int
    """For any decision; for a name so many must show somebody."""
    size_px: float
    """Mean of ``Quality.size_px``, weighted by their scores."""
    size_needed_px: float | None
    """Where chances decide: faces below it hardly ever get a name, as the gallery is now; None: no size would do. Where cosines
    decide: smaller faces are never ``unknown``."""
    quality: float
    """Mean of ``Quality.score``."""
    margin: float | None
    """By how much more the best candidate resembles than the next one, as a cosine; None where there is no other."""
    margin_needed: float
    """Where chances decide: only against one who would get the name too."""
    false_name_rate: float | None = None
    """Where chances decide: the highest ``false_name_chance`` that gets a name."""
    known_cosine: float | None = None
    """Where cosines decide: the lowest that is ``known``."""
    unknown_cosine: float | None = None
    """Where cosines decide: below it is ``unknown``."""
    missing: Lack = ""
    """What kept the track from being ``known``, or at least ``unknown``."""
    persons: int = 1
    """Whom the faces of the track show: of 2 or more the decision is about the one who was seen at the most moments."""
    nobody: int = 0
    """Of ``moments``: whose face is too bad to recognise anybody. They count little, and not as ``faces_needed``."""
    moments: int | None = None
    """Distinct ones that the decision rests on: faces that look alike within 0.3 s are one. None: not said, by an earlier
    version."""


class Part(msgspec.Struct, frozen=True):
    """One payload frame."""

    name: Literal["enhanced", "original", "embedding"]
    codec: Literal["jpeg", "png", "raw"]
    shape: tuple[int, ...]
    """(height, width, channels) of a picture (BGR when decoded), (length,) of an embedding."""
    dtype: str
    """``uint8`` for pictures, ``float32`` for embeddings (little-endian when raw)."""
    sha256: str
    """Of the payload as sent."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The fields of every message."""

    run_id: str
    stream: str
    """Empty in ``stats`` and ``end``."""
    seq: int
    """Counts from 0 for each run, stream and kind: a missing number is a lost message."""
    sent_ns: int
    """Wall clock when the publisher sent it (Unix, nanoseconds)."""
    schema: str = SCHEMA


class Face(Message, frozen=True, kw_only=True, tag="face"):
    """One face of one frame: the original crop, the enhanced crop and the scores."""

    track_id: int
    frame_index: int
    pts: int | None
    time_base: tuple[int, int]
    pts_seconds: float
    captured_ns: int
    """Wall clock (Unix, nanoseconds) taken after the packet was read."""
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels of a picture of ``width_px`` by ``height_px``."""
    landmarks: list[tuple[float, float]] | None
    """Likewise."""
    detection_score: float
    quality: Quality
    crop_box: tuple[int, int, int, int]
    """x, y, width, height of the original crop (face with margin), likewise."""
    enhanced: Enhanced | None
    decision: Decision
    candidates: list[Candidate]
    gallery_version: int
    parts: list[Part] = []
    ntp_ns: int | None = None
    """When the camera took the picture by its own clock (Unix, nanoseconds), where it says so (RTCP sender reports)."""
    live: bool = False
    """From a camera: a reader may skip it once it is old."""
    recorded_ns: int | None = None
    """Of a recording: when the picture was taken (Unix, nanoseconds), if the clock in its ``stream`` messages is right."""
    width_px: int = 0
    """Of the picture that the face was cut from, in whose pixels everything here is: that of the ``stream`` message or, of a
    camera with two streams, mostly the larger one of its main stream. On a picture of another size draw everything times its
    width over this one. 0: not said, by an earlier version: it is that of the ``stream`` message."""
    height_px: int = 0


class Track(Message, frozen=True, kw_only=True, tag="track"):
    """What is known of one person's walk through the picture; sent when it ends or its decision changes."""

    track_id: int
    ended: bool
    first_pts_seconds: float
    last_pts_seconds: float
    first_pts: int | None
    last_pts: int | None
    time_base: tuple[int, int]
    frames_seen: int
    faces_enhanced: int
    best_face_seq: int | None
    """``seq`` of this track's face message of best quality."""
    decision: Decision
    candidates: list[Candidate]
    gallery_version: int
    parts: list[Part] = []
    """At most one: the fused ``embedding``."""
    first_recorded_ns: int | None = None
    """As ``Face.recorded_ns``."""
    last_recorded_ns: int | None = None
    basis: Basis | None = None
    """Why ``decision``; None where there was nobody to compare with."""


class Stream(Message, frozen=True, kw_only=True, tag="stream"):
    """The life of one source. ``ended`` and ``failed`` are the last message of a stream."""

    state: StreamState
    reason: Reason = ""
    detail: str = ""
    """One sentence for a person; never holds credentials."""
    width_px: int = 0
    height_px: int = 0
    counters: dict[str, int] = {}
    started_ns: int | None = None
    """Of a recording: when it begins (wall clock, Unix, nanoseconds), as far as ``clock`` can be believed."""
    clock: Clock = ""


class StageStats(msgspec.Struct, frozen=True):
    """One stage since the last report."""

    items: int
    items_per_second: float
    p50_ms: float
    p99_ms: float
    queue_depth: int = 0
    """Items that wait for this stage now."""


class Stats(Message, frozen=True, kw_only=True, tag="stats"):
    """The run as a whole, once a second."""

    stages: dict[str, StageStats]
    counters: dict[str, int]
    """Since the start of the run: ``frames``, ``detections``, ``faces``, ``drops.<cause>``, ..."""


class End(Message, frozen=True, kw_only=True, tag="end"):
    """The last message of a run."""

    outcome: Outcome
    detail: str
    last_seq: dict[str, int]
    """``<kind>/<stream>`` to the last ``seq`` that was sent, so that a reader can see loss at the very end."""
    counters: dict[str, int]


AnyMessage = Face | Track | Stream | Stats | End


def topic_of(message: AnyMessage) -> str:
    """Return the topic of a message; every level ends with ``/`` so that ``cam1`` never matches ``cam10``."""
    match message:
        case Face() | Track():
            kind = "face" if isinstance(message, Face) else "track"
            return f"v1/{kind}/{message.stream}/{message.track_id}/"
        case Stream():
            return f"v1/stream/{message.stream}/"
        case Stats():
            return "v1/stats/"
        case End():
            return "v1/end/"


def kind_of(message: AnyMessage) -> str:
    """Return the message's kind as it stands in its header and topic."""
    return str(message.__struct_config__.tag)


encode_header = msgspec.msgpack.Encoder().encode
decode_header = msgspec.msgpack.Decoder(AnyMessage).decode
"""Raises ``msgspec.ValidationError`` where a header does not fit the schema."""

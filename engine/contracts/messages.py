"""The wire, version 1: what a subscriber receives.

Every message is a ZeroMQ multipart ``[topic][header][part...]``. The topic is ``v1/<kind>/<stream>/`` or, for faces and
tracks, ``v1/<kind>/<stream>/<track_id>/`` (``v1/end/`` for the end of a run). The header is one of the structs below as a
MessagePack map. The parts are the payloads that ``parts`` describes, in its order. Readers must ignore unknown fields, and
treat names and codecs of parts, reasons and the like as text: a later version 1 may add new ones. ``decision``, ``state``,
``outcome`` and the kinds stay as they are in version 1, because readers act on them and would do wrong if they mistook a new
one for another.

Connect a SUB socket to a ``pub`` endpoint, or a PULL socket to a ``push`` one. Subscribe to whole levels, including the final
``/``: ``v1/face/cam1`` also brings ``cam10``. Times in nanoseconds are too large for a double: read integers with 64 bits. A
``pub`` socket sends ZMTP's PING every 5 s and drops a reader that does not answer within 15 s: libzmq answers by itself, but
not every other implementation does.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from engine.contracts.findings import Basis, Candidate, Decision, Enhanced, Quality
from engine.contracts.gallery import GalleryVersion
from engine.contracts.times import Int64, Number, StreamSeconds, UnixNs
from engine.contracts.track_picture import TrackPicture
from engine.errors import ConfigError

SCHEMA = "facestream/1"
StreamState = Literal["connecting", "live", "stalled", "discontinuity", "ended", "failed"]
Outcome = Literal["completed", "drained", "failed"]
Reason = Literal[
    "", "end_of_file", "drained", "not_found", "not_a_video", "no_video", "truncated", "codec", "permission", "timeout",
    "network", "auth", "busy", "server_error", "end_of_stream", "not_live", "resolution_change", "codec_change",
    "timestamp_jump", "reconnect", "worker_died", "encrypted", "unexpected", "model", "no_key_frame",
]  # fmt: skip

PictureName = Literal["original", "enhanced", "track", "agreement", "scene"]
"""Parts that are pictures: the crop of a face as it came, and enlarged; what was made of many frames of a track, and where
these agree (grey, white where they do); the whole picture that a face was cut from, smaller. ``enhanced``, ``track`` and
``agreement`` are a model's work, and go the same ways."""
PartName = Literal[PictureName, "embedding"]
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
    if not is_stream_name(name):
        raise ConfigError(
            f"the stream name {name[:80]!r} is not usable in a topic: use 1 to 64 characters of A-Z a-z 0-9 _ . -"
        )
    return name


def is_stream_name(text: str) -> bool:
    """Return whether this may be the name of a stream, see ``check_stream_name``."""
    return _STREAM_NAME.fullmatch(text) is not None and bool(text.strip("."))


def is_run_id(text: str) -> bool:
    """Return whether this may be the id of a run, which is the name of its folder too and leads nowhere else."""
    return _RUN_ID.fullmatch(text) is not None


class Part(msgspec.Struct, frozen=True):
    """One payload frame."""

    name: str
    """A ``PartName``, or a new one of a later version."""
    codec: str
    """``jpeg``, ``png`` or ``raw``, or a new one of a later version."""
    shape: tuple[int, ...]
    """(height, width, channels) of a picture (BGR when decoded, ``agreement`` grey), (length,) of an embedding."""
    dtype: str
    """``uint8`` for pictures, ``float32`` for embeddings (little-endian when raw)."""
    sha256: str
    """Of the payload as sent."""

    def is_vector(self, size_bytes: int) -> bool:
        """Return whether a payload of this size is a vector in the form of this version: raw float32, as long as it says."""
        return (self.codec, self.dtype) == ("raw", "float32") and len(self.shape) == 1 and size_bytes == 4 * self.shape[0] > 0


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """The fields of every message."""

    run_id: str
    """The run that sent the message; it changes when the publisher is restarted."""
    stream: str
    """Empty in ``stats`` and ``end``."""
    seq: Number
    """Counts from 0 for each run, stream and kind: a missing number is a lost message."""
    sent_ns: UnixNs
    """Wall clock when the publisher sent it (Unix, nanoseconds)."""
    schema: str = SCHEMA
    """``facestream/1``. A number other than 1 is another wire: readers stop."""


class Face(Message, frozen=True, kw_only=True, tag="face"):
    """One face of one frame: the original crop, the enhanced crop and the scores."""

    track_id: Int64
    """The track that the face belongs to; never reused within a run."""
    frame_index: Int64
    """Counts the frames of the stream from 0."""
    pts: Int64 | None
    """Presentation time as the file or camera states it, in units of ``time_base``."""
    time_base: tuple[Int64, Int64]
    """Seconds of one unit, as numerator and denominator."""
    pts_seconds: StreamSeconds
    """For a recording: from its beginning."""
    captured_ns: UnixNs
    """Wall clock (Unix, nanoseconds) taken after the packet was read."""
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels of a picture of ``width_px`` by ``height_px``."""
    landmarks: list[tuple[float, float]] | None
    """In the same pixels."""
    detection_score: float
    """The detector's, 0 to 1."""
    quality: Quality
    crop_box: tuple[int, int, int, int]
    """x, y, width, height of the original crop (face with margin), in the same pixels."""
    enhanced: Enhanced | None
    decision: Decision
    """``known``: the first of ``candidates``; ``unknown``: nobody enrolled; ``undecided``: not sure; ``none``: nobody to
    compare with."""
    candidates: list[Candidate]
    """Best first."""
    gallery_version: int
    """Counts the changes of the gallery."""
    parts: list[Part] = []
    ntp_ns: UnixNs | None = None
    """When the camera took the picture by its own clock (Unix, nanoseconds), if it says so (RTCP sender reports)."""
    live: bool = False
    """From a camera: a reader may skip it once it is old."""
    recorded_ns: UnixNs | None = None
    """For a recording: when the picture was taken (Unix, nanoseconds), if the clock in its ``stream`` messages is right."""
    width_px: int = 0
    """Width of the picture that the face was cut from; all pixels here are in that picture. It is that of the ``stream``
    message or, for a camera with two streams, mostly the larger one of its main stream. To draw on a picture of another size,
    multiply by its width over this one. 0: not stated (an earlier version); use that of the ``stream`` message."""
    height_px: int = 0
    gallery: GalleryVersion | None = None
    """What ``candidates`` were searched in; None without a gallery."""


class Track(Message, frozen=True, kw_only=True, tag="track"):
    """What is known of one person's way through the picture. Sent when the track ends, when its decision changes and, for a
    camera, when its picture has clearly improved."""

    track_id: Int64
    """As in ``face`` messages."""
    ended: bool
    """Nothing more comes of this track."""
    first_pts_seconds: StreamSeconds
    last_pts_seconds: StreamSeconds
    first_pts: Int64 | None
    last_pts: Int64 | None
    time_base: tuple[Int64, Int64]
    frames_seen: int
    """Frames in which its face was detected."""
    faces_enhanced: int
    best_face_seq: Int64 | None
    """``seq`` of the face message of this track with the best quality."""
    decision: Decision
    """As ``Face.decision``, over all its faces."""
    candidates: list[Candidate]
    gallery_version: int
    parts: list[Part] = []
    """The fused ``embedding``, and ``track`` and ``agreement`` if there is a ``picture``, which describes them."""
    first_recorded_ns: UnixNs | None = None
    """As ``Face.recorded_ns``."""
    last_recorded_ns: UnixNs | None = None
    basis: Basis | None = None
    """Why ``decision``; None if there was nobody to compare with."""
    gallery: GalleryVersion | None = None
    """As ``Face.gallery``."""
    reason: str = ""
    """One sentence if something other than a face changed the decision, such as a change of the gallery; it names nobody."""
    picture: TrackPicture | None = None
    """One picture made from many of its frames; None: its best face stands for it."""


class Stream(Message, frozen=True, kw_only=True, tag="stream"):
    """The life of one source. ``ended`` or ``failed`` is the last message of a stream."""

    state: StreamState
    reason: str = ""
    """A ``Reason``, or a new one of a later version."""
    detail: str = ""
    """One sentence for a person; never holds credentials."""
    width_px: int = 0
    height_px: int = 0
    counters: dict[str, int] = {}
    """What happened in this stream, by name."""
    started_ns: UnixNs | None = None
    """For a recording: when it begins (wall clock, Unix, nanoseconds), as far as ``clock`` can be believed."""
    clock: str = ""
    """A ``Clock``, or a new one of a later version."""


class StageStats(msgspec.Struct, frozen=True):
    """One stage since the last report."""

    items: int
    items_per_second: float
    p50_ms: float
    p99_ms: float
    queue_depth: int = 0
    """Items waiting for this stage now."""


class Stats(Message, frozen=True, kw_only=True, tag="stats"):
    """The run as a whole, once a second."""

    stages: dict[str, StageStats]
    counters: dict[str, int]
    """Since the start of the run: ``frames``, ``detections``, ``faces``, ``drops.<cause>``, ..."""


class End(Message, frozen=True, kw_only=True, tag="end"):
    """The last message of a run. A ``pub`` socket may send it again, once for each reader that was behind, as its queue may
    have been full."""

    outcome: Outcome
    detail: str
    """One sentence for a person, empty if all went well."""
    last_seq: dict[str, Number]
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

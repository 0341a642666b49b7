"""What a service answers; see ``engine.control.verbs``."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.config import SourceConfig
from engine.contracts.findings import Quality
from engine.contracts.messages import Reason, StageStats, StreamState
from engine.contracts.probed import Probed

ErrorCode = Literal[
    "bad_request",  # cannot be read, or a field is wrong
    "unauthorised",  # nobody known asks
    "forbidden",  # somebody known asks, who may not
    "not_found",
    "conflict",  # it exists already, or is another than was meant
    "refused",  # understood, and not done for a reason that the sentence gives: a face too small, an address not allowed
    "too_large",
    "busy",  # too much of this kind is under way: ask again
    "deadline",  # not done in time; what changes the desired state was not done at all
    "stopping",  # the service is being drained
    "failed",
]
Severity = Literal["info", "warning", "error"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is answered: readers ignore fields that they do not know."""


class Problem(Value, frozen=True):
    """Why something was not done."""

    code: ErrorCode
    message: str
    """One sentence: what, where, and what to do."""
    field: str = ""
    """Which part of the request is wrong, as ``source.uri``."""


class Done(Value, frozen=True, tag_field="kind", tag="done"):
    """It was done."""

    note: str = ""


class Funnel(Value, frozen=True):
    """Where the faces of a stream went since the start.

    Every face that was found is, or will be, in one of ``unconfirmed``, ``too_small``, ``outranked``, ``late``, ``enhanced``
    and ``passed_through``; fewer are only while some wait, where a call of a model failed, and where a worker died.
    """

    frames: int = 0
    detected_frames: int = 0
    """Of which the detector was asked."""
    found: int = 0
    """Faces in them: one person in ten frames is ten."""
    unconfirmed: int = 0
    """Of those found: of a track that was too short yet, or that the second look did not take for a face's."""
    too_small: int = 0
    """Of those found: smaller than ``crop.min_size_px``, or outside of the picture."""
    outranked: int = 0
    """Of those found: left out for a better face of the same track and interval."""
    blurred: int = 0
    """Of those outranked: as sharp as the better one they would have been as good."""
    late: int = 0
    """Of those found: left out or dropped, as the machine was too slow or a worker died."""
    enhanced: int = 0
    passed_through: int = 0
    """Sent as they were: large enough, or nothing enhances here."""
    rejected: int = 0
    """Tracks, not faces: those that ended and were no face's."""


class Stream(Value, frozen=True, tag_field="kind", tag="stream"):
    """One camera."""

    name: str
    source: SourceConfig
    """Without user and password."""
    paused: bool = False
    state: StreamState | Literal["paused"] = "connecting"
    reason: Reason = ""
    detail: str = ""
    seconds_in_state: float = 0.0
    width_px: int = 0
    height_px: int = 0
    fps: float = 0.0
    detections_per_second: float = 0.0
    frames: int = 0
    faces: int = 0
    dropped: int = 0
    errored: int = 0
    reconnects: int = 0
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    funnel: Funnel = Funnel()
    reconnects_by: dict[Reason, int] = {}
    """Since the camera was added, or the run began, by the reason for which the connection before was lost."""


class Streams(Value, frozen=True, tag_field="kind", tag="streams"):
    """All cameras, by name."""

    streams: list[Stream]


class PictureVerdict(Value, frozen=True):
    """What became of an uploaded picture."""

    name: str
    outcome: Literal["enrolled", "duplicate", "quarantined", "refused"]
    reason: str = ""
    remedy: str = ""
    """A command that enrols it all the same, with its condition; empty where there is none."""
    quality: Quality | None = None


class Enrolled(Value, frozen=True, tag_field="kind", tag="enrolled"):
    """Verdicts, in the order of the pictures."""

    name: str
    pictures: list[PictureVerdict]


class Person(Value, frozen=True):
    """Somebody in the gallery."""

    name: str
    pictures: int
    wrong_names: int = 0
    """Tracks that were marked as not this person."""


class People(Value, frozen=True, tag_field="kind", tag="people"):
    """The gallery."""

    people: list[Person]
    gallery: str = ""


class SetApart(Value, frozen=True):
    """A picture that was not enrolled until somebody has looked."""

    name: str
    """Whom it was given for."""
    picture: str
    """Its SHA-256."""
    file: str
    """What it was called."""
    reason: str
    """What speaks against it, as ``looks like Bob (cosine 0.94)``."""
    quality: float
    at: str
    """When it was set apart (UTC, ISO 8601)."""
    portrait: bytes = b""
    """The face as a small JPEG; empty where none was kept, and where there are too many."""


class Quarantine(Value, frozen=True, tag_field="kind", tag="quarantine"):
    """By person and time."""

    pictures: list[SetApart]


class Match(Value, frozen=True):
    """A person or a track that resembles a picture."""

    cosine: float
    identity: str = ""
    """Of the gallery; empty for a track."""
    run_id: str = ""
    stream: str = ""
    track_id: int = -1


class Found(Value, frozen=True, tag_field="kind", tag="found"):
    """Best first."""

    people: list[Match] = []
    tracks: list[Match] = []
    reason: str = ""
    """Why there are none, as where the picture shows no face; and what the picture's file has that was not compared."""


class Settings(Value, frozen=True, tag_field="kind", tag="settings"):
    """By ``section.key``."""

    values: dict[str, Any]
    profile: str = "balanced"


class Worker(Value, frozen=True):
    """One process."""

    name: str
    alive: bool
    restarts: int
    pid: int


class Event(Value, frozen=True):
    """A line of the log."""

    number: int
    time_ns: int
    level: Severity
    name: str
    fields: dict[str, str | int] = {}


class Status(Value, frozen=True, tag_field="kind", tag="status"):
    """The service at one moment."""

    version: str
    state: Literal["starting", "running", "stopping"]
    ready: bool
    """Models are loaded, a known face was detected, enhanced and verified, and the run goes on."""
    ready_detail: str = ""
    silent_seconds: float = 0.0
    """For how long the run has said nothing; usually below one."""
    largest_request_bytes: int = 0
    """A longer one ends its connection without an answer; 0: not told."""
    run_id: str = ""
    uptime_seconds: float = 0.0
    overload_level: int = 0
    models: dict[str, str] = {}
    """Stage to model and runtime, as ``detector`` to ``grey (onnxruntime, cpu, float32)``."""
    endpoint: str = ""
    """Where subscribers read; empty: nowhere."""
    tap: str = ""
    """Where the web process reads messages, and ``previews`` where it reads pictures of the cameras; see ``Tap``."""
    previews: str = ""
    workers: list[Worker] = []
    stages: dict[str, StageStats] = {}
    counters: dict[str, int] = {}
    """Over all streams, by name, as in ``stats`` messages."""
    drops: dict[str, int] = {}
    """By cause."""
    errors: dict[str, int] = {}
    """By stage."""
    streams: list[Stream] = []
    events: list[Event] = []
    """The newest, oldest first."""


AnyResult = Done | Stream | Streams | Probed | Enrolled | People | Quarantine | Found | Settings | Status


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: a result or a problem."""

    request_id: str
    """Empty where the request could not be read."""
    result: AnyResult | None = None
    problem: Problem | None = None


encode_reply = msgspec.msgpack.Encoder().encode
decode_reply = msgspec.msgpack.Decoder(Reply).decode

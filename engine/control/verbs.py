"""The control plane, version 1: what a service may be asked, and what it answers.

A DEALER sends ``[PROTOCOL][Request]`` to the service's ROUTER and gets ``[PROTOCOL][Reply]``, both MessagePack maps. Every verb
is a struct; its name stands in the field ``verb``. HTTP has the same structs as JSON.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.config import SourceConfig
from engine.contracts.messages import Quality, Reason, StageStats, StreamState

PROTOCOL = b"facestream-control/1"
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
Role = Literal["view", "operate", "enrol"]
"""``view``: read; ``operate``: streams, settings, drain; ``enrol``: people. One who may do several has several roles."""
LogLevel = Literal["error", "warning", "info"]
Severity = Literal["info", "warning", "error"]


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what is answered: readers ignore fields that they do not know."""


class Verb(msgspec.Struct, frozen=True, kw_only=True, tag_field="verb", forbid_unknown_fields=True):
    """Base of what is asked: a field that is not declared is an error."""


class ListStreams(Verb, frozen=True, tag="streams.list"):
    """All cameras of the desired state and how they stand: ``Streams``."""


class AddStream(Verb, frozen=True, tag="streams.add"):
    """Attach a camera: ``Stream``. ``conflict`` where there is one of this name with other settings."""

    source: SourceConfig
    """As in the configuration; ``credentials`` is the name of a file in the service's folder of them, never a path. User and
    password in the address are put into such a file and shown to nobody."""
    paused: bool = False


class ChangeStream(Verb, frozen=True, tag="streams.change"):
    """Give a camera other settings: ``Stream``. No other camera is disturbed."""

    name: str
    changes: dict[str, Any]
    """Keys of ``SourceConfig`` with their new values; null: the default. Not ``name``."""


class PauseStream(Verb, frozen=True, tag="streams.pause"):
    """Read a camera no longer, and keep its settings: ``Stream``."""

    name: str


class ResumeStream(Verb, frozen=True, tag="streams.resume"):
    """Read a paused camera again: ``Stream``."""

    name: str


class RemoveStream(Verb, frozen=True, tag="streams.remove"):
    """Forget a camera: ``Done``."""

    name: str


class Probe(Verb, frozen=True, tag="streams.probe"):
    """Look at a camera without adding it: ``Probed``."""

    source: SourceConfig
    seconds: float = 4.0
    """How long to look for faces, 1 to 20."""


class Picture(Value, frozen=True):
    """An uploaded picture."""

    content: bytes
    """The file, at most ``serve.upload_bytes``."""
    name: str = ""
    """As the user calls it, for messages."""


class EnrolPerson(Verb, frozen=True, tag="people.enrol"):
    """Add pictures of a person to the gallery: ``Enrolled``."""

    name: str
    pictures: list[Picture]
    force: bool = False


class ListPeople(Verb, frozen=True, tag="people.list"):
    """Who is in the gallery: ``People``."""


class RemovePerson(Verb, frozen=True, tag="people.remove"):
    """Take a person out of the gallery: ``Done``."""

    name: str


class RenamePerson(Verb, frozen=True, tag="people.rename"):
    """Give a person another name; where somebody has it both become one: ``Done``."""

    name: str
    new_name: str


class SearchPerson(Verb, frozen=True, tag="people.search"):
    """Who is in a picture, of the gallery and of the tracks of the last days: ``Found``."""

    picture: Picture
    most: int = 20


class NotThatPerson(Verb, frozen=True, tag="people.not_that_person"):
    """A track was given a wrong name; its faces are kept as no pictures of this person: ``Done``."""

    name: str
    run_id: str
    stream: str
    track_id: int


class GetStatus(Verb, frozen=True, tag="status"):
    """How the service stands: ``Status``."""


class GetSettings(Verb, frozen=True, tag="settings.get"):
    """The settings that may be changed: ``Settings``."""


class ChangeSettings(Verb, frozen=True, tag="settings.change"):
    """Change them; a change of any begins a new run, within seconds: ``Settings``."""

    changes: dict[str, Any]


class SetLogLevel(Verb, frozen=True, tag="log_level"):
    """From now on log this level and those above it: ``Done``."""

    level: LogLevel


class Drain(Verb, frozen=True, tag="drain"):
    """Finish what is held and stop the service: ``Done``, before it stops."""


AnyVerb = (
    ListStreams | AddStream | ChangeStream | PauseStream | ResumeStream | RemoveStream | Probe
    | EnrolPerson | ListPeople | RemovePerson | RenamePerson | SearchPerson | NotThatPerson
    | GetStatus | GetSettings | ChangeSettings | SetLogLevel | Drain
)  # fmt: skip


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    request_id: str
    """Chosen by the asker; the reply repeats it."""
    verb: AnyVerb
    deadline_ns: int = 0
    """Wall clock (Unix, nanoseconds) after which the asker no longer waits; 0: a default of the service."""
    idempotency_key: str = ""
    """Asked again under the same key, what changes something is not done twice: the first reply is given again."""
    on_behalf_of: str = ""
    """Of the web process alone: who asks it, for the audit log."""
    roles: tuple[Role, ...] = ("view", "operate", "enrol")
    """Of the web process alone: what that one may do. Of others the roles are those of their key."""


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


class Streams(Value, frozen=True, tag_field="kind", tag="streams"):
    """All cameras, by name."""

    streams: list[Stream]


class ProbedFace(Value, frozen=True):
    """A face that a probe saw."""

    x: float
    y: float
    width: float
    height: float
    """In pixels of the picture."""
    score: float


class Probed(Value, frozen=True, tag_field="kind", tag="probed"):
    """What a camera sends."""

    shown: str
    """Its address without credentials."""
    codec: str = ""
    width_px: int = 0
    height_px: int = 0
    fps: float = 0.0
    picture: bytes = b""
    """One of its pictures as JPEG."""
    faces: list[ProbedFace] = []
    """On that picture."""
    advice: str = ""
    """One sentence: what to expect of this stream."""


class PictureVerdict(Value, frozen=True):
    """What became of an uploaded picture."""

    name: str
    outcome: Literal["enrolled", "duplicate", "refused"]
    reason: str = ""
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
    """Why there are none, as where the picture shows no face."""


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
    """Models are loaded, and a known face was detected, enhanced and verified."""
    ready_detail: str = ""
    run_id: str = ""
    uptime_seconds: float = 0.0
    overload_level: int = 0
    models: dict[str, str] = {}
    """Stage to model and runtime, as ``detector`` to ``grey (onnxruntime, cpu, float32)``."""
    endpoint: str = ""
    """Where subscribers read; empty: nowhere."""
    tap: str = ""
    """Where the web process reads."""
    workers: list[Worker] = []
    stages: dict[str, StageStats] = {}
    counters: dict[str, int] = {}
    """Over all streams, those that ``docs`` names."""
    drops: dict[str, int] = {}
    """By cause."""
    errors: dict[str, int] = {}
    """By stage."""
    streams: list[Stream] = []
    events: list[Event] = []
    """The newest, oldest first."""


AnyResult = Done | Stream | Streams | Probed | Enrolled | People | Found | Settings | Status


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: a result or a problem."""

    request_id: str
    """Empty where the request could not be read."""
    result: AnyResult | None = None
    problem: Problem | None = None


encode_request = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
encode_reply = msgspec.msgpack.Encoder().encode
decode_reply = msgspec.msgpack.Decoder(Reply).decode

ROLE_OF: dict[type[Verb], Role] = {
    **dict.fromkeys((ListStreams, ListPeople, GetStatus, GetSettings), "view"),
    **dict.fromkeys(
        (AddStream, ChangeStream, PauseStream, ResumeStream, RemoveStream, Probe, ChangeSettings, SetLogLevel, Drain), "operate"
    ),
    **dict.fromkeys((EnrolPerson, RemovePerson, RenamePerson, SearchPerson, NotThatPerson), "enrol"),
}
"""The role that each verb needs."""

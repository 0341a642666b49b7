"""What a child of the service is asked and what it says: one MessagePack value each way."""

from __future__ import annotations

import msgspec

from engine.config import DetectConfig, Redact
from engine.config.verify import VerifyConfig
from engine.contracts.camera import Camera
from engine.contracts.gallery import GalleryPlace
from engine.contracts.probed import Probed
from engine.control.answers import Done, Enrolled, Found, Problem
from engine.control.verbs import Picture
from engine.privacy import Policy


class Task(msgspec.Struct, frozen=True, kw_only=True, tag_field="task"):
    """Base of what is asked."""


class ProbeTask(Task, frozen=True, tag="probe"):
    """Look at a camera."""

    camera: Camera
    seconds: float
    detect: DetectConfig
    redact: Redact


class EnrolTask(Task, frozen=True, tag="enrol"):
    """Put pictures into the gallery."""

    name: str
    pictures: list[Picture]
    force: bool
    detect: DetectConfig
    verify: VerifyConfig
    folder: str
    """An empty one of its own, which whoever asks removes."""


class SearchTask(Task, frozen=True, tag="search"):
    """Find a face in the gallery and in the newest tracks."""

    picture: Picture
    most: int
    runs: str
    """Folder of the runs' output directories."""
    since_ns: int
    """Older tracks are not looked at."""
    detect: DetectConfig
    verify: VerifyConfig
    folder: str


class NotThatTask(Task, frozen=True, tag="not_that_person"):
    """Keep the faces of a track as no pictures of a person."""

    name: str
    directory: str
    """Of the run."""
    run_id: str
    stream: str
    track_id: int
    gallery: GalleryPlace


class ExpireTask(Task, frozen=True, tag="expire"):
    """Delete what a finished run has kept for too long, or too much of."""

    run: str
    """Its output directory."""
    policy: Policy = Policy()
    most_pictures_bytes: int | None = None
    """It may keep; None: all that there is."""
    most_records_bytes: int | None = None
    """Lines and vectors; where it is very few the run goes as a whole."""
    sign: str = ""
    """File of the key that signs what the run's chain is told; empty: it is not signed."""


class SelfTestTask(Task, frozen=True, tag="self_test"):
    """Detect, enhance and verify a known face."""

    detect: DetectConfig
    verify: VerifyConfig
    generator: str
    strength: float


class SelfTested(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="self_tested"):
    """The known face was detected, enhanced and verified."""

    detail: str
    models: dict[str, str] = {}
    """Stage to model and runtime."""


class ExpiredRun(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="expired_run"):
    """What went."""

    bytes: int = 0
    faults: list[str] = []
    """Why not all was done."""


AnyTask = ProbeTask | EnrolTask | SearchTask | NotThatTask | ExpireTask | SelfTestTask
TaskResult = Done | Probed | Enrolled | Found | ExpiredRun | SelfTested


class TaskReply(msgspec.Struct, frozen=True, kw_only=True):
    """A result or a problem."""

    result: TaskResult | None = None
    problem: Problem | None = None


encode_task = msgspec.msgpack.Encoder().encode
decode_task = msgspec.msgpack.Decoder(AnyTask).decode
encode_task_reply = msgspec.msgpack.Encoder().encode
decode_task_reply = msgspec.msgpack.Decoder(TaskReply).decode

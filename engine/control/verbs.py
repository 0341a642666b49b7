"""The control plane, version 1: what a service may be asked; ``engine.control.answers`` is what it answers.

A DEALER sends ``[PROTOCOL][Request]`` to the service's ROUTER and gets ``[PROTOCOL][Reply]``, both MessagePack maps. Every verb
is a struct; its name stands in the field ``verb``. HTTP has the same structs as JSON.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from engine.config import SourceConfig

PROTOCOL = b"facestream-control/1"
ENVELOPE_BYTES = 256 * 1024
"""Beside the picture in a request; a shorter request every service takes."""
Role = Literal["view", "operate", "enrol"]
"""``view``: read; ``operate``: streams, settings, drain; ``enrol``: people. One who may do several has several roles."""
MOST_PROBE_SECONDS = 20.0
MOST_PICTURES, MOST_FOUND = 50, 200
"""Of one person at a time; of one search."""
MOST_PORTRAITS = 200
"""Pictures that are set apart and come with the face."""
LogLevel = Literal["error", "warning", "info"]


class Verb(msgspec.Struct, frozen=True, kw_only=True, tag_field="verb", forbid_unknown_fields=True):
    """Base of what is asked: a field that is not declared is an error."""


class ListStreams(Verb, frozen=True, tag="streams.list"):
    """All cameras of the desired state and how they stand: ``Streams``."""


class AddStream(Verb, frozen=True, tag="streams.add"):
    """Attach a camera: ``Stream``. ``conflict`` where there is one of this name with other settings."""

    source: SourceConfig
    """As in the configuration; ``credentials`` is the name of a file in the service's folder of them, never a path, and is sent
    to no host or port that it was not given for. User and password in the address are put into such a file and shown to
    nobody; replies say ``given``."""
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
    """How long to look for faces, 1 to ``MOST_PROBE_SECONDS``."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded picture."""

    content: bytes
    """The file, at most ``serve.upload_bytes``."""
    name: str = ""
    """As the user calls it, for messages."""


class EnrolPerson(Verb, frozen=True, tag="people.enrol"):
    """Add pictures of a person to the gallery: ``Enrolled``."""

    name: str
    pictures: list[Picture]
    """1 to ``MOST_PICTURES``."""
    force: bool = False


class ListPeople(Verb, frozen=True, tag="people.list"):
    """Who is in the gallery: ``People``."""


class RemovePerson(Verb, frozen=True, tag="people.remove"):
    """Take a person out of the gallery: ``Done``."""

    name: str


class RenamePerson(Verb, frozen=True, tag="people.rename"):
    """Give a person another name: ``Done``. ``conflict`` where somebody else has it, unless both are to be joined."""

    name: str
    new_name: str
    join: bool = False
    """Both are one person from then on, which cannot be undone."""


class ListQuarantine(Verb, frozen=True, tag="people.quarantine"):
    """Which pictures were set apart at enrolment, with which nobody is compared: ``Quarantine``."""


class ReleasePicture(Verb, frozen=True, tag="people.release"):
    """Enrol a picture that was set apart, as it does show this person: ``Done``."""

    name: str
    """For whom it was set apart."""
    picture: str
    """Its SHA-256, or what that begins with."""


class DropPicture(Verb, frozen=True, tag="people.drop"):
    """Forget a picture that was set apart: ``Done``."""

    name: str
    """For whom it was set apart."""
    picture: str
    """Its SHA-256, or what that begins with."""


class SearchPerson(Verb, frozen=True, tag="people.search"):
    """Who is in a picture, of the gallery and of the tracks of the last days: ``Found``."""

    picture: Picture
    most: int = 20
    """1 to ``MOST_FOUND``."""


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
    | EnrolPerson | ListPeople | RemovePerson | RenamePerson | ListQuarantine | ReleasePicture | DropPicture
    | SearchPerson | NotThatPerson
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


_encoder = msgspec.msgpack.Encoder()
decode_request = msgspec.msgpack.Decoder(Request).decode

ROLE_OF: dict[type[Verb], Role] = {
    **dict.fromkeys((ListStreams, ListPeople, GetStatus, GetSettings), "view"),
    **dict.fromkeys(
        (AddStream, ChangeStream, PauseStream, ResumeStream, RemoveStream, Probe, ChangeSettings, SetLogLevel, Drain), "operate"
    ),
    **dict.fromkeys(
        (EnrolPerson, RemovePerson, RenamePerson, ListQuarantine, ReleasePicture, DropPicture, SearchPerson, NotThatPerson),
        "enrol",
    ),
}
"""The role that each verb needs."""


def largest_request(upload_bytes: int) -> int:
    """Return how many bytes a request may have where one picture may have so many; a longer one ends its connection."""
    return upload_bytes + ENVELOPE_BYTES


def encode_request(request: Request) -> bytes:
    """Return a request as it is sent.

    Raises:
        ValueError: something in it has no form there, as a number of more than 64 bits; says what, in words.
    """
    try:
        return _encoder.encode(request)
    except (OverflowError, TypeError, UnicodeEncodeError, RecursionError) as error:
        what = {
            OverflowError: "a number of more than 64 bits",
            UnicodeEncodeError: "text that is not UTF-8",
            RecursionError: "values nested too deeply",
        }
        raise ValueError(f"the request holds {what.get(type(error), 'what is no value')}: it cannot be sent") from error

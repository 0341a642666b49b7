"""Answers about people as they are kept: without names, so that whoever is erased is nowhere on the disk.

Who asks again under the same key has the names in the request, from which they are put in again.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.control.answers import AnyResult, Done, Enrolled, PictureVerdict, Reply
from engine.control.verbs import (
    AnyVerb,
    DropPicture,
    EnrolPerson,
    NotThatPerson,
    ReleasePicture,
    RemovePerson,
    RenamePerson,
)

_ABOUT_PEOPLE = (EnrolPerson, RemovePerson, RenamePerson, ReleasePicture, DropPicture, NotThatPerson)
_NOT_KEPT = "why was said when it was asked first, and is not kept"


def without_names(verb: AnyVerb, reply: Reply) -> Reply:
    """Return what may be kept of an answer."""
    if not isinstance(verb, _ABOUT_PEOPLE):
        return reply
    return replace(reply, result=_nameless(reply.result))


def with_names(verb: AnyVerb, reply: Reply) -> Reply:
    """Return the answer to the same request, as far as it was kept."""
    result = reply.result
    if not isinstance(verb, EnrolPerson) or not isinstance(result, Enrolled):
        return reply
    verdicts = [
        replace(verdict, name=picture.name, reason=_NOT_KEPT if verdict.outcome == "refused" else "")
        for verdict, picture in zip(result.pictures, verb.pictures, strict=True)
    ]
    return replace(reply, result=replace(result, name=verb.name, pictures=verdicts))


def _nameless(result: AnyResult | None) -> AnyResult:
    if isinstance(result, Enrolled):
        pictures = [PictureVerdict(name="", outcome=one.outcome, quality=one.quality) for one in result.pictures]
        return Enrolled(name="", pictures=pictures)
    return Done()

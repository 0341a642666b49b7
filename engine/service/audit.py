"""Who did what: each verb that changes something, or was to, is a line of the service's audit log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.audit import AuditLog
from engine.audit.entries import Outcome
from engine.control import verbs
from engine.control.answers import Problem
from engine.control.verbs import AnyVerb
from engine.errors import AuditError, UsageError
from engine.verify.gallery.person_name import person_name
from engine.words.seldom import Pace

_BEING_UNABLE = ("failed", "deadline", "busy", "stopping")
"""Codes of what would have been done."""
_PEOPLE = (
    verbs.EnrolPerson, verbs.RemovePerson, verbs.RenamePerson, verbs.ReleasePicture, verbs.DropPicture, verbs.NotThatPerson
)  # fmt: skip


class Audit:
    """For any number of threads.

    Args:
        path: of the log.
        warn: is told where a line cannot be written; what was done is done all the same.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._log, self._warn, self._pace = AuditLog(path), warn, Pace()

    def record(self, who: str, verb: AnyVerb, problem: Problem | None) -> None:
        """Note that somebody has changed something, or has tried to.

        What was done is always a line. Of what was not, there is one in a minute for each caller, verb and reason, with how
        many there were since the last: whoever may do nothing must not fill the disk by asking.

        Args:
            who: as ``local:1000``, ``key:NAME`` or ``web:NAME``.
            verb: what was asked; no credential of it is written.
            problem: why it was not done; None: it was.
        """
        code = problem.code if problem else ""
        outcome: Outcome = "done" if not code else "failed" if code in _BEING_UNABLE else "refused"
        did = str(verb.__struct_config__.tag)
        more = self._pace.due(f"{who} {did} {code}") if code else 0
        if more is None:
            return
        detail = f"{code} (and {more} more like it)" if more else code
        try:
            self._log.record(who, did, on=_thing_of(verb), people=people_of(verb), outcome=outcome, detail=detail)
        except (AuditError, OSError) as error:
            self._warn(f"{did} by {who} is missing from the audit log: {error}")


def _thing_of(verb: AnyVerb) -> str:
    """Return the stream that a verb is about; empty where it is about none."""
    match verb:
        case verbs.AddStream():
            name = verb.source.name
        case verbs.NotThatPerson():
            name = f"{verb.run_id}/{verb.stream}/{verb.track_id}"
        case _:
            name = "" if isinstance(verb, _PEOPLE) else getattr(verb, "name", "")
    return name[:200]


def people_of(verb: AnyVerb) -> list[str]:
    """Return the names of the persons that a verb is about; what is not a person's name is kept nowhere."""
    names = [verb.name, getattr(verb, "new_name", "")] if isinstance(verb, _PEOPLE) else []
    return [known for name in names if name and (known := _accepted(name))]


def _accepted(name: str) -> str:
    try:
        return person_name(name)
    except UsageError:
        return ""

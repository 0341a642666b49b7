"""The verbs about cameras and settings."""

from __future__ import annotations

from msgspec.structs import replace

from engine.contracts.probed import Probed
from engine.control.answers import Done, Stream
from engine.control.verbs import (
    MOST_PROBE_SECONDS,
    AddStream,
    ChangeSettings,
    ChangeStream,
    PauseStream,
    Probe,
    RemoveStream,
    Request,
    ResumeStream,
)
from engine.service.deadlines import seconds_left
from engine.service.desired import Desired
from engine.service.given_source import GivenSources
from engine.service.life import Life
from engine.service.refusal import Refusal
from engine.service.settings import ChangeableSettings, settings_of
from engine.service.standing import stream_of, streams_of
from engine.service.state import Change
from engine.service.streams import Streams
from engine.service.task_messages import ProbeTask
from engine.service.tasks import Tasks


class StreamVerbs:
    """Says of each verb what it changes.

    Args:
        streams: the cameras.
        given: checks those that others give.
        life: of the service.
        settings: checks settings.
        tasks: where cameras are probed.
    """

    def __init__(self, streams: Streams, given: GivenSources, life: Life, settings: ChangeableSettings, tasks: Tasks) -> None:
        self._streams, self._given, self._life = streams, given, life
        self._settings, self._tasks = settings, tasks

    def list(self, desired: Desired) -> list[Stream]:
        """Return all cameras."""
        return streams_of(self._streams.wanted(desired), self._life.run, self._streams.faults)

    def add(self, verb: AddStream) -> Change:
        """See ``AddStream``."""
        given = self._given.accept(verb.source)
        name = given.source.name

        def after(before: Desired) -> Desired:
            known = self._given.known(given, before.streams.get(name))
            if known is not None and self._streams.same(before, known, paused=verb.paused):
                return before
            added = self._streams.add(before, given.source, paused=verb.paused)  # what is refused leaves no file
            return self._streams.changed(added, self._given.keep(given, before))

        return Change(after, lambda now: self._stream(now, name))

    def change(self, verb: ChangeStream, desired: Desired) -> Change:
        """See ``ChangeStream``."""
        wanted = self._streams.changed_source(desired, verb.name, verb.changes)
        given = self._given.accept(wanted)

        def after(before: Desired) -> Desired:
            if self._streams.one(before, verb.name) != self._streams.one(desired, verb.name):
                raise Refusal("conflict", f"the stream {verb.name} was changed by somebody else meanwhile: look at it again")
            return self._streams.changed(before, self._given.keep(given, before))

        return Change(after, lambda now: self._stream(now, verb.name))

    def pause(self, verb: PauseStream | ResumeStream) -> Change:
        """See ``PauseStream`` and ``ResumeStream``."""
        paused = isinstance(verb, PauseStream)
        return Change(lambda before: self._streams.paused(before, verb.name, paused), lambda now: self._stream(now, verb.name))

    def remove(self, verb: RemoveStream) -> Change:
        """See ``RemoveStream``."""
        return Change(lambda before: self._streams.removed(before, verb.name), lambda now: Done())

    def probe(self, verb: Probe, request: Request, desired: Desired) -> Probed:
        """See ``Probe``."""
        if not 1.0 <= verb.seconds <= MOST_PROBE_SECONDS:
            raise Refusal("bad_request", f"seconds must be from 1 to {MOST_PROBE_SECONDS:g}", "seconds")
        given = self._given.accept(verb.source)
        self._given.logins.check(given.source, desired)
        config = self._life.config
        task = ProbeTask(camera=given.camera, seconds=verb.seconds, detect=config.detect, redact=config.publish.redact)
        return self._tasks.run(task, Probed, seconds_left(request))

    def change_settings(self, verb: ChangeSettings) -> Change:
        """See ``ChangeSettings``."""
        return Change(
            lambda before: replace(before, settings=self._settings.merged(before.settings, verb.changes)),
            lambda now: settings_of(self._settings.config(now.settings)),
        )

    def _stream(self, desired: Desired, name: str) -> Stream:
        run = self._life.run
        return stream_of(self._streams.one(desired, name), run.streams.get(name) if run else None)

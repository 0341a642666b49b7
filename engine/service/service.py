"""Carries verbs out: checks, changes the desired state, and lets the run follow. Thread-safe, and knows no socket."""

from __future__ import annotations

from collections.abc import Callable

from engine.control import answers, verbs
from engine.control.answers import AnyResult, Done, Problem, Reply
from engine.control.verbs import AnyVerb, Request
from engine.errors import FacestreamError, PublishError, error_words
from engine.service.answers import Answers
from engine.service.audit import Audit
from engine.service.caller import Caller
from engine.service.deadlines import check_deadline
from engine.service.life import Life
from engine.service.people import PeopleVerbs
from engine.service.refusal import Refusal
from engine.service.settings import settings_of
from engine.service.standing import status_of
from engine.service.state import Change, State
from engine.service.stream_verbs import StreamVerbs

_VIEWS = (verbs.ListStreams, verbs.ListPeople, verbs.GetStatus, verbs.GetSettings)
_READING = (*_VIEWS, verbs.ListQuarantine, verbs.SearchPerson, verbs.Probe)
QUICK = (verbs.ListStreams, verbs.GetStatus, verbs.GetSettings)
"""Verbs that wait for nothing; others may wait for the disk, the audit log, a name server, a camera or a child."""


class Service:
    """One service.

    Args:
        state: what there should be.
        life: of the service.
        streams, people: their verbs.
        audit: is told what was changed, or was to be.
        set_log_level: changes what is logged.
        warn: is told of what should not happen.
    """

    def __init__(
        self,
        state: State,
        life: Life,
        streams: StreamVerbs,
        people: PeopleVerbs,
        audit: Audit,
        set_log_level: Callable[[verbs.LogLevel], None],
        warn: Callable[[str], None],
    ) -> None:
        self._state, self._life, self._streams, self._people = state, life, streams, people
        self._audit, self._set_log_level, self._warn = audit, set_log_level, warn
        self._answers = Answers()

    def answer(self, request: Request, caller: Caller) -> Reply:
        """Do what is asked, and say what came of it; raises nothing."""
        reply = self._answer(request, caller)
        if not isinstance(request.verb, _VIEWS):
            self._audit.record(caller.name, request.verb, reply.problem)
        return reply

    def _answer(self, request: Request, caller: Caller) -> Reply:
        try:
            caller.check(request.verb)
            if isinstance(request.verb, _READING):
                return Reply(request_id=request.request_id, result=self._read(request.verb, request))
            with self._answers.alone(request, caller):
                earlier = self._answers.earlier(self._state.desired, request, caller)
                return earlier or self._change(request, caller)
        except Refusal as refusal:
            problem = refusal.problem
        except FacestreamError as error:
            problem = Problem(code="failed", message=str(error))
        except Exception as error:  # a fault of ours must not end the thread that answers
            self._warn(f"a request could not be carried out: {error_words(error)}")
            problem = Problem(code="failed", message="it could not be done; the log of the service says why")
        return Reply(request_id=request.request_id, problem=problem)

    def _read(self, verb: AnyVerb, request: Request) -> AnyResult:
        desired = self._state.desired
        match verb:
            case verbs.ListStreams():
                return answers.Streams(streams=self._streams.list(desired))
            case verbs.GetStatus():
                return status_of(self._life, self._streams.list(desired))
            case verbs.GetSettings():
                return settings_of(self._life.config)
            case verbs.ListPeople():
                return self._people.list()
            case verbs.ListQuarantine():
                return self._people.quarantine()
            case verbs.SearchPerson():
                return self._people.search(verb, request)
            case verbs.Probe():
                return self._streams.probe(verb, request, desired)
        raise Refusal("bad_request", "there is no such request", "verb")

    def _change(self, request: Request, caller: Caller) -> Reply:
        check_deadline(request)
        if self._life.stopping:
            raise Refusal("stopping", "the service is being stopped: ask again when it runs")
        change = self._stream_change(request.verb)
        if change is not None:
            return self._state.commit(change, request, caller)
        reply = Reply(request_id=request.request_id, result=self._done(request.verb, request))
        if request.idempotency_key:
            try:
                self._state.remember(request, caller, reply)
            except PublishError as error:  # it is done all the same
                self._warn(f"a change was made, but its answer cannot be kept: asked again it would be done again ({error})")
        return reply

    def _stream_change(self, verb: AnyVerb) -> Change | None:
        desired = self._state.desired
        match verb:
            case verbs.AddStream():
                return self._streams.add(verb)
            case verbs.ChangeStream():
                return self._streams.change(verb, desired)
            case verbs.PauseStream() | verbs.ResumeStream():
                return self._streams.pause(verb)
            case verbs.RemoveStream():
                return self._streams.remove(verb)
            case verbs.ChangeSettings():
                return self._streams.change_settings(verb)
        return None

    def _done(self, verb: AnyVerb, request: Request) -> AnyResult:
        match verb:
            case verbs.EnrolPerson():
                return self._people.enrol(verb, request)
            case verbs.RemovePerson():
                return self._people.remove(verb, request)
            case verbs.RenamePerson():
                return self._people.rename(verb, request)
            case verbs.ReleasePicture():
                return self._people.release(verb, request)
            case verbs.DropPicture():
                return self._people.drop(verb, request)
            case verbs.NotThatPerson():
                return self._people.not_that_person(verb, request)
            case verbs.SetLogLevel():
                self._set_log_level(verb.level)
                return Done()
            case verbs.Drain():
                self._life.stop("the service was drained")
                return Done(note="the service stops when what it holds is done")
        raise Refusal("bad_request", "there is no such request", "verb")

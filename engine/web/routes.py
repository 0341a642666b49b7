"""What the API answers."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engine.contracts.probed import Probed
from engine.control import answers, verbs
from engine.control.answers import AnyResult
from engine.control.verbs import Verb
from engine.web.auth import Asker
from engine.web.bodies import as_verb, read_object
from engine.web.context import Web
from engine.web.events import EventStream, asked_for
from engine.web.fleet import FleetSeen
from engine.web.problems import Refusal, as_json
from engine.web.table import Body, Entry, asks
from engine.web.timeline import checked_stream
from engine.web.track_routes import TRACK_ENTRIES
from engine.web.uploads import check_pictures, one_upload, read_upload

_MOST_KEY = 128


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "")
    if len(key) > _MOST_KEY or not key.isprintable():
        raise Refusal(
            "bad_request",
            f"Idempotency-Key has more than {_MOST_KEY} characters, or some that cannot be printed",
            "Idempotency-Key",
        )
    return key


def _given(request: Request) -> dict[str, Any]:
    return dict(request.path_params)


async def _ask(
    web: Web, request: Request, asker: Asker, *, verb: type[Verb], answer: type[AnyResult], body: Body, status: int
) -> Response:
    """Send the request's fields to the service, and answer what it answers."""
    fields = await read_object(request)  # also where there are none: one that would be left out is told
    if body == "changes":
        fields = {"changes": fields}
    asked: Any = as_verb(fields, verb, _given(request))
    return as_json(await web.link.ask(asked, answer, asker, _key(request)), status)


async def _status(web: Web, request: Request, asker: Asker) -> Response:
    return as_json(await web.status.get())


async def _stream(web: Web, request: Request, asker: Asker) -> Response:
    name = request.path_params["name"]
    found = await web.link.ask(verbs.ListStreams(), answers.Streams, asker)
    for stream in found.streams:
        if stream.name == name:
            return as_json(stream)
    raise Refusal("not_found", f"there is no stream {name}", "name")


async def _stream_picture(web: Web, request: Request, asker: Asker) -> Response:
    name = checked_stream(request.path_params["name"])
    if not await _shown(web, frozenset({name})):
        raise Refusal("not_found", f"there is no stream {name}", "name")
    return (await web.tap.picture(name)).response("no-store")


async def _shown(web: Web, names: frozenset[str]) -> frozenset[str]:
    """Return the names of streams that are there; all of them where the service cannot say so, and previews still come."""
    try:
        return await web.status.known_of(names)
    except Refusal:
        return names


async def _enrol(web: Web, request: Request, asker: Asker) -> Response:
    async with one_upload(web):
        sent = await read_upload(web, request)
        if isinstance(sent, verbs.Picture):
            force = request.query_params.get("force", "") in ("1", "true")
            asked = verbs.EnrolPerson(name=request.path_params["name"], pictures=[sent], force=force)
        else:
            asked = as_verb(sent, verbs.EnrolPerson, _given(request))
        check_pictures(web, asked.pictures)
        return as_json(await web.link.ask(asked, answers.Enrolled, asker, _key(request)))


async def _search(web: Web, request: Request, asker: Asker) -> Response:
    async with one_upload(web):
        sent = await read_upload(web, request)
        if isinstance(sent, verbs.Picture):
            most = request.query_params.get("most", "20")
            if not (most.isascii() and most.isdigit() and 1 <= int(most[:6]) <= verbs.MOST_FOUND):
                raise Refusal("bad_request", f"most: give 1 to {verbs.MOST_FOUND}", "most")
            asked = verbs.SearchPerson(picture=sent, most=int(most))
        else:
            asked = as_verb(sent, verbs.SearchPerson, {})
        check_pictures(web, [asked.picture])
        return as_json(await web.link.ask(asked, answers.Found, asker, _key(request)))


async def _fleet(web: Web, request: Request, asker: Asker) -> Response:
    if web.fleet is None:
        raise Refusal("not_found", "this service is not a node of a fleet: its configuration names no fleet.database")
    return as_json(await web.fleet.get())


async def _events(web: Web, request: Request, asker: Asker) -> Response:
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    client = asked_for(request, asker.name)
    shown = client.streams
    if "preview" not in client.kinds:
        shown = frozenset()
    elif shown is not None:
        shown = await _shown(web, shown)
    return EventStream(client, web.fan, web.tap, request, lambda: web.auth.still(request, asker), shown)


class TokenShown(msgspec.Struct, forbid_unknown_fields=True):
    """What a login sends."""

    token: str


class Known(msgspec.Struct, kw_only=True):
    """Who is logged in."""

    name: str
    roles: tuple[verbs.Role, ...]
    csrf: str = ""
    """To send as ``X-CSRF-Token``; empty where no cookie is used."""
    fleet: bool = False
    """Whether the service is a node of a fleet."""


async def _who(web: Web, request: Request, asker: Asker) -> Response:
    csrf = asker.session.csrf if asker.session else ""
    return as_json(Known(name=asker.name, roles=asker.roles, csrf=csrf, fleet=web.fleet is not None))


async def _log_out(web: Web, request: Request, asker: Asker) -> Response:
    web.auth.log_out(request)
    response = Response(status_code=204)
    web.auth.take_cookie(response)
    return response


async def log_in(web: Web, request: Request) -> Response:
    """Begin a session with a token."""
    sent = await read_object(request, 4096)
    try:
        token = msgspec.convert(sent, TokenShown).token
    except msgspec.ValidationError as error:
        raise Refusal("bad_request", 'token: send {"token": "…"}', "token") from error
    secret, session = web.auth.log_in(request, token)
    known = Known(name=session.name, roles=session.roles, csrf=session.csrf, fleet=web.fleet is not None)
    response = as_json(known)
    web.auth.give_cookie(response, secret)
    return response


def _verb(method: str, path: str, verb: type[Verb], answer: type[AnyResult], *, body: Body = "", status: int = 200) -> Entry:
    ask = functools.partial(_ask, verb=verb, answer=answer, body=body, status=status)
    summary = (verb.__doc__ or "").split(":")[0].strip() + "."
    return Entry(method, path, summary, ask, asks(verb), verb, answer, status, body)


ENTRIES: tuple[Entry, ...] = (
    Entry("GET", "/status", "How the service stands.", _status, "view", verbs.GetStatus, answers.Status),
    _verb("GET", "/streams", verbs.ListStreams, answers.Streams),
    _verb("POST", "/streams", verbs.AddStream, answers.Stream, body="fields", status=201),
    Entry("GET", "/streams/{name}", "One camera.", _stream, "view", verbs.ListStreams, answers.Stream),
    _verb("PATCH", "/streams/{name}", verbs.ChangeStream, answers.Stream, body="changes"),
    _verb("DELETE", "/streams/{name}", verbs.RemoveStream, answers.Done),
    _verb("POST", "/streams/{name}/pause", verbs.PauseStream, answers.Stream),
    _verb("POST", "/streams/{name}/resume", verbs.ResumeStream, answers.Stream),
    Entry(
        "GET", "/streams/{name}/picture", "Its newest picture.", _stream_picture, "view", query=("of",),
        media_type="image/jpeg",
    ),
    _verb("POST", "/probe", verbs.Probe, Probed, body="fields"),
    _verb("GET", "/people", verbs.ListPeople, answers.People),
    _verb("GET", "/quarantine", verbs.ListQuarantine, answers.Quarantine),
    _verb("POST", "/quarantine/{picture}/release", verbs.ReleasePicture, answers.Done, body="fields"),
    _verb("POST", "/quarantine/{picture}/drop", verbs.DropPicture, answers.Done, body="fields"),
    _verb("POST", "/people/{name:path}/rename", verbs.RenamePerson, answers.Done, body="fields"),
    Entry(
        "POST", "/people/{name:path}", "Add pictures of a person to the gallery.", _enrol, "enrol", verbs.EnrolPerson,
        answers.Enrolled, body="picture", query=("file", "force"),
    ),
    _verb("DELETE", "/people/{name:path}", verbs.RemovePerson, answers.Done),
    Entry(
        "POST", "/search", "Who is in a picture.", _search, "enrol", verbs.SearchPerson, answers.Found, body="picture",
        query=("file", "most"),
    ),
    _verb("POST", "/tracks/{run_id}/{stream}/{track_id:number}/wrong", verbs.NotThatPerson, answers.Done, body="fields"),
    *TRACK_ENTRIES,
    _verb("GET", "/settings", verbs.GetSettings, answers.Settings),
    _verb("PATCH", "/settings", verbs.ChangeSettings, answers.Settings, body="changes"),
    _verb("POST", "/drain", verbs.Drain, answers.Done),
    _verb("PUT", "/log-level", verbs.SetLogLevel, answers.Done, body="fields"),
    Entry("GET", "/fleet", "All nodes and cameras of the fleet.", _fleet, "view", answer=FleetSeen),
    Entry(
        "GET", "/events", "What happens, as Server-Sent Events.", _events, "view", query=("kinds", "streams"),
        media_type="text/event-stream",
    ),
    Entry("GET", "/session", "Who is logged in.", _who, None, answer=Known),
    Entry("DELETE", "/session", "Log out.", _log_out, None, status=204),
)  # fmt: skip
"""Besides ``POST /session``, which is for those whom nobody knows yet, and ``GET /openapi.json``."""

__all__ = ["ENTRIES", "Known", "TokenShown", "log_in"]

"""The application: who asks, whether that one may, and what is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from engine.web.console_files import ConsoleFiles
from engine.web.context import Web
from engine.web.door import Door
from engine.web.health import live, ready
from engine.web.metrics import metrics
from engine.web.openapi import document
from engine.web.paths import API
from engine.web.problems import STATUS, Refusal, as_json
from engine.web.routes import ENTRIES, log_in
from engine.web.table import Entry

Endpoint = Callable[[Request], Awaitable[Response]]
_CODES = {status: code for code, status in reversed(STATUS.items())}


def build_app(web: Web, console: ConsoleFiles | None = None) -> ASGIApp:
    """Return the application.

    Args:
        web: what its handlers share.
        console: the files of the page; None: those that are installed.
    """
    files = console or ConsoleFiles()

    async def page(request: Request) -> Response:
        return files.answer(request.path_params.get("name", "index.html"), request)

    async def login_link(request: Request) -> Response:
        secret = web.auth.log_in_by_link(request, request.path_params["secret"])
        response = RedirectResponse("/", 303)
        web.auth.give_cookie(response, secret)
        return response

    async def schema(request: Request) -> Response:
        web.auth.asker(request)
        return as_json(document())

    routes = [Route(API + entry.path, _guarded(web, entry), methods=[entry.method]) for entry in ENTRIES]
    routes += [
        Route(f"{API}/session", _answering(web, lambda request: log_in(web, request)), methods=["POST"]),
        Route(f"{API}/openapi.json", _answering(web, schema)),
        Route("/", _answering(web, page)),
        Route("/console/{name}", _answering(web, page)),
        Route("/login/{secret}", _answering(web, login_link), methods=["GET"]),
        Route("/live", _answering(web, lambda request: live(web, request))),
        Route("/ready", _answering(web, lambda request: ready(web, request))),
        Route("/metrics", _answering(web, lambda request: metrics(web, request))),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _no_route})
    app.router.redirect_slashes = False
    names = {name.lower() for name in web.settings.http.hosts}
    return Door(app, names, secure=bool(web.settings.http.tls_certificate))


def _guarded(web: Web, entry: Entry) -> Endpoint:
    async def answer(request: Request) -> Response:
        asker = web.auth.asker(request)
        if entry.role is not None and entry.role not in asker.roles:
            raise Refusal("forbidden", f"{asker.name} may not do this: it needs the role {entry.role}")
        if unknown := sorted(set(request.query_params) - set(entry.query)):
            allowed = f"use some of {', '.join(entry.query)}" if entry.query else "there are none here"
            raise Refusal("bad_request", f"{unknown[0]}: unknown parameter after the ?; {allowed}", unknown[0])
        return await entry.handler(web, request, asker)

    return _answering(web, answer)


def _answering(web: Web, answer: Endpoint) -> Endpoint:
    """Return an endpoint whose errors are answers; nothing of an unexpected one is shown."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except Refusal as refusal:
            return refusal.response()
        except Exception as error:
            web.report.say(f"error {type(error).__name__}", f"{request.method} {_route_of(request)} failed: {error!r}")
            return Refusal("failed", "this could not be done; the log of the service says why").response()

    return endpoint


def _route_of(request: Request) -> str:
    """Return the pattern that fits, not the path itself: there may be a secret in that."""
    return str(getattr(request.scope.get("route"), "path", "?"))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers, path = dict(error.headers or {}), request.url.path
    what = "there is nothing here"
    if methods := _methods_of(request, path):
        what, headers["Allow"] = f"{request.method} is not possible here", ", ".join(methods)
    elif path.endswith("/") and _methods_of(request, path.rstrip("/")):
        what += ": leave the / at the end out"
    code = _CODES.get(error.status_code, "bad_request")
    return Refusal(code, what, status=error.status_code, headers=headers).response()


def _methods_of(request: Request, path: str) -> list[str]:
    """Return what is possible at a path: each method has a route of its own."""
    scope = {**request.scope, "path": path}
    routes = [one for one in request.app.routes if isinstance(one, Route) and one.matches(scope)[0] != Match.NONE]
    return sorted({method for route in routes for method in route.methods or ()})

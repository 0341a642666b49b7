"""The fake service behind the addresses of the real one, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

import engine.web
from engine.config import SourceConfig
from engine.control import answers
from tests.patience import PATIENCE_SECONDS
from tests.web.console.fake_service import FakeService

CONSOLE = Path(engine.web.__file__).parent / "console"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
TOKENS: dict[str, tuple[str, ...]] = {"all": ("view", "operate", "enrol"), "look": ("view",)}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
_API = "/api/v1"
_STATUS_SECONDS = 1.0
"""After so long without an event the status is told, as the real server does each second."""


class FakeServer:
    """Runs in a thread until it is closed; ``service`` may be used from any thread."""

    def __init__(self) -> None:
        self.service = FakeService(self._tell)
        self.requests: list[tuple[str, str]] = []
        self.tells_status = True
        """False: as a server that hangs; connections stay, and nothing comes."""
        self._clients: set[tuple[asyncio.Queue[bytes], frozenset[str]]] = set()
        self._sessions: dict[str, str] = {}
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # its end closes what pages have left open
        self._loop = self._runner.get_loop()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self._app(), log_level="critical", timeout_graceful_shutdown=0, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(PATIENCE_SECONDS)
        self._socket.close()

    def forget_sessions(self) -> None:
        self._sessions.clear()

    def _run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError), self._runner:
            self._runner.run(self._server.serve(sockets=[self._socket]))

    def _tell(self, kind: str, value: Any) -> None:
        text = b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(value))
        stream = value.get("stream", "") if isinstance(value, dict) else ""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._hand_out, kind, stream, text)

    def _hand_out(self, kind: str, stream: str, text: bytes) -> None:
        for queue, wanted in self._clients:
            if kind in wanted and (kind != "preview" or f"of:{stream}" in wanted):
                with contextlib.suppress(asyncio.QueueFull):
                    queue.put_nowait(text)

    def _app(self) -> Starlette:
        routes = [Route("/", self._page), Route("/console/{name}", self._page)]
        routes.append(Route(f"{_API}/session", self._session, methods=["GET", "POST", "DELETE"]))
        routes.append(Route(f"{_API}/events", self._events))
        routes.append(Route(f"{_API}/{{rest:path}}", self._api, methods=["GET", "POST", "PATCH", "PUT", "DELETE"]))
        return Starlette(routes=routes)

    async def _page(self, request: Request) -> Response:
        path = CONSOLE / request.path_params.get("name", "index.html")
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        return Response(path.read_bytes(), headers=headers, media_type=_TYPES[path.suffix])

    async def _session(self, request: Request) -> Response:
        cookie = request.cookies.get("session", "")
        if request.method == "POST":
            token = msgspec.json.decode(await request.body())["token"]
            if token not in TOKENS:
                return _problem("unauthorised", "This token is not known.", 401)
            cookie = f"cookie-{token}-{len(self._sessions)}"
            self._sessions[cookie] = token
        if request.method == "DELETE":
            self._sessions.pop(cookie, None)
            return Response(status_code=204)
        if cookie not in self._sessions:
            return _problem("unauthorised", "Sign in.", 401)
        token = self._sessions[cookie]
        answer = _json(
            {"name": token, "roles": TOKENS[token], "csrf": f"csrf-{cookie}", "fleet": self.service.fleet is not None}
        )
        answer.set_cookie("session", cookie, httponly=True, samesite="strict")
        return answer

    async def _events(self, request: Request) -> Response:
        if request.cookies.get("session", "") not in self._sessions:
            return _problem("unauthorised", "Sign in.", 401)
        wanted = {*request.query_params.get("kinds", "").split(",")}
        wanted |= {f"of:{name}" for name in request.query_params.get("streams", "").split(",")}
        client = (asyncio.Queue[bytes](5000), frozenset(wanted))
        self._clients.add(client)

        async def told() -> AsyncIterator[bytes]:
            try:
                yield b"retry: 200\n\n"
                while True:
                    if "status" in wanted and self.tells_status:
                        yield b"event: status\ndata: %b\n\n" % msgspec.json.encode(self.service.status())
                    with contextlib.suppress(TimeoutError):
                        while True:
                            yield await asyncio.wait_for(client[0].get(), _STATUS_SECONDS)
            finally:
                self._clients.discard(client)

        return StreamingResponse(told(), media_type="text/event-stream")

    async def _api(self, request: Request) -> Response:
        cookie = request.cookies.get("session", "")
        if cookie not in self._sessions:
            return _problem("unauthorised", "Sign in.", 401)
        if request.method != "GET" and request.headers.get("x-csrf-token") != f"csrf-{cookie}":
            return _problem("forbidden", "The CSRF token is missing.", 403)
        path = request.path_params["rest"].split("/")
        self.requests.append((request.method, request.path_params["rest"]))
        body = await request.body()
        if path[0] == "pictures" and path[1] in self.service.pictures:
            return Response(self.service.pictures[path[1]], media_type="image/jpeg")
        try:
            return _json(_answer(self.service, request, path, body))
        except KeyError as error:
            return _problem("not_found", f"There is no {error.args[0]}.", 404)
        except FileExistsError as error:
            return _problem("conflict", str(error), 409)
        except ValueError as error:
            return _problem("refused", str(error), 422)


def _answer(service: FakeService, request: Request, path: list[str], body: bytes) -> Any:
    sent = msgspec.json.decode(body) if request.headers.get("content-type") == "application/json" else None
    match request.method, path:
        case "GET", ["status"]:
            return service.status()
        case "GET", ["fleet"]:
            return service.fleet
        case "GET", ["settings"]:
            return answers.Settings(values=service.settings)
        case "PATCH", ["settings"]:
            service.settings |= sent
            return answers.Settings(values=service.settings)
        case "POST", ["probe"]:
            return service.probe(msgspec.convert(sent["source"], SourceConfig))
        case _, ["streams", *rest]:
            return _streams(service, request.method, rest, sent)
        case _, ["people", *rest]:
            return _people(service, request, rest, sent, body)
        case "GET", ["quarantine"]:
            return answers.Quarantine(pictures=service.apart)
        case "POST", ["quarantine", picture, what]:
            service.decide(picture, what, sent["name"])
            return answers.Done()
        case _, ["tracks", *rest]:
            return _tracks(service, request, rest, sent)
        case "POST", ["search"]:
            people = [answers.Match(cosine=0.91 - 0.1 * index, identity=name) for index, name in enumerate(service.people)]
            tracks = [answers.Match(cosine=0.88, run_id=one["run_id"], stream=one["stream"], track_id=one["track_id"])
                      for one in service.tracks[:5]]  # fmt: skip
            return answers.Found(people=people, tracks=tracks)
        case "PUT", ["log-level"]:
            return answers.Done()
        case "POST", ["drain"]:
            service.state = "stopping"
            return answers.Done()
    raise KeyError("/".join(path))


def _streams(service: FakeService, method: str, rest: list[str], sent: Any) -> Any:
    match method, rest:
        case "POST", []:
            source = msgspec.convert(sent["source"], SourceConfig)
            name = source.name or "camera"
            if name in service.streams:
                raise ValueError(f"There is a stream {name} already.")
            return service.add_stream(name, "connecting", source=source)
        case "PATCH", [name]:
            stream = service.streams[name]
            return service.change(name, source=msgspec.structs.replace(stream.source, **sent))
        case "DELETE", [name]:
            del service.streams[name]
            return answers.Done()
        case "POST", [name, "pause" | "resume" as what]:
            return service.change(name, paused=what == "pause", state="paused" if what == "pause" else "live")
    raise KeyError("address")


def _people(service: FakeService, request: Request, rest: list[str], sent: Any, body: bytes) -> Any:
    match request.method, rest:
        case "GET", []:
            return answers.People(people=sorted(service.people.values(), key=lambda one: one.name), gallery="gallery.sqlite")
        case "POST", [name]:
            force = "force" in request.query_params
            return service.enrol(name, request.query_params.get("file", ""), body, force)
        case "POST", [name, "rename"]:
            new = sent["new_name"]
            if new in service.people and not sent.get("join"):
                raise FileExistsError(f"{new} is in the gallery already.")
            was, there = service.people.pop(name), service.people.get(new)
            service.people[new] = msgspec.structs.replace(
                was, name=new, pictures=was.pictures + (there.pictures if there else 0)
            )
            return answers.Done()
        case "DELETE", [name]:
            del service.people[name]
            return answers.Done()
    raise KeyError("address")


def _tracks(service: FakeService, request: Request, rest: list[str], sent: Any) -> Any:
    match request.method, rest:
        case "GET", []:
            query = request.query_params
            found = [one for one in service.tracks if _fits(one, query)]
            first, limit = int(query.get("cursor") or 0), int(query.get("limit", "50"))
            cursor = str(first + limit) if first + limit < len(found) else ""
            return {"tracks": found[first : first + limit], "cursor": cursor}
        case "POST", [_, stream, track, "wrong"]:
            service.wrong.append((stream, int(track), sent["name"]))
            before = service.people[sent["name"]]
            service.people[before.name] = msgspec.structs.replace(before, wrong_names=before.wrong_names + 1)
            return answers.Done()
        case "GET", [_, stream, track]:
            for one in service.tracks:
                if (one["stream"], str(one["track_id"])) == (stream, track):
                    return one | {"all": [one["best"]] * one["faces"]}
    raise KeyError("track")


def _fits(track: dict[str, Any], query: Any) -> bool:
    known = track["candidates"][0]["identity"] if track["decision"] == "known" else ""
    return (
        query.get("stream", track["stream"]) == track["stream"]
        and query.get("person", known) == known
        and query.get("decision", track["decision"]) == track["decision"]
        and int(query.get("from", "0")) <= track["last_ns"]
    )


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def _problem(code: answers.ErrorCode, message: str, status: int) -> Response:
    return _json({"error": answers.Problem(code=code, message=message)}, status)

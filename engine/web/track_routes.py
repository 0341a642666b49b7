"""Addresses of the time line, and of pictures: the newest from memory, all others from the run directories."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast, get_args

from starlette.requests import Request
from starlette.responses import Response

from engine.contracts.messages import PictureName
from engine.web.auth import Asker
from engine.web.context import Web
from engine.web.pictures import FOR_EVER
from engine.web.problems import Refusal, as_json
from engine.web.table import Entry
from engine.web.timeline import checked_stream
from engine.web.track_faces import show_track
from engine.web.track_values import Page, Query, TrackShown

_PICTURE = re.compile(rf"([^~/]+)~([^~/]+)~([0-9]{{1,18}})~([0-9]{{1,18}})~({'|'.join(get_args(PictureName))})")
_MOST_LIMIT, _MOST_NAME = 500, 256
_OF_OTHER_UNITS = range(10**9, 10**17)
"""Moments of this century in seconds, milliseconds or microseconds; taken for nanoseconds no track would fit."""
_DECISIONS = ("", "known", "unknown", "undecided", "none")
Value = TypeVar("Value")


async def _tracks(web: Web, request: Request, asker: Asker) -> Response:
    query = _query(request)
    return as_json(await _read(web, lambda: web.timeline.page(query)))


async def _track(web: Web, request: Request, asker: Asker) -> Response:
    run, stream, track_id = (request.path_params[name] for name in ("run_id", "stream", "track_id"))
    return as_json(await _read(web, lambda: show_track(web.timeline, run, stream, track_id)))


async def _picture(web: Web, request: Request, asker: Asker) -> Response:
    name = request.path_params["id"]
    if (kept := web.tap.pictures.find(name)) is not None:
        return kept.response(FOR_EVER)
    if (parts := _PICTURE.fullmatch(name)) is None:
        raise Refusal("not_found", "there is no such picture", "id")
    run, stream, track_id, seq, which = parts.groups()
    found = await asyncio.to_thread(web.timeline.picture, run, stream, int(track_id), int(seq), cast("PictureName", which))
    return found.response(FOR_EVER)


async def _read(web: Web, read: Callable[[], Value]) -> Value:
    """Read files in a thread, one reader at a time."""
    async with web.reading:
        return await asyncio.to_thread(read)


def _query(request: Request) -> Query:
    known: dict[str, Any] = {
        "since_ns": _moment(request, "from"),
        "until_ns": _moment(request, "to"),
        "limit": _number(request, "limit", 50, _MOST_LIMIT) or 1,
        "decision": request.query_params.get("decision", ""),
        "person": request.query_params.get("person", "")[:_MOST_NAME],
        "cursor": request.query_params.get("cursor", "")[:_MOST_NAME],
    }
    if known["decision"] not in _DECISIONS:
        raise Refusal("bad_request", f"decision: use one of {', '.join(_DECISIONS[1:])}", "decision")
    stream = request.query_params.get("stream", "")
    return Query(**known, stream=checked_stream(stream) if stream else "")


def _moment(request: Request, name: str) -> int:
    wanted = "the Unix time in nanoseconds, which has 19 digits"
    moment = _number(request, name, 0, 2**63, wanted)
    if moment in _OF_OTHER_UNITS:
        raise Refusal("bad_request", f"{name}: {moment} would be in the 1970s: give {wanted}", name)
    return moment


def _number(request: Request, name: str, default: int, most: int, wanted: str = "") -> int:
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
        raise Refusal("bad_request", f"{name}: give {wanted or f'a whole number of at most {most}'}", name)
    return int(text)


TRACK_ENTRIES: tuple[Entry, ...] = (
    Entry(
        "GET", "/tracks", "Tracks of the last days, the newest first.", _tracks, "view", answer=Page,
        query=("from", "to", "stream", "person", "decision", "cursor", "limit"),
    ),
    Entry("GET", "/tracks/{run_id}/{stream}/{track_id:number}", "One track with its faces.", _track, "view", answer=TrackShown),
    Entry("GET", "/pictures/{id}", "A picture of a face or a track.", _picture, "view", media_type="image/jpeg"),
)  # fmt: skip

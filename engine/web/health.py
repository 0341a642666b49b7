"""Whether the process lives, and whether faces would be found now."""

from __future__ import annotations

import contextlib

from starlette.requests import Request
from starlette.responses import Response

from engine.web.context import Web
from engine.web.problems import Refusal, as_json


async def live(web: Web, request: Request) -> Response:
    """Answer: whoever gets an answer knows that this process lives."""
    return as_json({"live": True})


async def ready(web: Web, request: Request) -> Response:
    """Answer 200 where a known face was detected, enhanced and verified, else 503; the reason is told in full only to those who
    may look, as it can name files."""
    try:
        status = await web.status.get()
    except Refusal:
        return as_json({"ready": False, "reason": "the service does not answer"}, 503)
    if status.ready and status.state == "running":
        return as_json({"ready": True, "reason": ""})
    reason = {"starting": "starting", "stopping": "being stopped"}.get(status.state, "not ready")
    with contextlib.suppress(Refusal):
        reason = (status.ready_detail if "view" in web.auth.asker(request).roles else "") or reason
    return as_json({"ready": False, "reason": reason}, 503)

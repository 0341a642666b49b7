"""Liveness of the process, and readiness: whether faces would be found now."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import Response

from engine.web.context import Web
from engine.web.problems import Refusal, as_json

HANGS_SECONDS = 60.0
"""A run that has said nothing for so long does not go on; the service manager is patient for as long."""
_ASK_SECONDS = 2.0
"""A probe waits for few seconds, and a service that begins has other things to do."""


async def live(web: Web, request: Request) -> Response:
    """Answer 200 while this process lives, and 503 where the run hangs: whoever looks should start the service anew."""
    with contextlib.suppress(Refusal, TimeoutError):
        async with asyncio.timeout(_ASK_SECONDS):
            silent = (await web.status.get()).silent_seconds
            if silent >= HANGS_SECONDS:
                return as_json({"live": False, "reason": f"the run has said nothing for {silent:.0f} s"}, 503)
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

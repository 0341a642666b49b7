"""For Prometheus."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from engine.web.context import Web


async def metrics(web: Web, request: Request) -> Response:
    web.auth.asker(request)
    return Response("")

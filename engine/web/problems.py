"""Refusals and errors as HTTP responses."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from engine.control.answers import ErrorCode, Problem

STATUS: dict[ErrorCode, int] = {
    "bad_request": 400,
    "unauthorised": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "refused": 422,
    "too_large": 413,
    "busy": 503,
    "deadline": 504,
    "stopping": 503,
    "failed": 500,
}


class Refusal(Exception):
    """A request ends here.

    Args:
        code: why; it gives the status.
        message: one sentence: what, where, and what to do.
        field: of the request that is wrong.
        status: another one than that of the code, as 405 or 429.
        headers: to send with it.
    """

    def __init__(
        self, code: ErrorCode, message: str, field: str = "", *, status: int = 0, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, field=field)
        self.status = status or STATUS[code]
        self.headers = headers or {}

    def response(self) -> Response:
        """Return it as it is sent."""
        return as_json({"error": self.problem}, self.status, self.headers)


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value that msgspec can encode as the answer."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")

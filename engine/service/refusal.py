"""Why something that was asked is not done, raised where that is found out."""

from __future__ import annotations

from engine.control.answers import ErrorCode, Problem


class Refusal(Exception):
    """Carries the ``Problem`` that is answered."""

    def __init__(self, code: ErrorCode, message: str, field: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, field=field)

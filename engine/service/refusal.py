"""Why something that was asked is not done, raised where that is found out."""

from __future__ import annotations

from engine.control.answers import ErrorCode, Problem
from engine.verify.person_name import spelling


class Refusal(Exception):
    """Carries the ``Problem`` that is answered."""

    def __init__(self, code: ErrorCode, message: str, field: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, field=field)


def nobody(name: str) -> Refusal:
    """Return what is raised where nobody has this name."""
    return Refusal("not_found", f"nobody in the gallery is called {spelling(name)[:80]!r}", "name")

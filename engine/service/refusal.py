"""Why something that was asked is not done, raised where that is found out."""

from __future__ import annotations

import re

from engine.control.answers import ErrorCode, Problem
from engine.verify.gallery.person_name import spelling


class Refusal(Exception):
    """Carries the ``Problem`` that is answered."""

    def __init__(self, code: ErrorCode, message: str, field: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, field=field)


def in_service_words(sentence: str) -> str:
    """Return a sentence of the gallery or of a camera with what asks a service in place of commands and options of a run."""
    sentence = sentence.replace(" in the URL, or in a file with `credentials` (--credentials)", "")
    return re.sub(r"`facestream gallery (quarantine|release|drop)\b", r"`facestream ctl people \1", sentence)


def nobody(name: str) -> Refusal:
    """Return what is raised where nobody has this name."""
    return Refusal("not_found", f"nobody in the gallery is called {spelling(name)[:80]!r}", "name")

"""Every address that is answered, in one table: the application and the OpenAPI document are both made of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from engine.control.verbs import ROLE_OF, Role, Verb
from engine.web.auth import Asker
from engine.web.context import Web

Body = Literal["", "fields", "changes", "picture"]
Handler = Callable[[Web, Request, Asker], Awaitable[Response]]
_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


class _Number(Convertor[int]):
    """As many digits as a number of 64 bits has: more would be an error of Python's, not ours."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("number", _Number())


@dataclass(frozen=True)
class Entry:
    """One method of one path."""

    method: str
    path: str
    """Below ``paths.API``, with Starlette's convertors."""
    summary: str
    handler: Handler
    role: Role | None
    """That the asker needs; None: any."""
    verb: type[Verb] | None = None
    """What the service is asked."""
    answer: Any = None
    """Type of the JSON that is answered; None: nothing, or no JSON."""
    status: int = 200
    body: Body = ""
    """``fields``: those of the verb that the path does not give; ``changes``: those that change; ``picture``: a file of a
    picture, or the fields as JSON."""
    query: tuple[str, ...] = ()
    media_type: str = "application/json"

    @property
    def parameters(self) -> list[str]:
        """Names in the path."""
        return _PARAMETER.findall(self.path)

    @property
    def plain_path(self) -> str:
        """The path as OpenAPI writes it."""
        return _PARAMETER.sub(r"{\1}", self.path)


def asks(verb: type[Verb]) -> Role:
    """Return the role that a verb needs."""
    return ROLE_OF[verb]

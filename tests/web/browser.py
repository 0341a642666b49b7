"""A browser, as far as cookies go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.web.server import Answer, Server


@dataclass
class Browser:
    """Sends its cookie with everything, as browsers do."""

    web: Server
    cookie: str = ""
    csrf: str = ""

    def log_in(self, token: str, **headers: str) -> Answer:
        answer = self.ask("POST", "/api/v1/session", {"token": token}, **headers)
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
        return answer

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Cookie": self.cookie} if self.cookie else {}
        answer = self.web.ask(method, path, body, token=None, **(sent | headers))
        if given := answer.headers.get("Set-Cookie"):
            self.cookie = given.partition(";")[0]
        return answer

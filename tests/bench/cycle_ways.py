"""The two ways in which a client adds, changes and removes a camera: the control socket, and HTTP."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any, Protocol

from engine.config import SourceConfig
from engine.control.answers import Done, Stream
from engine.control.verbs import AddStream, ChangeStream, RemoveStream
from engine.web.tokens import TokenFolder
from tests.e2e.serving import Serving

CHANGES = {"detect_fps": 3.0}


class Way(Protocol):
    """What a client does."""

    def add(self, name: str, uri: str) -> None: ...
    def change(self, name: str) -> None: ...
    def remove(self, name: str) -> None: ...
    def frames(self, name: str) -> int: ...
    def is_alive(self, name: str) -> bool: ...
    def close(self) -> None: ...


class OverControl:
    """Over the socket of the service's owner."""

    def __init__(self, service: Serving) -> None:
        self._service = service

    def add(self, name: str, uri: str) -> None:
        self._service.client.call(AddStream(source=SourceConfig(uri=uri, name=name)), Stream)

    def change(self, name: str) -> None:
        self._service.client.call(ChangeStream(name=name, changes=CHANGES), Stream)

    def remove(self, name: str) -> None:
        self._service.client.call(RemoveStream(name=name), Done)

    def frames(self, name: str) -> int:
        """Return how many frames the service has decoded of it."""
        return self._service.streams()[name].frames

    def is_alive(self, name: str) -> bool:
        """Whether the service has a process for it."""
        return any(one.alive for one in self._service.status().workers if one.name == f"camera-{name}")

    def close(self) -> None:
        """Leave the client to the service."""


class OverHttp:
    """Over one connection that is kept, with a token.

    Args:
        service: whose web process listens at any port that is free.
    """

    def __init__(self, service: Serving) -> None:
        service.wait(lambda: "console is at" in service.said)
        found = re.search(r"console is at (http://127.0.0.1:(\d+))/", service.said)
        assert found, service.said
        self.url, port = found[1], int(found[2])
        self.token = TokenFolder(service.state / "tokens").add("cycles", ["view", "operate", "enrol"])
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        """Ask, and return the JSON of the answer, which must have this status."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        try:
            self._http.request(method, f"/api/v1/{path}", content, headers)
            answer = self._http.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):  # it was idle for too long
            self._http.close()
            self._http.request(method, f"/api/v1/{path}", content, headers)
            answer = self._http.getresponse()
        said = answer.read()
        assert answer.status == status, (method, path, answer.status, said)
        return json.loads(said) if said else None

    def add(self, name: str, uri: str) -> None:
        self.ask("POST", "streams", {"source": {"uri": uri, "name": name}}, 201)

    def change(self, name: str) -> None:
        self.ask("PATCH", f"streams/{name}", CHANGES)

    def remove(self, name: str) -> None:
        self.ask("DELETE", f"streams/{name}")

    def frames(self, name: str) -> int:
        """Return how many frames the service has decoded of it."""
        return int(self.ask("GET", f"streams/{name}")["frames"])

    def is_alive(self, name: str) -> bool:
        """Whether the service has a process for it."""
        return any(one["alive"] for one in self.ask("GET", "status")["workers"] if one["name"] == f"camera-{name}")

    def close(self) -> None:
        self._http.close()

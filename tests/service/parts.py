"""A service without a run, whose names are found without a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.config import SourceConfig
from engine.control.answers import Reply, Streams
from engine.control.verbs import AddStream, AnyVerb, ListStreams, LogLevel, Request
from engine.service.build import Parts, build
from engine.service.caller import Caller, this_user

ADDRESSES = {
    "camera.example": ["192.0.2.10"],
    "public.example": ["93.184.215.14"],
    "inside.example": ["10.0.0.7"],
    "both.example": ["93.184.215.14", "127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}
FILE = """
serve: {directory: "%s", cameras_in: [public, "192.0.2.0/24", "198.51.100.0/24"], http: ""}
verify: {embedder: none, gallery: "%s/gallery.sqlite"}
"""

SOURCES = """
sources:
  - {uri: "rtsp://10.1.1.1/one", name: one}
  - {uri: "rtsp://10.1.1.1/two", name: two}
"""


class Says:
    """Remembers what a service says."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.levels: list[LogLevel] = []

    def warn(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def set_level(self, level: LogLevel) -> None:
        self.levels.append(level)


def addresses(host: str) -> Sequence[str]:
    """Return what a name server would; an address stands for itself."""
    if host in ADDRESSES:
        return ADDRESSES[host]
    if host.replace(".", "").isdigit() or ":" in host:
        return [host]
    raise OSError("unknown")


@contextmanager
def service_in(folder: Path, says: Says | None = None, sources: str = "") -> Iterator[Parts]:
    """Yield a service whose configuration lies in a folder, without a run."""
    path = folder / "service.yaml"
    path.write_text(FILE % (folder / "state", folder) + sources)
    with ExitStack() as closing:
        yield build(path, says or Says(), closing, addresses)


def ask(parts: Parts, verb: AnyVerb, key: str = "", caller: Caller | None = None, deadline_ns: int = 0) -> Reply:
    """Ask a service without a socket."""
    request = Request(request_id="1", verb=verb, idempotency_key=key, deadline_ns=deadline_ns)
    return parts.service.answer(request, caller or this_user())


def added(name: str, uri: str = "rtsp://192.0.2.10/x", *, paused: bool = False) -> AddStream:
    return AddStream(source=SourceConfig(uri=uri, name=name), paused=paused)


def states(parts: Parts) -> dict[str, str]:
    result = ask(parts, ListStreams()).result
    assert isinstance(result, Streams)
    return {one.name: one.state for one in result.streams}


def code(parts: Parts, verb: AnyVerb, **more: object) -> str:
    problem = ask(parts, verb, **more).problem  # type: ignore[arg-type]
    return problem.code if problem else "done"

"""An observer that stands still: a terminal after Ctrl-S, a log whose reader is paused."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
from rich.console import Console

from engine.cli.run.table import LiveTable
from engine.contracts.streams import StreamChanged
from engine.pipeline import observing
from engine.pipeline.observing import Observing
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus

OFFERS = 2000
PATIENCE_SECONDS = 10.0
END = b"\x04"


class Blocking:
    """An observer that returns only when it may."""

    def __init__(self) -> None:
        self.begun, self.may_return = threading.Event(), threading.Event()
        self.seen: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, status: RunStatus) -> None:
        self.seen.append(status.streams["door"].detail)
        self.threads.add(threading.get_ident())
        self.begun.set()
        self.may_return.wait(PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def _at_every_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "_LOOK_SECONDS", 0.0)


def said(status: RunStatus, detail: str) -> RunStatus:
    status.take_event(StreamChanged("door", "connecting", "network", detail))
    return status


def test_who_offers_never_waits_and_the_newest_value_wins():
    blocking = Blocking()
    watched, status = Observing(blocking), RunStatus({"door": StreamStatus("door")})
    watched.offer(said(status, "first"))
    assert blocking.begun.wait(PATIENCE_SECONDS)
    for number in range(OFFERS):
        watched.offer(said(status, f"attempt {number}"))
    assert blocking.seen == ["first"]
    threading.Timer(0.01, blocking.may_return.set).start()
    watched.close(said(status, "last"))
    assert blocking.seen == ["first", "last"]
    assert blocking.threads.isdisjoint({threading.get_ident()})


def test_the_end_does_not_wait_for_one_that_never_returns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(observing, "_LAST_LOOK_SECONDS", 0.05)
    blocking = Blocking()
    watched, status = Observing(blocking), RunStatus({"door": StreamStatus("door")})
    watched.offer(said(status, "first"))
    assert blocking.begun.wait(PATIENCE_SECONDS)
    watched.close(said(status, "last"))
    assert blocking.seen == ["first"]
    blocking.may_return.set()


def test_what_is_shown_does_not_change_under_its_eyes():
    seen: list[RunStatus] = []
    watched, status = Observing(seen.append), RunStatus({"door": StreamStatus("door")})
    watched.offer(said(status, "first"))
    status.streams["yard"] = StreamStatus("yard")
    said(status, "second")
    watched.close(None)
    assert list(seen[0].streams) == ["door"]
    assert [event.fields["detail"] for event in seen[0].events] == ["first"]


def test_what_it_raises_reaches_the_thread_that_offers():
    def broken(status: RunStatus) -> None:
        raise BrokenPipeError("nobody reads")

    watched = Observing(broken)
    watched.offer(RunStatus())
    with pytest.raises(BrokenPipeError, match="nobody reads"):
        watched.close(None)


def test_a_run_that_never_began_shows_nothing():
    seen: list[RunStatus] = []
    Observing(seen.append).close(None)
    assert seen == []


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal's two ends: ours to read, and the one that a program writes to."""
    ours, theirs = os.openpty()
    yield ours, theirs
    os.close(theirs)
    os.close(ours)


def test_a_terminal_that_nobody_reads_holds_nothing_up(terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    """As after Ctrl-S: the writer of the terminal is blocked by the system; reading on shows how things stand then."""
    monkeypatch.setattr("engine.cli.run.table._REFRESH_SECONDS", 0.0)
    ours, theirs = terminal
    status = RunStatus({f"door-{number}": StreamStatus(f"door-{number}") for number in range(200)})
    with (
        os.fdopen(os.dup(theirs), "w") as file,
        LiveTable(Console(file=file, force_terminal=True, width=100, height=50)) as table,
    ):
        watched = Observing(table.show)
        deadline = time.monotonic() + PATIENCE_SECONDS
        blocked = 0
        while blocked < OFFERS:  # all of them while the terminal takes nothing
            assert time.monotonic() < deadline
            status.overload_level = blocked % 2
            busy = watched._busy
            watched.offer(status)
            blocked = blocked + 1 if busy and watched._busy else 0
        status.take_event(StreamChanged("door-7", "failed", "network", "the last thing that happened"))
        status.ended = time.monotonic()
        reader = Reader(ours)
        watched.close(status)
    os.write(theirs, END)
    reader.join(PATIENCE_SECONDS)
    assert b"failed network" in reader.text


class Reader(threading.Thread):
    """Reads a terminal on, to the mark that ends it."""

    def __init__(self, handle: int) -> None:
        super().__init__(daemon=True)
        self._handle = handle
        self.text = b""
        self.start()

    def run(self) -> None:
        while END not in self.text:
            self.text += os.read(self._handle, 4096)

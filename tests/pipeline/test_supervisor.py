"""What the supervisor does, with real processes that do nothing but beat."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace

import msgspec
import pytest

from engine.config.supervise import SuperviseConfig
from engine.contracts.orders import Begin
from engine.pipeline import observing
from engine.pipeline.status import RunStatus
from engine.pipeline.supervisor import Supervisor
from engine.runtime.channel import ChannelClosed
from engine.runtime.protocol import Drain
from engine.runtime.worker import Worker, WorkerContext, start_worker
from engine.workers.links import LINKS
from engine.workers.policy import policy_of

HUNG_SECONDS = 10.0
"""So long a machine may be busy; a test waits for it where the fault is there that it looks for."""
BEATS = 400
"""More than a pipe holds."""


def chatty_body(context: WorkerContext) -> None:
    """Prints before it is ready, while it works, and as its last word."""
    os.write(2, b"loading\n")
    context.ready()
    assert isinstance(context.control.receive(), Begin)
    os.write(1, b"line\n" * 20_000 + b"last word")


def busy_body(context: WorkerContext) -> None:
    """Work that beats all the time, with a lot to say."""
    context.telemetry.counters.update({f"frames.a-camera-of-a-large-house-{number}": number for number in range(200)})
    context.ready()
    assert isinstance(context.control.receive(), Begin)
    for _ in range(BEATS):
        context._last_beat = 0.0
        context.beat()


class OneWorker:
    """In the place of the crew."""

    cameras: dict[str, object] = {}
    readers: list[str] = []
    computing: list[str] = []
    policy = policy_of(has_camera=False)

    def __init__(self, body: Callable[[WorkerContext], None]) -> None:
        self.workers: dict[str, Worker] = {"publish": start_worker("publish", body, codec=LINKS)}

    def tell(self, name: str, order: msgspec.Struct) -> None:
        if not isinstance(order, Drain):
            with suppress(ChannelClosed):
                self.workers[name].control.send(order)

    def waits_of(self, name: str) -> dict[int, float]:
        return {}

    def let_devices_go(self) -> None:
        pass

    def is_leaving(self, name: str) -> bool:
        return False

    def note_end(self, name: str) -> None:
        pass

    def forget_those_who_left(self) -> list[Worker]:
        return []

    def kill(self, wait_seconds: float) -> None:
        for worker in self.workers.values():
            worker.process.join(wait_seconds)
            worker.process.kill()


@pytest.fixture
def crew(request: pytest.FixtureRequest) -> Iterator[OneWorker]:
    made = OneWorker(request.param)
    yield made
    made.kill(0.0)


@pytest.mark.parametrize("crew", [busy_body], indirect=True)
def test_an_observer_that_stands_still_holds_no_worker_up(crew: OneWorker, monkeypatch: pytest.MonkeyPatch):
    """It used to be called by the thread that reads the beats: workers filled their pipes, stood, and were killed as hung."""
    monkeypatch.setattr(observing, "_LAST_LOOK_SECONDS", 0.05)
    may_return = threading.Event()
    calls: list[RunStatus] = []

    def observer(status: RunStatus) -> None:
        calls.append(status)
        may_return.wait(4 * HUNG_SECONDS)

    config = SuperviseConfig(hung_seconds=HUNG_SECONDS)
    supervisor = Supervisor(crew, [], config, RunStatus(), observer)  # type: ignore[arg-type]
    supervisor.run()
    assert not may_return.is_set()
    assert len(calls) == 1, "the observer has come back"
    assert supervisor.status.restarts == 0
    assert crew.workers["publish"].process.exitcode == 0
    may_return.set()


def test_stats_wait_for_no_publisher(monkeypatch: pytest.MonkeyPatch):
    """One that is blocked by its reader reads no orders for a while; the thread that watches all workers goes on."""
    told: list[object] = []
    full = SimpleNamespace(control=SimpleNamespace(has_room=lambda: False))
    room = SimpleNamespace(control=SimpleNamespace(has_room=lambda: True))
    crew = SimpleNamespace(
        cameras={},
        readers=[],
        workers={"publish": full},
        policy=policy_of(has_camera=False),
        tell=lambda name, order: told.append(order),
        waits_of=lambda name: {},
    )
    supervisor = Supervisor(crew, [], SuperviseConfig(), RunStatus(), lambda status: None)  # type: ignore[arg-type]
    supervisor._send_stats()
    assert told == []
    crew.workers["publish"] = room
    supervisor._send_stats()
    assert len(told) == 1


@pytest.mark.parametrize("crew", [chatty_body], indirect=True)
def test_what_a_worker_prints_is_a_record_of_the_run(crew: OneWorker):
    """Also what it prints without end, which fills no pipe and no memory."""
    supervisor = Supervisor(crew, [], SuperviseConfig(), RunStatus(), lambda status: None)  # type: ignore[arg-type]
    supervisor.run()
    said = [(event.level, event.name, event.fields) for event in supervisor.status.events]
    assert said[0] == ("warning", "worker_output", {"worker": "publish", "detail": "loading"})
    lines = [fields["detail"] for _, _, fields in said[1:]]
    assert lines[:-1] == ["line"] * (len(lines) - 1)
    assert lines[-1] == "(more follows; left out for 10 s)"
    assert crew.workers["publish"].process.exitcode == 0

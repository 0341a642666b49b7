"""A worker is killed between its last word and its last beat: the run ends, whoever has ended before it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from msgspec import Struct

from engine.config import Config, SuperResolveConfig
from engine.config.supervise import SuperviseConfig
from engine.contracts.camera import Camera
from engine.contracts.orders import Begin
from engine.contracts.streams import StreamChanged
from engine.errors import WorkerError
from engine.pipeline import crew
from engine.pipeline.crew import Crew
from engine.pipeline.status import RunStatus
from engine.pipeline.supervisor import Supervisor
from engine.runtime.actor import Actor
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.protocol import Attach, Detach, Drain
from engine.runtime.worker import WorkerContext
from tests.patience import PATIENCE_SECONDS
from tests.pipeline.threads import Killed, start_thread

NAME = "door"


class Passing(Actor[Any]):
    """Reads what comes to its end, and passes that on."""

    is_detached = False

    def work_through(self, downstreams: Mapping[str, Channel]) -> None:
        self.context.ready()
        self.run()
        for channel in downstreams.values():
            with suppress(ChannelClosed):  # nobody reads a successor of one that had said its last word
                channel.send(self.last_word())

    def follow(self, order: Struct) -> None:
        super().follow(order)
        self.is_detached |= isinstance(order, Detach)

    def wait_until_detached(self) -> None:
        while not self.is_detached and self.context.control.has_message(PATIENCE_SECONDS):
            self.hear_supervisor()

    def wait_until_attached(self) -> None:
        while self.context.control.has_message(PATIENCE_SECONDS) and not isinstance(self.context.control.receive(), Attach):
            pass


class House:
    """The bodies of all workers. One is killed when it has said its last word, the first time.

    Args:
        victim: its name.
        waits: until the order ``Detach`` has come, as its neighbour upstream has ended.
        outlived: perceive lives until there is a successor.
    """

    def __init__(self, victim: str, *, waits: bool = False, outlived: bool = False) -> None:
        self._victim, self._waits, self._outlived = victim, waits, outlived

    def camera_body(self, context: WorkerContext, downstream: Channel, *_: object) -> None:
        context.ready()
        assert isinstance(context.control.receive(), Begin)
        context.control.send(StreamChanged(NAME, "failed", "network", "given up"))
        downstream.send(Drain())
        self._end(context.name)

    def perceive_body(
        self,
        context: WorkerContext,
        upstreams: dict[str, Channel],
        readers: object,
        downstreams: dict[str, Channel],
        *_: object,
    ) -> None:
        worker = self._pass(context, upstreams, downstreams)
        if self._outlived:
            worker.wait_until_attached()

    def enhance_body(self, context: WorkerContext, upstream: Channel, downstream: Channel, *_: object) -> None:
        self._pass(context, {"perceive": upstream}, {"publish": downstream})

    def publish_body(self, context: WorkerContext, upstreams: dict[str, Channel], *_: object) -> None:
        self._pass(context, upstreams, {})

    def _pass(self, context: WorkerContext, upstreams: dict[str, Channel], downstreams: dict[str, Channel]) -> Passing:
        worker = Passing(context, upstreams, {}, replaced=True)
        worker.work_through(downstreams)
        if self._waits and context.name == self._victim:
            worker.wait_until_detached()
        self._end(context.name)
        return worker

    def _end(self, name: str) -> None:
        if name == self._victim:
            self._victim = ""
            raise Killed


INCOMPLETE = "was killed by signal SIGKILL: the run is incomplete"


@pytest.mark.parametrize(
    ("house", "sentence"),
    [
        (House(f"camera-{NAME}"), ""),
        (House("perceive", waits=True), f"the worker perceive {INCOMPLETE}"),
        (House("enhance-1", waits=True), f"the worker enhance-1 {INCOMPLETE}"),
        (House("enhance-1", outlived=True), ""),
        (House("publish", waits=True), f"the worker publish {INCOMPLETE}"),
    ],
)
def test_the_run_ends(house: House, sentence: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(crew, "start_worker", start_thread)
    bodies = {role: getattr(house, f"{role}_body") for role in ("camera", "perceive", "enhance", "publish")}
    monkeypatch.setattr(crew, "BODIES", bodies)
    config, status = Config(super_resolve=SuperResolveConfig(workers=1)), RunStatus()
    made = Crew(config, {"run_id": "r"}, [Camera(NAME, "rtsp://x", "rtsp://x")], 0, None)
    supervisor = Supervisor(made, [], SuperviseConfig(), status, lambda status: None, PATIENCE_SECONDS)
    if sentence:
        with pytest.raises(WorkerError, match=sentence):
            supervisor.run()
    else:
        supervisor.run()
    assert not supervisor.was_drained, "it hung"

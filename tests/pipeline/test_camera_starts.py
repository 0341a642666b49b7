"""A camera is added whose worker cannot start: that camera has failed, in a sentence, and the run goes on."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec import Struct

from engine.config import Config, SuperResolveConfig
from engine.config.supervise import SuperviseConfig
from engine.contracts.camera import Camera
from engine.contracts.orders import Warned
from engine.contracts.streams import StreamChanged
from engine.errors import ConfigError
from engine.pipeline import crew
from engine.pipeline.control import RunControl
from engine.pipeline.crew import Crew
from engine.pipeline.status import RunStatus
from engine.pipeline.supervisor import Supervisor
from engine.runtime import frame_pool
from engine.runtime.actor import Actor
from engine.runtime.channel import channel_pair
from engine.runtime.worker import Worker, WorkerContext, start_worker
from engine.workers.frame_writer import FrameWriter
from engine.workers.links import LINKS


class Idle(Actor[Struct]):
    """In the place of any worker: does nothing until it is told to stop, and repeats what publish would send."""

    @property
    def is_done(self) -> bool:
        return self.stopped is not None

    def obey(self, order: Struct) -> None:
        if isinstance(order, StreamChanged):
            self.context.control.send(Warned(order.stream, f"published: {order.state}: {order.detail}"))


def idle_body(context: WorkerContext) -> None:
    context.ready()
    Idle(context, {}, {}, replaced=True).run()


def killed_body(context: WorkerContext) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refused_body(context: WorkerContext) -> None:
    raise ConfigError("sources.options: there is no codec option lowest_res")


def failing_body(context: WorkerContext) -> None:
    raise TypeError("unsupported operand")


def crowded_body(context: WorkerContext) -> None:
    raise OSError(errno.EMFILE, "Too many open files")


def no_memory_files_body(context: WorkerContext) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    frame_pool.os.memfd_create = refuse
    FrameWriter(context, channel_pair(LINKS)[0], 2, live=True)


def camera(name: str) -> Camera:
    return Camera(name, f"rtsp://192.0.2.1/{name}", f"rtsp://192.0.2.1/{name}", silent_by_design=True)


class Starts:
    """In the place of ``start_worker``: all are idle but some of the guests, as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bodies: dict[str, Callable[[WorkerContext], None]] = {
            "camera-killed": killed_body,
            "camera-refused": refused_body,
            "camera-failing": failing_body,
            "camera-crowded": crowded_body,
            "camera-memory": no_memory_files_body,
        }

    def __call__(self, name: str, body: object, *arguments: object, codec: object, forked: Sequence[str]) -> Worker:
        if name == "camera-argument":
            return start_worker(name, idle_body, lambda: None, codec=LINKS, forked=forked)
        if name == "camera-module":
            self.bodies[name] = self._body_of_a_module_that_goes()
        if name == "camera-sockets":
            raise OSError(errno.EMFILE, "Too many open files")
        return start_worker(name, self.bodies.get(name, idle_body), codec=LINKS, forked=forked)

    def _body_of_a_module_that_goes(self) -> Callable[[WorkerContext], None]:
        path = self.folder / "a_module_that_goes.py"
        path.write_text("def body(context): ...\n")
        sys.path.insert(0, str(self.folder))
        module = importlib.import_module("a_module_that_goes")
        sys.path.remove(str(self.folder))
        path.unlink()
        return module.body


SENTENCES = {
    "killed": "the worker camera-killed was killed by signal SIGKILL before it was ready",
    "refused": "sources.options: there is no codec option lowest_res",
    "failing": "the worker camera-failing failed: TypeError: unsupported operand",
    "crowded": "the worker camera-crowded cannot go on: it has ",
    "memory": "cannot create a frame pool: Operation not permitted",
    "argument": "the worker camera-argument cannot be started: ",
    "module": "the worker camera-module ended with exit code 1 before it was ready",
    "sockets": "the worker camera-sockets cannot be started: it has ",
}


class Story:
    def __init__(self, control: RunControl, starts: Starts) -> None:
        self.control, self.starts = control, starts
        self.pids: set[int] = set()
        self._status = RunStatus()
        self._steps = self._tell()

    def __call__(self, status: RunStatus) -> None:
        self._status = status
        self.pids.add(status.workers["camera-stays"].pid)
        next(self._steps, None)

    def _tell(self) -> Iterator[None]:
        for name in SENTENCES:
            self.control.add(camera(name))
        while not all(name in self._status.streams and self._status.streams[name].is_over for name in SENTENCES):
            yield
        while any(worker.alive for name, worker in self._status.workers.items() if name == "camera-killed"):
            yield
        self.starts.bodies.pop("camera-killed")
        self.control.add(camera("killed"))  # and now it can
        while "camera-killed" not in self._status.workers or not self._status.workers["camera-killed"].pid:
            yield
        signal.raise_signal(signal.SIGTERM)


def test_a_camera_that_cannot_start_is_the_only_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    starts = Starts(tmp_path)
    monkeypatch.setattr(crew, "start_worker", starts)
    status, control = RunStatus(), RunControl()
    story = Story(control, starts)
    made = Crew(Config(super_resolve=SuperResolveConfig(workers=1)), {"run_id": "r"}, [camera("stays")], 0, None)
    supervisor = Supervisor(made, [], SuperviseConfig(hung_seconds=120), status, story, 250.0, control)
    supervisor.run()
    assert supervisor.was_drained
    assert status.seconds < 250, "the story was not told to its end"
    failed = [e.fields for e in status.events if e.fields.get("state") == "failed"]
    assert {fields["stream"] for fields in failed} == set(SENTENCES)
    published = {str(e.fields["stream"]): str(e.fields["detail"]) for e in status.events if e.name == "warning"}
    for fields in failed:
        stream, detail = str(fields["stream"]), str(fields["detail"])
        assert detail.startswith(f"the camera cannot be read: {SENTENCES[stream]}")
        assert published[stream] == f"published: failed: {detail}", "subscribers are told, once"
    assert len(failed) == len(SENTENCES)
    died = [e.fields for e in status.events if e.name == "worker_died"]
    assert (len(story.pids), died) == (1, []), "the other one has not noticed"
    assert set(made.cameras) == {"camera-stays", "camera-killed"}

"""Cameras that come and go while a run goes on."""

from __future__ import annotations

import time

from engine.contracts.camera import Camera
from engine.contracts.orders import Settled, Warned
from engine.contracts.streams import StreamChanged
from engine.pipeline.control import RunControl
from engine.pipeline.crew import Crew
from engine.pipeline.lives import Lives
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.pipeline.watchdog import Watchdog

READY_SECONDS = 120.0
"""A worker that has not loaded its models by then is given up."""
LEAVING_SECONDS = 5.0
"""A camera's process that hangs in FFmpeg when it should end is killed after so long; and so long after its end its last word
is waited for."""


class CameraChanges:
    """Brings the crew to the cameras that are asked for, as far as it can be done at the moment.

    Args:
        crew: whose cameras change.
        watchdog: is told of them.
        status: of the run.
        control: what is asked for.
    """

    def __init__(self, crew: Crew, watchdog: Watchdog, status: RunStatus, control: RunControl) -> None:
        self._crew, self._watchdog, self._status, self._control = crew, watchdog, status, control
        self._others = status.streams.keys() - {camera.name for camera in crew.cameras.values()}
        """Streams that are no cameras."""
        self._wanted: dict[str, Camera] = {camera.name: camera for camera in crew.cameras.values()}
        self._leaving: dict[str, tuple[str, float]] = {}
        """Of each worker that was told to go: its stream, and since when."""
        self._lives = Lives(LEAVING_SECONDS)
        for camera in crew.cameras.values():
            self._lives.begin(camera.name)
        self._is_settled = True

    def settle(self) -> None:
        """Do what was asked for since the last call, and what could not be done then."""
        wanted = self._control.changed(self._wanted)
        self._status.gone = self._control.gone - self._others
        for name in wanted.keys() & self._others:
            del wanted[name]
            self._status.events.take_warning(Warned(name, "a recording of this run has this name: give the camera another one"))
        if wanted == self._wanted and self._is_settled:
            self._tell()
            return
        for name in wanted.keys() - self._wanted.keys():
            self._status.streams[name] = StreamStatus(name)
        self._wanted = wanted
        before = self._crew.cameras
        self._crew.change_cameras(list(wanted.values()), self._refuse, self._control.why_ended)
        self._is_settled = self._crew.has_all(list(self._wanted.values()))
        now = self._watchdog.cameras = self._crew.cameras
        for worker in before.keys() - now.keys():
            self._note_leaving(worker, before[worker])
        for worker in now.keys() - before.keys():
            self._watchdog.begin(worker, READY_SECONDS)
            self._lives.begin(now[worker].name)
        self._tell()

    def note(self, settled: Settled) -> None:
        """Publish has passed the last state of a stream, or something before that."""
        if settled.frame_index is None:
            self._lives.said(settled.stream)

    def _tell(self) -> None:
        """Say of which streams there is something to come, or will be, where one that is wanted cannot be started yet."""
        self._control.followed({*self._wanted, *self._lives.unsaid(time.monotonic())})

    def give_up(self, worker: str, sentence: str, *, was_ready: bool) -> None:
        """A camera's worker has died, and another one would die too: so ends this camera, and no other. Of one that had been
        ready perceive says so behind its last face."""
        camera = self._crew.cameras[worker]
        self._crew.let_go(worker)
        self._watchdog.cameras = self._crew.cameras
        self._note_leaving(worker, camera)
        if not was_ready:
            self._lives.said(camera.name)  # nothing is to come, and perceive knows nothing of it
        if self._wanted.get(camera.name) == camera:
            del self._wanted[camera.name]
        self._fail(camera, sentence, is_said=was_ready)

    def _refuse(self, camera: Camera, sentence: str) -> None:
        """A camera's worker cannot be started."""
        del self._wanted[camera.name]
        self._fail(camera, sentence, is_said=False)

    def _fail(self, camera: Camera, sentence: str, *, is_said: bool) -> None:
        event = StreamChanged(camera.name, "failed", "worker_died", f"the camera cannot be read: {sentence}")
        self._status.take_event(event)
        if not is_said:
            self._crew.tell("publish", event)

    def _note_leaving(self, worker: str, camera: Camera) -> None:
        self._watchdog.forget(worker)
        self._leaving[worker] = camera.name, time.monotonic()
        self._lives.leave(camera.name)

    def clear(self) -> list[str]:
        """Let go of the workers that were removed and have ended, and end those that do not; return the names of the former."""
        for name, (_, since) in self._leaving.items():
            if time.monotonic() - since > LEAVING_SECONDS:
                self._crew.workers[name].process.kill()
        gone = self._crew.forget_those_who_left()
        for worker in gone:
            self._watchdog.forget(worker.name)  # it may have become ready after it was told to go
            self._status.events.take_text(worker.name, *worker.text.read())
            self._status.worker_left(worker.name)
            worker.close()
            worker.process.close()
            name, _ = self._leaving.pop(worker.name)
            self._lives.process_ended(name, time.monotonic())
            if name not in self._wanted:
                self._status.forget_worker(worker.name)
            stream = self._status.streams.get(name)
            if stream is not None and not stream.is_over:
                self._status.take_event(StreamChanged(stream.name, "ended", "drained", self._control.why_ended(name)))
        return [worker.name for worker in gone]

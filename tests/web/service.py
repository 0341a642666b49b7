"""A service that is none: a ROUTER that answers as it is told, and the two sockets of a run."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import zmq

from engine.config import SourceConfig
from engine.contracts.findings import Quality
from engine.contracts.http import HttpSettings
from engine.contracts.messages import AnyMessage, Face, Part, encode_header, topic_of
from engine.contracts.probed import Probed
from engine.contracts.tap import Preview, PreviewBox, encode_preview, preview_topic
from engine.control import answers, verbs
from engine.control.answers import AnyResult, Problem, Reply, encode_reply
from engine.control.verbs import Request, decode_request
from engine.web.settings import WebSettings
from tests.patience import PATIENCE_SECONDS

JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
Answer = Callable[[Request], "AnyResult | Problem | None"]


def door(**known: object) -> answers.Stream:
    return answers.Stream(name="door", source=SourceConfig(uri="rtsp://192.0.2.1/s"), **known)  # type: ignore[arg-type]


def usual_answer(request: Request) -> AnyResult | Problem | None:
    """What a service would say, about."""
    match request.verb:
        case verbs.GetStatus():
            return answers.Status(
                version="1", state="running", ready=True, run_id="20260301T120000Z-00000001", streams=[door()]
            )
        case verbs.ListStreams():
            return answers.Streams(streams=[door()])
        case verbs.AddStream(source=source, paused=paused):
            return answers.Stream(name=source.name or "made", source=source, paused=paused)
        case verbs.ChangeStream(name="door") | verbs.PauseStream(name="door") | verbs.ResumeStream(name="door"):
            return door()
        case (
            verbs.ChangeStream(name=name)
            | verbs.PauseStream(name=name)
            | verbs.ResumeStream(name=name)
            | verbs.RemoveStream(name=name)
        ) if name != "door":
            return Problem(code="not_found", message=f"there is no stream {name}", field="name")
        case verbs.Probe():
            return Probed(shown="rtsp://192.0.2.1/s", picture=JPEG)
        case verbs.EnrolPerson(name=name, pictures=pictures):
            return answers.Enrolled(
                name=name, pictures=[answers.PictureVerdict(name=picture.name, outcome="enrolled") for picture in pictures]
            )
        case verbs.ListPeople():
            return answers.People(people=[answers.Person(name="Ada", pictures=2)])
        case verbs.ListQuarantine():
            return answers.Quarantine(pictures=[])
        case verbs.SearchPerson():
            return answers.Found(reason="no face")
        case verbs.GetSettings() | verbs.ChangeSettings():
            return answers.Settings(values={"live.detect_fps": 4.0})
        case _:
            return answers.Done()


class FakeService:
    """Answers in a thread of its own until it is closed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fs-web-"))
        self.asked: list[Request] = []
        self.answer: Answer = usual_answer
        self._context = zmq.Context()
        self._router = self._context.socket(zmq.ROUTER)
        self._router.bind(f"ipc://{self.folder}/web.sock")
        self._stop = self._context.socket(zmq.PAIR)
        self._stop.bind("inproc://stop")
        self._messages = self._bound("tap.sock")
        self._previews = self._bound("preview.sock")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def settings(self, **http: object) -> WebSettings:
        return WebSettings(
            control=f"ipc://{self.folder}/web.sock",
            tap=f"ipc://{self.folder}/tap.sock",
            previews=f"ipc://{self.folder}/preview.sock",
            directory=str(self.folder),
            http=HttpSettings(**({"address": "127.0.0.1:0", "upload_bytes": 100_000} | http)),  # type: ignore[arg-type]
        )

    def wait_for_listener(self, count: int = 1) -> None:
        """Return once the web process has subscribed to the messages."""
        for _ in range(count):
            assert self._messages.poll(1000 * PATIENCE_SECONDS)
            self._messages.recv()

    def wait_for_watcher(self) -> bytes:
        """Return what is subscribed to, or no longer, at the previews."""
        assert self._previews.poll(1000 * PATIENCE_SECONDS)
        return self._previews.recv()

    def publish(self, message: AnyMessage, *payloads: bytes) -> None:
        self._messages.send_multipart([topic_of(message).encode(), encode_header(message), *payloads])

    def publish_raw(self, *frames: bytes) -> None:
        self._messages.send_multipart(frames)

    def preview(self, stream: str = "door", content: bytes = JPEG, run_id: str = "20260301T120000Z-00000001") -> None:
        shown = Preview(stream, 1, 5, 640, 480, [PreviewBox(7, 1.0, 2.0, 3.0, 4.0, 0.9, True)], run_id)
        self._previews.send_multipart([preview_topic(stream).encode(), encode_preview(shown), content])

    def close(self) -> None:
        with self._context.socket(zmq.PAIR) as stopper:
            stopper.connect("inproc://stop")
            stopper.send(b"")
            self._thread.join(PATIENCE_SECONDS)
        for socket in (self._messages, self._previews, self._stop, self._router):
            socket.close(linger=0)
        self._context.term()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _bound(self, name: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.XPUB)
        socket.bind(f"ipc://{self.folder}/{name}")
        return socket

    def _run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._stop, zmq.POLLIN)
        while True:
            ready = dict(poller.poll())
            if self._stop in ready:
                return
            peer, protocol, body = self._router.recv_multipart()
            assert protocol == verbs.PROTOCOL
            request = decode_request(body)
            self.asked.append(request)
            found = self.answer(request)
            if found is None:
                continue
            told = (
                Reply(request_id=request.request_id, problem=found)
                if isinstance(found, Problem)
                else Reply(request_id=request.request_id, result=found)
            )
            self._router.send_multipart([peer, protocol, encode_reply(told)])


def face(seq: int = 0, stream: str = "door", *payloads: tuple[str, bytes], **known: object) -> Face:
    """A face message whose parts are these pictures."""
    values: dict[str, object] = {
        "run_id": "20260301T120000Z-00000001", "stream": stream, "seq": seq, "sent_ns": 1, "track_id": 7, "frame_index": 3,
        "pts": 3, "time_base": (1, 25), "pts_seconds": 0.12, "captured_ns": 2, "box": (1.0, 2.0, 3.0, 4.0), "landmarks": None,
        "detection_score": 0.9, "quality": Quality(20.0, 0.5, 0.5, 0.5), "crop_box": (1, 2, 3, 4), "enhanced": None,
        "decision": "unknown", "candidates": [], "gallery_version": 1, "live": True,
        "parts": [Part(name, "jpeg", (4, 4, 3), "uint8", hashlib.sha256(content).hexdigest()) for name, content in payloads],  # type: ignore[arg-type]
    }  # fmt: skip
    return Face(**(values | known))  # type: ignore[arg-type]

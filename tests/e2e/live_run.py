"""A live run as a process, and a subscriber to it that remembers everything."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from engine.client import AnyMessage, End, Face, Gap, Stream, Subscriber
from tests.assets import SHARED
from tests.e2e.started import Started
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import bound
from tests.rtsp.clips import Clip, face_clip, recorded_clip

MODEL = SHARED / "models" / "face_detection_yunet_2023mar.onnx"
FOOTAGE = SHARED / "video" / "asl_book.mkv"
FPS = 10
ARGUMENTS = ("run", "--embedder", "none", "--generator", "bicubic")
COMMAND = (sys.executable, "-m", "engine", *ARGUMENTS)


def make_clip(folder: Path, seconds: float = 4.0) -> tuple[Clip, list[str]]:
    """Return a clip with a face in most pictures, and the options of a detector that is fast enough for several of them."""
    if MODEL.exists() and FOOTAGE.exists():
        clip = recorded_clip(FOOTAGE, folder / "signer.h264", size_px=(480, 270), fps=FPS, seconds=seconds)
        return clip, ["--detector", str(MODEL)]
    return face_clip(folder, fps=FPS, seconds=seconds), ["--every", "3"]


class LiveRun(Started):
    """``facestream run``, from start to end; killed at the end of a ``with`` if it still runs.

    Args:
        folder: its output directory ``out``, its socket and what it prints lie there.
        arguments: besides output, socket and a wait for the subscriber.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.out = folder / "out"
        self.socket = folder / "faces"
        self.endpoint = f"ipc://{self.socket}"
        self.messages: list[AnyMessage] = []
        """In the order of their arrival; only ever grows."""
        places = ("--out", str(self.out), "--publish", self.endpoint, "--wait", "20")
        self._said = folder / "said"
        with self._said.open("w", encoding="utf-8") as said:  # a pipe that nobody empties would stop a long run
            self.process = subprocess.Popen(bound([*COMMAND, *places, *arguments]), stdout=said, stderr=said)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> LiveRun:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()
        self.end()

    @property
    def faces(self) -> list[Face]:
        return [message for message in list(self.messages) if isinstance(message, Face)]

    @property
    def ends(self) -> list[End]:
        return [message for message in list(self.messages) if isinstance(message, End)]

    def states(self, stream: str) -> list[Stream]:
        """Return what was said of one stream."""
        return [message for message in list(self.messages) if isinstance(message, Stream) and message.stream == stream]

    def has_fresh_faces(self, streams: Sequence[str], since_ns: int = 0) -> bool:
        """Whether each stream gave a face of a picture that was captured since then (Unix, ns)."""
        self.assert_running()
        return {face.stream for face in self.faces if face.captured_ns > since_ns} >= set(streams)

    def wait_for_faces(self, *streams: str, since_ns: int = 0) -> None:
        """Wait until each stream gives faces."""
        until(lambda: self.has_fresh_faces(streams, since_ns), f"faces of {streams}")

    def wait_for_state(self, stream: str, state: str, after: int = 0) -> Stream:
        """Return the first message of a state among those of a stream from number ``after`` on."""

        def found() -> Stream | None:
            self.assert_running()
            return next((message for message in self.states(stream)[after:] if message.state == state), None)

        message = until(found)
        assert message is not None
        return message

    def assert_running(self) -> None:
        assert self.process.poll() is None, self.said

    def stop(self, seconds: float = PATIENCE_SECONDS) -> tuple[int, str]:
        """Ask the run to end; return its exit code and all that it printed."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=seconds)
        until(lambda: self.ends, "the last message")
        return code, self.said

    def _listen(self) -> None:
        with Subscriber(self.endpoint, timeout_seconds=0.3, follow=True, max_age_seconds=None) as subscriber:
            while not self._stopped.is_set():
                with suppress(TimeoutError):
                    for item in subscriber:
                        if not isinstance(item, Gap):
                            self.messages.append(item.message)
                        if self._stopped.is_set():
                            return

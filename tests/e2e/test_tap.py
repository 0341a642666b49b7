"""Who watches a run of a camera sees its faces and where they are, though nobody may read its socket."""

from __future__ import annotations

import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import zmq

from engine.config import Config, CropConfig, DetectConfig, LiveConfig, PublishConfig, SourceConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.camera import Camera
from engine.contracts.messages import Face, decode_header
from engine.contracts.tap import Preview, PreviewBox, Tap, decode_preview
from engine.keys.folder import KeyFolder
from engine.pipeline.description import new_run_id
from engine.pipeline.run import ServiceRun, run_pipeline
from engine.pipeline.status import RunStatus
from engine.source.sources import expand_sources
from tests.rtsp.clips import face_clip
from tests.rtsp.fixtures import StartGst, gst

__all__ = ["gst"]
pytestmark = pytest.mark.e2e
ENOUGH = 3
Picture = np.ndarray


def opened(file: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


class Watcher:
    """Listens to a tap while a run goes on, and ends it when enough faces were seen on previews."""

    def __init__(self, tap: Tap, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        for topic in (b"v1/face/", b"v1/preview/"):
            self.socket.setsockopt(zmq.SUBSCRIBE, topic)
        for endpoint in (tap.messages, tap.previews):
            self.socket.connect(endpoint)
        self._has_ended = False
        self.previews: dict[int, tuple[Preview, Picture]] = {}
        self.faces: dict[tuple[int, int], tuple[Face, Picture]] = {}

    def __call__(self, status: RunStatus) -> None:
        while self.socket.poll(0):
            topic, header, *payloads = self.socket.recv_multipart()
            if topic == b"v1/preview/hall/":
                preview = decode_preview(header)
                self.previews[preview.frame_index] = preview, opened(payloads[0])
            else:
                face = decode_header(header)
                assert isinstance(face, Face)
                assert [part.name for part in face.parts] == ["original"]
                self.faces[face.frame_index, face.track_id] = face, opened(payloads[0])
        if len(self.pairs) >= ENOUGH and not self._has_ended:
            self._has_ended = True  # a second signal would kill it
            signal.raise_signal(signal.SIGTERM)

    @property
    def pairs(self) -> list[tuple[tuple[Preview, Picture], PreviewBox, tuple[Face, Picture]]]:
        """Each face that is on a preview, and was said as well."""
        return [
            ((preview, picture), box, self.faces[index, box.track_id])
            for index, (preview, picture) in self.previews.items()
            for box in preview.boxes
            if (index, box.track_id) in self.faces
        ]


def test_a_camera_is_seen_through_the_tap(gst: StartGst, tmp_path: Path) -> None:
    server = gst({"hall": face_clip(tmp_path, fps=5, seconds=2.4)})
    KeyFolder(tmp_path / "keys").add("someone-else", [])
    tap = Tap.in_folder(tmp_path / "service")
    config = Config(
        sources=[SourceConfig(uri=server.url("hall"), name="hall")],
        detect=DetectConfig(detector="grey"),
        live=LiveConfig(preview_seconds=0.1, budget_ms=20_000.0, adapt=False),
        crop=CropConfig(policy="every"),
        super_resolve=SuperResolveConfig(generator="none", workers=1),
        verify=VerifyConfig(embedder="none"),
        publish=PublishConfig(
            endpoint=f"ipc://{tmp_path}/out/faces", keys=str(tmp_path / "keys"), codec="png", parts=("original",)
        ),
    )
    with zmq.Context() as context:
        watcher = Watcher(tap, context)
        try:
            cameras = [source for source in expand_sources(config.sources, config.live) if isinstance(source, Camera)]
            service = ServiceRun(new_run_id(), cameras, tap)
            result = run_pipeline(config, watcher, duration_seconds=120, service=service)
        finally:
            watcher.socket.close()
    assert len(watcher.pairs) >= ENOUGH
    for (preview, picture), box, (face, original) in watcher.pairs:
        assert (preview.width_px, preview.height_px) == (640, 480)
        assert picture.shape == (360, 480, 3)
        assert preview.captured_ns == face.captured_ns
        assert box.accepted
        assert (box.x, box.y, box.width, box.height) == pytest.approx(face.box, abs=0.06)
        x, y, width, height = (round(side * 0.75) for side in face.crop_box)
        said = cv2.resize(original, (width, height), interpolation=cv2.INTER_AREA)
        likeness = cv2.matchTemplate(picture[y : y + height, x : x + width], said, cv2.TM_CCOEFF_NORMED)
        assert float(likeness.max()) > 0.9
    (hall,) = result.streams
    funnel = hall.funnel
    assert funnel.found >= funnel.passed_through >= len(watcher.faces)
    assert funnel.frames >= funnel.detected_frames > 0
    assert list((tmp_path / "service").iterdir()) == [], "its sockets are gone"

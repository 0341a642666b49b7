"""What FFmpeg does with a camera by HTTP that others gave: it goes where it was sent, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np
import pytest

from engine.contracts.camera import Camera
from engine.decode.camera import plan_of
from engine.decode.packet_reader import PacketReader
from engine.service.given_source import LOCKED
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import Clip
from tests.rtsp.fixtures import StartScripted

NOISE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
JPEG = bytes(cv2.imencode(".jpg", NOISE)[1].tobytes())


class Site(BaseHTTPRequestHandler):
    """A camera at ``/v.mjpg``, and addresses that lead on to ``/inside``."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        port = self.headers["Host"].rpartition(":")[2].encode()
        if self.path == "/redirects":
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{port.decode()}/inside")
            self.end_headers()
        elif self.path == "/list.m3u8":
            self.give("application/vnd.apple.mpegurl")
            self.wfile.write(
                b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:%s/inside\n#EXT-X-ENDLIST\n" % port
            )
        elif self.path == "/list.mpd":
            self.give("application/dash+xml")
            self.wfile.write(
                b'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>'
                b'<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" codecs="avc1.4d401e"><BaseURL>'
                b"http://127.0.0.1:%s/inside</BaseURL></Representation></AdaptationSet></Period></MPD>" % port
            )
        else:
            self.give("multipart/x-mixed-replace; boundary=b")
            with suppress(OSError):  # the camera is closed when enough has come
                for _ in range(400):
                    self.wfile.write(b"--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(JPEG))
                    self.wfile.write(JPEG + b"\r\n")

    def give(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Site,), {"asked": asked})) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def pictures(url: str, options: dict[str, str]) -> int:
    """Return how many of the first three pictures come."""
    plan = plan_of(Camera("door", url, "door", options=options))
    try:
        with av.open(plan.url, format=plan.format, options=plan.options, timeout=5.0) as opened:
            return sum(1 for _ in zip(range(3), opened.decode(video=0), strict=False))
    except (av.error.FFmpegError, OSError, ValueError):
        return 0


def test_a_camera_is_read(site: tuple[str, list[str]]) -> None:
    url, asked = site
    assert pictures(f"{url}/v.mjpg", LOCKED) == 3
    assert asked == ["/v.mjpg"]


def test_of_a_camera_by_rtsp_the_lock_keeps_nothing_away(scripted: StartScripted, small_clip: Clip) -> None:
    """Its other stream may come over HTTP, and both have the same options."""
    assert pictures(scripted(small_clip).url(), LOCKED) == 3


@pytest.mark.parametrize("path", ["/redirects", "/list.m3u8", "/list.mpd"])
def test_it_leads_nowhere_else(site: tuple[str, list[str]], path: str) -> None:
    url, asked = site
    assert pictures(url + path, LOCKED) == 0
    assert set(asked) == {path}


def test_without_the_lock_it_would(site: tuple[str, list[str]]) -> None:
    url, asked = site
    pictures(f"{url}/redirects", {})
    assert "/inside" in asked


@pytest.mark.parametrize(("networks", "reason"), [(("loopback",), ""), (("public", "private"), "permission"), (None, "")])
def test_where_it_is_connected_to_is_looked_at(
    site: tuple[str, list[str]], networks: tuple[str, ...] | None, reason: str
) -> None:
    """As where a name leads elsewhere by now."""
    reader = PacketReader(Camera("door", f"{site[0]}/v.mjpg", "door", options=LOCKED, networks=networks))
    reader.start()
    reader.join(PATIENCE_SECONDS)
    assert reader.error is not None
    assert (reader.queue.get(0.0) is None) == bool(reason)
    assert reason in ("", reader.error.reason)
    if reason:
        assert str(reader.error) == "door leads to 127.0.0.1, which serve.cameras_in does not allow"

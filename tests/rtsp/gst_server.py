"""An RTSP server on Debian's gst-rtsp-server, for the system's Python (``python3-gi``); imports nothing of ours.

Reads one line of JSON, as ``{"port": 0, "mounts": {"/name": {"path": "a.h264", "codec": "h264", "fps": 25}}, "user": "",
"password": "", "auth": "digest", "shared": false, "host": "127.0.0.1"}``, prints ``port N``, and then answers each line with
``sessions N``. Ends when its standard input is closed, so that it never outlives whoever started it. Codec ``audio`` sends a
tone and no video. With ``--check`` it only says, by its exit code, whether it could run.

Pictures are encoded beforehand and pushed through an appsrc in real time, for ever, with continuous time stamps. A mount that
is ``live`` shows on each connection the picture of the moment, as a camera does, ``delay_seconds`` late with the time stamps of
when it was taken.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from typing import Any, TextIO

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

CHAINS = {
    "h264": "video/x-h264,stream-format=byte-stream,alignment=au ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "video/x-h265,stream-format=byte-stream,alignment=au ! h265parse ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "image/jpeg ! jpegparse ! rtpjpegpay name=pay0 pt=26",
}
AUDIO = "( audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8 )"
ELEMENTS = ["appsrc", "h264parse", "h265parse", "jpegparse", "rtph264pay", "rtph265pay", "rtpjpegpay", "rtpbin", "alawenc"]
QUEUED_BYTES = 4_000_000


def access_units(stream: bytes, codec: str) -> list[bytes]:
    """Cut a stream into pictures, the first with its parameter sets."""
    if codec == "mjpeg":
        return [picture + b"\xff\xd9" for picture in stream.split(b"\xff\xd9")[:-1]]
    units: list[bytes] = []
    unit = b""
    for nal in re.split(b"\x00?\x00\x00\x01", stream)[1:]:
        unit += b"\x00\x00\x00\x01" + nal
        if (nal[0] & 0x1F in (1, 5)) if codec == "h264" else (nal[0] >> 1 & 0x3F < 32):
            units.append(unit)
            unit = b""
    return units


class Player:
    """Feeds one prepared media; started by PLAY, stopped when the media is given up."""

    def __init__(self, source: Any, units: Sequence[bytes], fps: int, live: bool, delay_seconds: float) -> None:
        self._source, self._units, self._fps, self._live = source, units, fps, live
        self._step = Gst.SECOND // fps
        self._delay = int(delay_seconds * Gst.SECOND)
        self._sent = 0
        self._base: int | None = None
        self._timer = 0
        self._push(0)  # the server needs one picture to describe the stream

    def play(self) -> None:
        if self._base is None:
            # Continue after the picture that was pushed for the description, with the time stamps of now.
            now = self._running_time()
            if self._live:  # the picture of this moment, on all mounts; decoders need a key frame first, one a second
                seconds = time.time()
                begin = (int(seconds) + 1) * self._fps
                self._sent, self._base = begin, now + int((int(seconds) + 1 - seconds) * Gst.SECOND) - self._step * begin
            else:
                self._base = max(0, now - self._step * self._sent)
            self._tick()

    def stop(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0
        self._source = None

    def _running_time(self) -> int:
        return int(self._source.get_clock().get_time() - self._source.get_base_time())

    def _tick(self) -> bool:
        self._timer = 0
        if self._base is None:
            return False
        now = self._running_time() - self._delay
        while self._base + self._step * self._sent <= now:
            if self._source.get_property("current-level-bytes") > QUEUED_BYTES:
                self._sent += 1  # a client that does not read: skip, as a camera does
            elif self._push(self._base + self._step * self._sent) is not Gst.FlowReturn.OK:
                return False
        wait = self._base + self._step * self._sent - now
        self._timer = GLib.timeout_add(max(1, wait // Gst.MSECOND), self._tick)
        return False

    def _push(self, pts: int) -> Any:
        buffer = Gst.Buffer.new_wrapped(self._units[self._sent % len(self._units)])
        buffer.pts = buffer.dts = pts
        buffer.duration = self._step
        self._sent += 1
        return self._source.emit("push-buffer", buffer)


class Factory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]
    """Makes the media of one mount."""

    def __init__(self, mount: dict[str, Any], shared: bool) -> None:
        super().__init__()
        self._codec = mount["codec"]
        if self._codec == "audio":
            self.set_launch(AUDIO)
        else:
            self.set_launch(f"( appsrc name=source is-live=true format=time caps={CHAINS[self._codec]} )")
            with open(mount["path"], "rb") as file:
                self._units = access_units(file.read(), self._codec)
            self._fps = mount["fps"]
            self._live, self._delay_seconds = mount.get("live", False), mount.get("delay_seconds", 0.0)
        self.set_shared(shared)
        self.set_latency(0)
        self.set_protocols(GstRtsp.RTSPLowerTrans.TCP | GstRtsp.RTSPLowerTrans.UDP)
        permissions = GstRtspServer.RTSPPermissions()
        for access in ("media.factory.access", "media.factory.construct"):
            permissions.add_permission_for_role("user", access, True)
        self.set_permissions(permissions)
        self.connect("media-configure", self._configure)

    def _configure(self, _factory: Any, media: Any) -> None:
        if self._codec == "audio":
            return
        player = Player(media.get_element().get_by_name("source"), self._units, self._fps, self._live, self._delay_seconds)
        # Signals come from the server's threads; the player lives in the main loop.
        media.connect("new-state", lambda _media, state: GLib.idle_add(player.play) if state == Gst.State.PLAYING else None)
        media.connect("prepared", report_soon)
        media.connect("unprepared", lambda _media: GLib.idle_add(player.stop))


def report_soon(media: Any) -> None:
    """Send RTCP sender reports once a second, the first at once: RFC 3550 would wait for 5 s."""
    for index in range(media.n_streams()):
        media.get_stream(index).get_rtpsession().set_property("rtcp-min-interval", Gst.SECOND)


def authenticate(server: Any, user: str, password: str, method: str) -> None:
    """Ask for a password."""
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(getattr(GstRtsp.RTSPAuthMethod, method.upper()))
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def check() -> None:
    """Exit with a message where an element is missing."""
    Gst.init(None)
    if missing := [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]:
        sys.exit(f"GStreamer lacks {', '.join(missing)}")


def main() -> None:
    order = json.loads(sys.stdin.readline())
    Gst.init(None)
    loop = GLib.MainLoop()
    server = GstRtspServer.RTSPServer()
    server.set_address(order.get("host", "127.0.0.1"))
    server.set_service(str(order["port"]))
    if order["user"]:
        authenticate(server, order["user"], order["password"], order["auth"])
    mounts = server.get_mount_points()
    for name, mount in order["mounts"].items():
        mounts.add_factory(name, Factory(mount, order["shared"]))
    if not server.attach(None):
        sys.exit(f"port {order['port']} cannot be bound")
    sessions = server.get_session_pool()

    def command(stream: TextIO, _condition: Any) -> bool:
        line = stream.readline()
        if not line:
            loop.quit()
            return False
        sys.stdout.write(f"sessions {sessions.get_n_sessions()}\n")
        sys.stdout.flush()
        return True

    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, command)
    GLib.timeout_add_seconds(1, lambda: sessions.cleanup() >= 0)
    sys.stdout.write(f"port {server.get_bound_port()}\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else main()

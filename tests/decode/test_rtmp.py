"""Cameras that speak RTMP."""

from __future__ import annotations

import socket

import numpy as np
import pytest

from tests.decode.byte_server import ByteServer
from tests.decode.certificates import camera_certificate, serving
from tests.decode.rtmp_server import rtmp
from tests.decode.test_camera_errors import failure_of
from tests.decode.watching import IMPATIENT, watching
from tests.rtsp.listener import refusing_port


def _greeted_and_closed(connection: socket.socket) -> None:
    """Close when the reader has spoken: what is left unread would reset the connection."""
    connection.recv(4096)
    connection.close()


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_they_are_read_with_their_times(clip, tmp_path, scheme):
    """None could be opened: FFmpeg's time-out is for how long to listen there, and TLS was not let in."""
    tls = serving(camera_certificate(tmp_path)) if scheme == "rtmps" else None
    with ByteServer(rtmp(clip, speed=4.0), tls) as server, watching(f"{server.url(scheme)}/x") as watch:
        watch.until(lambda w: len(w.frames) == 40)
    assert watch.order == ["connecting", "live", "frame"]
    assert np.diff([frame.time.pts_seconds for frame in watch.frames]) == pytest.approx(0.04)


def test_one_that_falls_silent_is_connected_again(clip):
    with ByteServer(rtmp(clip, 25, speed=4.0)) as server, watching(f"{server.url('rtmp')}/x", **IMPATIENT) as watch:
        watch.until(lambda w: w.count("live") == 2 and w.order[-1] == "frame")
    assert watch.order == ["connecting", "live", "frame", "stalled", "discontinuity", "connecting", "live", "frame"]


@pytest.mark.parametrize("scheme", ["rtmp", "rtmps"])
def test_what_is_wrong_with_one_is_told(scheme):
    with refusing_port() as port:
        assert "refuses the connection" in failure_of(f"{scheme}://127.0.0.1:{port}/app/x").detail
    with ByteServer(_greeted_and_closed) as server:
        last = failure_of(f"{server.url('rtmp')}/x")
    assert (last.reason, "closed the connection while it was made" in last.detail) == ("network", True)


def test_a_certificate_that_is_not_trusted_is_told(tmp_path):
    """It was said to send no video."""
    with ByteServer(_greeted_and_closed, serving(camera_certificate(tmp_path))) as server:
        last = failure_of(f"{server.url('rtmps')}/x", options={"tls_verify": "1"})
    assert (last.reason, "shows a certificate that is signed by itself" in last.detail) == ("network", True)

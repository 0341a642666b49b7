"""The real RTSP server sends the clips as they are, over restarts and to several clients."""

from __future__ import annotations

import os
import signal

import pytest

from tests.rtsp.clips import Clip
from tests.rtsp.fixtures import StartGst
from tests.rtsp.viewer import watch


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_clip_arrives_whole_and_loops(gst: StartGst, small_clip: Clip, transport: str) -> None:
    seen = watch(gst({"cam": small_clip}).url("cam"), 60, transport)
    assert seen.numbers == [n % 50 for n in range(60)]
    assert seen.steps == {3600}
    assert 2.2 < seen.seconds < 10


def test_other_codecs_arrive_whole(gst: StartGst, h265_clip: Clip, mjpeg_clip: Clip) -> None:
    server = gst({"h265": h265_clip, "mjpeg": mjpeg_clip})
    for mount, codec in (("h265", "hevc"), ("mjpeg", "mjpeg")):
        seen = watch(server.url(mount), 20)
        assert (seen.codec, seen.numbers) == (codec, list(range(20)))


def test_the_servers_clock_is_told(gst: StartGst, small_clip: Clip) -> None:
    server = gst({"cam": small_clip})
    assert len(watch(server.url("cam"), 30).clock_seconds) >= 20


def test_wrong_addresses_and_audio(gst: StartGst, small_clip: Clip) -> None:
    server = gst({"cam": small_clip, "sound": "audio"})
    assert watch(server.url("nothing")).end == "HTTPNotFoundError"
    assert watch(server.url("sound")).end == "no video"
    server.kill()
    assert watch(server.url("cam")).end == "ConnectionRefusedError"


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_is_asked_for(gst: StartGst, small_clip: Clip, auth: str) -> None:
    server = gst({"cam": small_clip}, user="ann", password="s3cret", auth=auth)
    assert watch(server.url("cam")).end == "HTTPUnauthorizedError"
    assert watch(server.url("cam", "ann:wrong")).end == "HTTPUnauthorizedError"
    assert watch(server.url("cam", "ann:s3cret")).end == "enough"


def test_it_restarts_on_its_port_and_keeps_no_session(gst: StartGst, small_clip: Clip) -> None:
    server = gst({"cam": small_clip})
    port = server.port
    for _ in range(5):
        assert watch(server.url("cam"), 2).numbers == [0, 1]
        server.wait_for_sessions(0)
        server.restart()
        assert server.port == port


def test_a_stopped_process_is_silent(gst: StartGst, small_clip: Clip) -> None:
    server = gst({"cam": small_clip})
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert watch(server.url("cam"), open_seconds=0.4).seconds > 0.35
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert watch(server.url("cam"), 2).end == "enough"

"""The HTTP server sends transport streams and files, and misbehaves on demand."""

from __future__ import annotations

import pytest

from tests.rtsp.clips import Clip
from tests.rtsp.fixtures import StartHttp
from tests.rtsp.http_server import HttpBehaviour
from tests.rtsp.viewer import watch


def test_a_transport_stream_loops(http: StartHttp, small_clip: Clip, h265_clip: Clip) -> None:
    for clip in (small_clip, h265_clip):
        server = http(clip, HttpBehaviour(speed=8))
        seen = watch(server.url(), 120)
        assert seen.numbers == [n % 50 for n in range(120)]
        assert seen.steps == {3600}


def test_a_file_ends(http: StartHttp, small_clip: Clip) -> None:
    seen = watch(http(small_clip).url("clip.mp4"), 60)
    assert (seen.end, seen.numbers) == ("closed", list(range(50)))


@pytest.mark.parametrize(
    ("behaviour", "end"),
    [
        (HttpBehaviour(status=404), "HTTPNotFoundError"),
        (HttpBehaviour(status=503), "HTTPServerError"),
        (HttpBehaviour(credentials="ann:s3cret"), "HTTPUnauthorizedError"),
        (HttpBehaviour(silent=True), "ExitError"),
    ],
)
def test_a_stream_that_does_not_begin(http: StartHttp, small_clip: Clip, behaviour: HttpBehaviour, end: str) -> None:
    server = http(small_clip, behaviour)
    seen = watch(server.url(), open_seconds=0.5)
    assert (seen.end, seen.numbers) == (end, [])
    server.wait(lambda: server.connections_open == 0)


def test_the_right_password_is_accepted(http: StartHttp, small_clip: Clip) -> None:
    server = http(small_clip, HttpBehaviour(credentials="ann:s3cret", speed=8))
    assert watch(server.url(credentials="ann:s3cret")).end == "enough"


@pytest.mark.parametrize(
    ("behaviour", "ends"),
    [
        (HttpBehaviour(stall_at=20), {"ExitError"}),
        (HttpBehaviour(stall_at=20, stall_within=True), {"ExitError", "InvalidDataError"}),
        (HttpBehaviour(close_at=20), {"OSError"}),
        (HttpBehaviour(reset_at=20), {"ConnectionResetError"}),
    ],
)
def test_a_stream_that_breaks_off(http: StartHttp, small_clip: Clip, behaviour: HttpBehaviour, ends: set[str]) -> None:
    server = http(small_clip, behaviour)
    seen = watch(server.url(), 60, read_seconds=0.5)
    assert seen.end in ends
    # A reset also takes what had arrived and was not read yet.
    came = len(seen.numbers) if behaviour.reset_at is not None else 19
    assert seen.numbers[:19] == list(range(19))[:came]
    server.wait(lambda: server.connections_open == 0)


def test_a_stall_can_end_and_the_server_comes_back(http: StartHttp, small_clip: Clip) -> None:
    server = http(small_clip, HttpBehaviour(stall_at=10, stall_seconds=0.3, speed=8))
    assert watch(server.url(), 30).numbers == list(range(30))
    server.down()
    assert watch(server.url()).end == "ConnectionRefusedError"
    server.accept()
    assert watch(server.url()).end == "enough"

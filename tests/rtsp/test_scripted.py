"""The scripted RTSP server does what its script says, as PyAV alone sees it."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import Literal

import pytest

from tests.rtsp.clips import Clip
from tests.rtsp.faults import Bye, Close, Garbage, Jump, Reset, Restart, Stall, Switch, Unsteady
from tests.rtsp.fixtures import StartScripted
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer
from tests.rtsp.viewer import Seen, watch

FAST = Behaviour(speed=8)
TICKS = 3600
"""Of the 90 kHz clock, from one frame of a numbered clip to the next."""


def numbers(count: int, start: int = 0, length: int = 50) -> list[int]:
    """Return the numbers of so many frames of a clip that loops."""
    return [(start + n) % length for n in range(count)]


def left_nothing(server: ScriptedServer, sessions: int = 1) -> None:
    """Wait until every connection is closed, and check that the camera keeps no session."""
    server.wait(lambda: server.connections_open == 0)
    assert (server.counts.sessions_opened, server.counts.sessions_open) == (sessions, 0)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_healthy_camera_sends_every_frame_and_loops(scripted: StartScripted, small_clip: Clip, transport: str) -> None:
    server = scripted(small_clip, FAST)
    seen = watch(server.url(), 120, transport)
    assert seen.numbers == numbers(120)
    assert seen.steps == {TICKS}
    left_nothing(server)
    assert server.counts.teardowns == 1


def test_frames_come_in_real_time(scripted: StartScripted, small_clip: Clip) -> None:
    seen = watch(scripted(small_clip).url(), 26)
    assert seen.numbers == numbers(26)
    assert 0.95 < seen.seconds < 5


def test_large_pictures_are_fragmented(scripted: StartScripted, large_clip: Clip, h265_clip: Clip) -> None:
    assert max(map(len, large_clip.units)) > 1400
    assert watch(scripted(large_clip, FAST).url(), 60).numbers == numbers(60)
    h265 = watch(scripted(h265_clip, FAST).url(), 60)
    assert (h265.codec, h265.numbers) == ("hevc", numbers(60))


@pytest.mark.parametrize(
    ("method", "status", "error"),
    [
        ("OPTIONS", 503, "HTTPServerError"),
        ("DESCRIBE", 404, "HTTPNotFoundError"),
        ("DESCRIBE", 401, "HTTPUnauthorizedError"),
        ("SETUP", 453, "HTTPOtherClientError"),
        ("PLAY", 454, "HTTPOtherClientError"),
        ("PLAY", 503, "HTTPServerError"),
    ],
)
def test_an_answer_is_that_of_the_script(
    scripted: StartScripted, small_clip: Clip, method: str, status: int, error: str
) -> None:
    server = scripted(small_clip, Behaviour(answers={method: status}))
    assert watch(server.url()).end == error
    assert server.counts.answers[method, status] >= 1
    assert server.counts.pictures == 0


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_is_asked_for(scripted: StartScripted, small_clip: Clip, auth: Literal["basic", "digest"]) -> None:
    server = scripted(small_clip, replace(FAST, credentials="ann:s3cret", auth=auth))
    assert watch(server.url()).end == "HTTPUnauthorizedError"
    assert server.counts.refused_passwords == 0
    assert watch(server.url(credentials="ann:wrong")).end == "HTTPUnauthorizedError"
    assert server.counts.refused_passwords == 1
    assert watch(server.url(credentials="ann:s3cret")).end == "enough"
    assert server.counts.refused_passwords == 1
    left_nothing(server)


@pytest.mark.parametrize("method", ["*", "SETUP", "PLAY"])
def test_silence_is_no_answer(scripted: StartScripted, small_clip: Clip, method: str) -> None:
    server = scripted(small_clip, Behaviour(silent=frozenset({method})))
    seen = watch(server.url(), open_seconds=0.4)
    assert seen.end in ("InvalidDataError", "PermissionError", "ExitError")
    assert 0.35 < seen.seconds < 5
    assert server.counts.answers["PLAY", 200] == 0
    server.wait(lambda: server.connections_open == 0)


@pytest.mark.parametrize(("fault", "transport"), [(Close(20), "tcp"), (Close(20, bye=True), "udp"), (Reset(20), "tcp")])
def test_a_connection_can_end(scripted: StartScripted, small_clip: Clip, fault: Close | Reset, transport: str) -> None:
    server = scripted(small_clip, replace(FAST, faults=(fault,)))
    seen = watch(server.url(), 60, transport)
    # A reset also takes what had arrived and was not read yet: that is up to the client's pace.
    came = len(seen.numbers) if isinstance(fault, Reset) else 20
    assert came <= 20
    assert (seen.end, seen.numbers, server.counts.pictures) == ("closed", numbers(came), 20)
    left_nothing(server)
    assert server.counts.teardowns == 0


def test_a_reset_is_a_reset_on_the_wire(scripted: StartScripted, small_clip: Clip) -> None:
    server = scripted(small_clip)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        server.wait(lambda: server.connections_open == 1)
        server.drop()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize("fault", [Stall(20), Stall(20, mid_packet=True), Bye(20)])
def test_a_stall_lasts(scripted: StartScripted, small_clip: Clip, fault: Stall | Bye) -> None:
    server = scripted(small_clip, replace(FAST, faults=(fault,)))
    seen = watch(server.url(), 60, read_seconds=0.5)
    assert (seen.end, seen.numbers) == ("ExitError", numbers(20))
    left_nothing(server)


@pytest.mark.parametrize("mid_packet", [False, True])
def test_a_stall_can_end(scripted: StartScripted, small_clip: Clip, mid_packet: bool) -> None:
    server = scripted(small_clip, replace(FAST, faults=(Stall(20, 0.4, mid_packet),)))
    seen = watch(server.url(), 40)
    assert seen.numbers == numbers(40)
    assert max(seen.steps) - TICKS == pytest.approx(0.4 * 90_000, abs=TICKS)


def test_refuse_and_accept_again_on_the_same_port(scripted: StartScripted, small_clip: Clip) -> None:
    server = scripted(small_clip, FAST)
    for _ in range(3):
        server.down()
        assert watch(server.url()).end == "ConnectionRefusedError"
        server.accept()
        assert watch(server.url()).end == "enough"
    left_nothing(server, 3)


def test_the_resolution_changes(scripted: StartScripted, small_clip: Clip, large_clip: Clip) -> None:
    seen = watch(scripted(small_clip, replace(FAST, faults=(Switch(20, large_clip),))).url(), 40)
    assert seen.numbers == numbers(20) + numbers(20)
    assert seen.sizes == {(320, 240), (640, 480)}
    assert seen.steps == {TICKS}


def test_the_codec_changes_with_the_next_connection(scripted: StartScripted, small_clip: Clip, h265_clip: Clip) -> None:
    server = scripted(small_clip, [FAST, replace(FAST, clip=h265_clip)])
    assert [watch(server.url()).codec for _ in range(3)] == ["h264", "hevc", "hevc"]


@pytest.mark.parametrize(
    ("fault", "odd_steps"),
    [
        (Jump(20, 3600.0), {TICKS + 3600 * 90_000}),
        (Jump(20, -0.4), {TICKS - 36_000}),
        (Restart(20), {TICKS - 900_000 - 20 * TICKS}),
        (Unsteady(20, 3), {TICKS - 18_000, TICKS + 18_000}),
    ],
)
def test_time_stamps_go_wrong(
    scripted: StartScripted, small_clip: Clip, fault: Jump | Restart | Unsteady, odd_steps: set[int]
) -> None:
    seen = watch(scripted(small_clip, replace(FAST, faults=(fault,))).url(), 40)
    assert seen.numbers == numbers(40)
    assert seen.steps - {TICKS} == odd_steps


def test_the_time_wraps(scripted: StartScripted, small_clip: Clip) -> None:
    seen = watch(scripted(small_clip, replace(FAST, first_timestamp=2**32 - 10 * TICKS)).url(), 30)
    assert (seen.numbers, seen.steps) == (numbers(30), {TICKS})


def test_garbage_is_refused_by_a_decoder(scripted: StartScripted, small_clip: Clip) -> None:
    seen = watch(scripted(small_clip, replace(FAST, faults=(Garbage(25, 5),))).url(), 60)
    assert seen.bad_packets > 0
    assert seen.numbers[:25] == numbers(25)
    assert seen.numbers[-10:] == numbers(10, seen.numbers[-10])


def test_truncated_packets_make_damaged_frames(scripted: StartScripted, small_clip: Clip) -> None:
    seen = watch(scripted(small_clip, replace(FAST, faults=(Garbage(25, 5, "truncated"),))).url(), 60)
    assert seen.corrupt + seen.bad_packets > 0


def test_packets_with_random_headers_are_lost(scripted: StartScripted, small_clip: Clip) -> None:
    seen = watch(scripted(small_clip, replace(FAST, faults=(Garbage(26, 5, "header"),))).url(), 60)
    assert set(range(26, 31)).isdisjoint(seen.numbers[26:44])
    assert seen.end == "enough"


def test_noise_between_packets_derails_a_client(scripted: StartScripted, small_clip: Clip) -> None:
    server = scripted(small_clip, replace(FAST, faults=(Garbage(20, 5, "noise"),)))
    seen = watch(server.url(), 40, read_seconds=0.5)
    assert seen.numbers[:20] == numbers(20)
    assert server.counts.pictures > 20
    server.wait(lambda: server.connections_open == 0)


def test_udp_loses_and_reorders_by_its_seed(scripted: StartScripted, small_clip: Clip) -> None:
    def lossy(seed: int) -> Seen:
        return watch(scripted(small_clip, replace(FAST, loss=0.1, seed=seed)).url(), 60, "udp")

    first, again, other = lossy(1), lossy(1), lossy(2)
    assert first.steps - {TICKS}
    assert first.pts == again.pts != other.pts
    shuffled = watch(scripted(small_clip, replace(FAST, reorder=0.2)).url(), 60, "udp")
    assert shuffled.numbers == numbers(60), "FFmpeg puts packets in order again"


def test_sender_reports_tell_the_cameras_clock(scripted: StartScripted, small_clip: Clip) -> None:
    seen = watch(scripted(small_clip, Behaviour(ntp_offset_seconds=3600.5)).url(), 5)
    assert seen.clock_seconds[0] - time.time() == pytest.approx(3600.5, abs=0.5)
    assert len(seen.clock_seconds) >= 5
    assert watch(scripted(small_clip, Behaviour(ntp_offset_seconds=None)).url(), 5).clock_seconds == []


def test_descriptions_without_video(scripted: StartScripted, small_clip: Clip) -> None:
    for behaviour in (Behaviour(sdp="audio"), Behaviour(sdp="nothing"), Behaviour(sdp="garbage")):
        server = scripted(small_clip, behaviour)
        assert watch(server.url(), open_seconds=0.5).end == "no video"
        left_nothing(server, 0 if behaviour.sdp == "nothing" else 1)


def test_a_wrong_codec_gives_packets_and_never_a_frame(scripted: StartScripted, small_clip: Clip) -> None:
    server = scripted(small_clip, replace(FAST, sdp="wrong_codec", faults=(Close(60),)))
    seen = watch(server.url(), open_seconds=1)
    assert (seen.codec, seen.numbers) == ("hevc", [])


def test_video_beside_audio_and_without_parameter_sets(scripted: StartScripted, small_clip: Clip) -> None:
    for behaviour in (Behaviour(sdp="both"), Behaviour(sdp="no_parameters")):
        seen = watch(scripted(small_clip, behaviour).url(), 5)
        assert seen.end == "enough"


def test_a_camera_with_a_limit_refuses_one_more(scripted: StartScripted, small_clip: Clip) -> None:
    server = scripted(small_clip, [replace(FAST, faults=(Reset(10),)), FAST], limit=1, hold_seconds=4.0)
    assert watch(server.url(), 60).end == "closed"
    server.wait(lambda: server.connections_open == 0)
    assert server.counts.sessions_open == 1
    assert watch(server.url()).end == "HTTPOtherClientError"
    server.wait(lambda: server.counts.sessions_open == 0)
    assert watch(server.url()).end == "enough"


def test_a_fault_can_be_injected_and_clients_do_not_share_it(scripted: StartScripted, small_clip: Clip) -> None:
    server = scripted(small_clip, replace(FAST, faults=(Stall(30),)))
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        server.wait(lambda: server.connections_open == 1)
        server.inject(Close())
        server.script(FAST)
        assert watch(server.url(), 40).numbers == numbers(40)
        assert idle.fileno() > 0
    server.wait(lambda: server.connections_open == 0)

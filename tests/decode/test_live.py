from __future__ import annotations

import gc
import os
import re
import threading
import time
import weakref

import av
import numpy as np
import pytest

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.recording import Appearance
from engine.crop.combs import combed
from engine.decode import connection, live, packet_reader
from engine.decode.camera_errors import failure
from engine.decode.live import LiveDecoder
from engine.errors import WorkerError
from tests.carried import carried
from tests.decode.byte_server import ByteServer, http, raw
from tests.decode.clips import render
from tests.decode.test_deinterlace import interlaced, read
from tests.decode.watching import IMPATIENT, watching
from tests.rtsp.clips import frame_number
from tests.rtsp.faults import Bye, Close, Garbage, Jump, Reset, Restart, Stall, Switch, Unsteady
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer
from tests.rtsp.server import GstServer

pytestmark = pytest.mark.alone
TRANSPORTS = ["tcp", "udp"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frames_come_at_once_in_order_with_their_times(clip, transport):
    with ScriptedServer(clip) as server, watching(server.url(), transport=transport) as watch:
        watch.until(lambda w: len(w.frames) == 1)
        assert server.counts.pictures < 40, "what FFmpeg may take to analyse a stream is seconds"
        before = time.time_ns()
        watch.until(lambda w: len(w.frames) == 40)
        after = time.time_ns()
    assert watch.order == ["connecting", "live", "frame"]
    live = watch.states[1]
    assert (live.width_px, live.height_px, live.frame_rate, live.reason) == (320, 240, 25.0, "")
    assert [frame.time.frame_index for frame in watch.frames] == list(range(40))
    assert [frame_number(frame.planes.y) for frame in watch.frames] == list(range(40))
    assert np.diff([frame.time.pts_seconds for frame in watch.frames]) == pytest.approx(0.04, abs=0.002)
    captured = [frame.time.captured_ns for frame in watch.frames]
    assert captured == sorted(captured)
    arrived = [frame.time.arrived_seconds for frame in watch.frames]
    assert np.diff(arrived) == pytest.approx(np.diff(captured) / 1e9, abs=0.5)
    assert before <= captured[5]
    assert captured[-1] <= after
    assert watch.decoder.counters["packets"] == 40
    assert watch.decoder.counters["bytes"] > 0
    server.wait(lambda: server.connections_open == 0)
    assert server.counts.teardowns == 1
    for state in watch.states:
        assert carried(state) == state


def test_ten_detections_a_second_are_marked(clip):
    with ScriptedServer(clip, Behaviour(speed=4.0)) as server, watching(server.url(), detect_fps=10.0) as watch:
        watch.until(lambda w: len(w.frames) == 50)
    assert sum(frame.detect for frame in watch.frames) == pytest.approx(20, abs=1)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_cameras_own_time_comes_with_the_frames(clip, transport):
    ahead_seconds = 3600.0
    behaviour = Behaviour(ntp_offset_seconds=ahead_seconds, report_every_seconds=0.2)
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), transport=transport) as watch:
        watch.until(lambda w: len(w.frames) == 30)
    late = [(f.time.captured_ns - f.time.ntp_ns) / 1e9 + ahead_seconds for f in watch.frames[3:] if f.time.ntp_ns is not None]
    assert len(late) > 20
    # FFmpeg knows that a picture is whole when the next one begins; on a busy machine some come later.
    assert 0.0 < min(late) < 0.08


def test_without_reports_there_is_no_camera_time(clip):
    with ScriptedServer(clip, Behaviour(ntp_offset_seconds=None)) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 10)
    assert {frame.time.ntp_ns for frame in watch.frames} == {None}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_silence_is_stalled_then_live_again_then_a_new_connection(clip, transport):
    behaviours = [Behaviour(faults=(Stall(20, seconds=0.8), Stall(30))), Behaviour()]
    with ScriptedServer(clip, behaviours) as server, watching(server.url(), transport=transport, **IMPATIENT) as watch:
        watch.until(lambda w: w.count("stalled") == 1)
        stalled_at = time.monotonic()
        assert stalled_at - watch.decoder.last_packet_monotonic > 0.39
        watch.until(lambda w: w.order[-3:] == ["live", "frame", "stalled"])
        watch.until(lambda w: w.order[-1] == "frame" and w.count("connecting") == 2)
        server.wait(lambda: server.counts.teardowns == 1)
    # Once by the script, and again wherever a busy machine makes the camera silent for so long.
    silences = r"(stalled live frame )+"
    assert re.fullmatch(f"connecting live frame {silences}stalled discontinuity connecting live frame", " ".join(watch.order))
    assert [(s.state, s.reason) for s in watch.states[-4:-1]] == [
        ("stalled", "timeout"), ("discontinuity", "timeout"), ("connecting", "timeout"),
    ]  # fmt: skip
    assert [frame.time.frame_index for frame in watch.frames] == list(range(len(watch.frames)))
    assert watch.frames[-1].time.pts_seconds == 0.0  # the clock began anew
    assert watch.decoder.counters["reconnects"] == 1


def test_a_camera_that_is_silent_by_design_is_left_alone(clip):
    behaviour = Behaviour(faults=(Stall(10, seconds=2.0), Reset(20)))
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), silent_by_design=True, **IMPATIENT) as watch:
        watch.until(lambda w: w.count("discontinuity") == 1)
    assert watch.order == ["connecting", "live", "frame", "discontinuity"]
    assert watch.states[-1].reason == "network"
    assert len(watch.frames) > 10, "it went on after the silence; the reset takes what was not read yet"


@pytest.mark.parametrize(
    ("fault", "reason"), [(Reset(10), "network"), (Close(10), "end_of_stream"), (Close(10, bye=True), "end_of_stream")]
)
def test_a_lost_connection_is_a_discontinuity_at_once_and_made_anew(clip, fault, reason):
    with ScriptedServer(clip, [Behaviour(faults=(fault,)), Behaviour()]) as server, watching(server.url()) as watch:
        watch.until(lambda w: w.count("live") == 2 and len(w.frames) > 15)
    assert watch.order == ["connecting", "live", "frame", "discontinuity", "connecting", "live", "frame"]
    assert [state.reason for state in watch.states] == ["", "", reason, reason, ""]
    assert "attempt 1, next in" in watch.states[3].detail
    assert [frame.time.frame_index for frame in watch.frames] == list(range(len(watch.frames)))


def test_a_source_that_says_goodbye_and_stays_connected_is_a_stall(clip):
    with ScriptedServer(clip, Behaviour(faults=(Bye(10),))) as server, watching(server.url(), **IMPATIENT) as watch:
        watch.until(lambda w: w.count("discontinuity") == 1)
    assert (watch.order[-2], watch.states[-1].reason) == ("stalled", "timeout")


def test_a_new_size_is_announced_before_its_first_frame(clip, small_clip):
    behaviour = Behaviour(faults=(Switch(25, clip=small_clip),), speed=4.0)
    with ScriptedServer(clip, behaviour) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 30)
    assert watch.order == ["connecting", "live", "frame", "discontinuity", "frame"]
    change = watch.states[-1]
    assert (change.reason, change.width_px, change.height_px) == ("resolution_change", 160, 128)
    assert {frame.planes.y.shape for frame in watch.frames[:25]} == {(240, 320)}
    assert {frame.planes.y.shape for frame in watch.frames[25:]} == {(128, 160)}


@pytest.mark.parametrize("fault", [Jump(10), Jump(10, seconds=-100.0), Restart(60)])
def test_time_stamps_that_jump_are_announced(clip, fault):
    with ScriptedServer(clip, Behaviour(faults=(fault,), speed=4.0)) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == fault.at + 5)
    assert watch.order == ["connecting", "live", "frame", "discontinuity", "frame"]
    assert watch.states[-1].reason == "timestamp_jump"
    assert watch.frames[fault.at].detect


def test_time_stamps_that_wrap_or_stagger_are_no_jump(clip):
    behaviour = Behaviour(first_timestamp=2**32 - 20 * 3600, faults=(Unsteady(5, every=3),), speed=4.0)
    with ScriptedServer(clip, behaviour) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 45)
    assert watch.order == ["connecting", "live", "frame"]
    seconds = [frame.time.pts_seconds for frame in watch.frames]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("kind", ["nal", "truncated"])
def test_damage_is_left_out_up_to_the_next_clean_key_frame(clip, kind):
    behaviour = Behaviour(faults=(Garbage(30, kind=kind, frames=2),), speed=4.0)
    with ScriptedServer(clip, behaviour) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 40)
    numbers = [frame_number(frame.planes.y) for frame in watch.frames]
    assert numbers[:31] == [*range(30), 0]  # the clip begins again at its 50th picture
    counters = watch.decoder.counters
    assert counters["drops.corrupt"] >= 1
    assert counters["drops.corrupt"] + counters["drops.no_key_frame"] == 20
    assert counters["corrupt_packets"] + counters["corrupt_frames"] >= 1
    assert "discontinuity" not in watch.order


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_whole_pictures_that_are_missing_are_noticed_too(clip, transport):
    behaviour = Behaviour(faults=(Garbage(30, kind="header", frames=2),), speed=4.0)
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), transport=transport) as watch:
        watch.until(lambda w: len(w.frames) == 40)
    assert [frame_number(frame.planes.y) for frame in watch.frames] == [*range(30), *range(10)]
    assert watch.decoder.counters["drops.corrupt"] == 1
    assert watch.decoder.counters["drops.no_key_frame"] == 17


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_losses_and_late_packets_of_udp_never_show_in_a_frame(clip, seed):
    behaviour = Behaviour(loss=0.05, reorder=0.2, seed=seed, speed=8.0)
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), transport="udp") as watch:
        watch.until(lambda w: len(w.frames) >= 100)
    with av.open(str(clip.path)) as container:
        clean = [picture.to_ndarray()[:240] for picture in container.decode(video=0)]
    for frame in watch.frames:
        assert np.array_equal(frame.planes.y, clean[frame_number(frame.planes.y)])
    assert watch.decoder.counters["drops.corrupt"] > 0


def test_in_the_middle_of_a_group_of_pictures_there_is_nothing_before_the_key_frame(clip):
    with (
        ScriptedServer(clip, Behaviour(faults=(Garbage(0, kind="nal", frames=1),), speed=4.0)) as server,
        watching(server.url()) as watch,
    ):
        watch.until(lambda w: len(w.frames) == 3)
    assert [frame_number(frame.planes.y) for frame in watch.frames] == [25, 26, 27]
    assert watch.decoder.counters["drops.no_key_frame"] >= 20


def test_a_decoder_that_is_late_goes_on_at_a_key_frame(clip):
    with ScriptedServer(clip) as server, watching(server.url(), leaves_out_late=True) as watch:
        watch.until(lambda w: len(w.frames) == 5)
        reader = watch.decoder._connection._reader
        sent = server.counts.pictures
        server.wait(lambda: server.counts.pictures > sent + 52)  # whoever iterates does something else for 2 s
        watch.until(lambda w: len(w.frames) == 7)
        assert reader.is_alive()
    numbers = [frame_number(frame.planes.y) for frame in watch.frames]
    assert numbers[:5] == [0, 1, 2, 3, 4]
    assert numbers[5] in {0, 25}
    assert watch.decoder.counters["drops.decode_late"] > 15


def test_after_so_many_attempts_without_a_frame_it_is_given_up(clip):
    with ScriptedServer(clip) as server:
        server.refuse()
        with watching(server.url(), max_reconnects=3) as watch:
            watch.until(lambda w: w.count("failed") == 1)
            assert list(watch.decoder) == []
    assert watch.order == ["connecting"] * 4 + ["failed"]
    assert [state.reason for state in watch.states] == ["", *["network"] * 4]
    assert watch.states[2].detail.split("; ")[1].startswith("attempt 3, next in")
    assert "given up after 3 attempts" in watch.states[-1].detail


def test_a_frame_starts_the_attempts_anew(clip):
    with ScriptedServer(clip, Behaviour(faults=(Close(3),))) as server, watching(server.url(), max_reconnects=1) as watch:
        watch.until(lambda w: w.count("live") == 4)
        server.down()
        watch.until(lambda w: w.count("failed") == 1)
    assert watch.states[-1].reason == "network"


def test_a_refused_password_waits_long_and_is_tried_once(clip):
    behaviour = Behaviour(credentials="admin:right")
    with ScriptedServer(clip, behaviour) as server, watching(server.url(credentials="admin:wrong")) as watch:
        watch.until(lambda w: len(w.states) == 2)
        assert server.counts.refused_passwords == 1
    assert (watch.states[-1].state, watch.states[-1].reason) == ("connecting", "auth")
    assert float(watch.states[-1].detail.rpartition("next in ")[2].removesuffix(" s")) >= 30.0
    assert "wrong" not in str(watch.states)


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_with_odd_characters_is_accepted(clip, auth):
    behaviour = Behaviour(credentials="admin:p@ss/w:rd", auth=auth)
    with ScriptedServer(clip, behaviour) as server, watching(server.url(credentials="admin:p%40ss%2Fw%3Ard")) as watch:
        watch.until(lambda w: len(w.frames) == 3)


def test_close_ends_it_also_while_it_connects(clip):
    with ScriptedServer(clip, Behaviour(silent=frozenset({"DESCRIBE"}))) as server:
        with watching(server.url(), connect_seconds=30.0, stall_seconds=30.0) as watch:
            server_asked = lambda _: server.counts.requests["DESCRIBE"] == 1  # noqa: E731
            watch.until(server_asked)
            start = time.monotonic()
            watch.decoder.close()
            assert time.monotonic() - start < 2.0
        server.wait(lambda: server.connections_open == 0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader-")]


def test_close_before_the_first_item_and_twice(clip):
    with ScriptedServer(clip) as server, watching(server.url()) as watch:
        watch.decoder.close()
        iter(watch.decoder)
        watch.decoder.close()
        watch.decoder.close()
    assert server.connections_opened == 0


def test_close_while_stalled_says_goodbye_to_the_camera(clip):
    with ScriptedServer(clip, Behaviour(faults=(Stall(5),))) as server:
        with watching(server.url(), **IMPATIENT | {"stall_seconds": 60.0}) as watch:
            watch.until(lambda w: w.count("stalled") == 1)
        server.wait(lambda: server.counts.teardowns == 1)


def test_a_reader_that_hangs_is_reported(clip, monkeypatch):
    hung = threading.Event()
    monkeypatch.setattr(connection, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(packet_reader.PacketReader, "wake", lambda *_args, **_options: None)
    monkeypatch.setattr(
        packet_reader.PacketReader, "_demux", lambda reader, *_: setattr(reader, "opened", True) or hung.wait(30)
    )
    with ScriptedServer(clip) as server, watching(server.url(), connect_seconds=1.0, stall_seconds=0.3) as watch:
        with pytest.raises(WorkerError, match="camera cam hangs in FFmpeg"):
            watch.until(lambda _: False)
        hung.set()


@pytest.mark.parametrize("fault", [Close(2), Reset(2), None])
def test_reconnecting_leaves_nothing_behind(clip, fault):
    behaviour = Behaviour(answers={"DESCRIBE": 404}) if fault is None else Behaviour(faults=(fault,), speed=50.0)
    settings = {"reconnect_first_seconds": 0.001, "reconnect_cap_seconds": 0.001}
    marks = []
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), **settings) as watch:
        for attempts in (20, 60):
            watch.until(lambda w, attempts=attempts: w.count("connecting") == attempts)
            server.wait(lambda: server.connections_open == 0)
            marks.append((len(os.listdir("/proc/self/fd")), threading.active_count()))
    assert marks[0] == marks[1]


def test_a_transport_stream_by_http_and_by_tcp(tmp_path):
    options = {"tune": "zerolatency", "g": "12"}
    body = render(tmp_path / "live.ts", frames=60, codec_options=options).read_bytes()
    for scheme, answer in (("http", http(200, body)), ("tcp", raw(body))):
        with ByteServer(answer) as server, watching(server.url(scheme), stall_seconds=1.2) as watch:
            watch.until(lambda w: len(w.frames) == 58)  # of the last two FFmpeg does not know yet that they are whole
            assert watch.order == ["connecting", "live", "frame"]
            assert watch.states[1].frame_rate == 25.0
            assert np.diff([frame.time.pts_seconds for frame in watch.frames]) == pytest.approx(0.04)
            watch.until(lambda w: w.count("discontinuity") == 1)
        assert watch.states[-1].reason == "timeout"


def test_a_real_server_is_lost_and_found_again(clip):
    with GstServer({"cam": clip}, user="admin", password="secret") as server:
        with watching(server.url("cam", "admin:secret")) as watch:
            watch.until(lambda w: len(w.frames) == 30)
            server.kill()
            watch.until(lambda w: w.count("discontinuity") == 1)
            server.start()
            tried = watch.count("connecting")
            watch.until(lambda w: w.order[-1] == "frame" and w.count("live") == 2)
            assert watch.count("connecting") - tried <= 2, "it is found as soon as it is there again"
            watch.until(lambda w: w.frames[-1].time.ntp_ns is not None)
        assert abs(watch.frames[-1].time.ntp_ns - watch.frames[-1].time.captured_ns) < 1e9
        assert watch.decoder.counters["reconnects"] == 1
        assert "secret" not in str(watch.states)


def test_a_camera_is_shown_as_a_player_does(tmp_path):
    """Square pixels, no combs, and turned as it hangs: the rules of recordings."""
    path = interlaced(tmp_path / "a.ts", 30)
    truth = read(path, rotate=180, aspect="16:9")
    with ByteServer(raw(path.read_bytes())) as server:
        appearance = Appearance(rotate=180, aspect="16:9")
        with watching(server.url("tcp"), appearance=appearance) as watch:
            watch.until(lambda w: len(w.frames) >= 20)
    assert {(f.planes.width_px, f.planes.height_px) for f in watch.frames} == {(214, 120)}
    by_pts = {frame.time.pts: frame for frame in truth}
    assert min(combed(frame.planes.y[30:90, 60:160]) for frame in read(path, deinterlace="off")[5:10]) > 0.3
    for frame in watch.frames[1:]:
        np.testing.assert_array_equal(frame.planes.y, by_pts[frame.time.pts].planes.y)


@pytest.mark.parametrize("place", ["convert", "gate", "clock", "change", "opened"])
def test_an_unexpected_error_of_the_decoder_is_a_loss_of_that_connection(clip, monkeypatch, place):
    """As 31, which was no type of side data that Python knew; the next connection begins anew, and works."""
    broken = [True, True]

    def fault(*_: object, **__: object) -> object:
        broken.pop()
        raise KeyError("rtsp://admin:sesame@192.0.2.1/x")

    target, name = {
        "convert": (connection.Display, "show"),
        "gate": (connection.PictureGate, "pictures"),
        "clock": (connection.StreamClock, "advance"),
        "change": (connection.Connection, "_change"),
        "opened": (connection.Connection, "_ready"),
    }[place]
    usual = getattr(target, name)
    monkeypatch.setattr(target, name, lambda *args, **more: fault() if broken else usual(*args, **more))
    with ScriptedServer(clip) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 3)
    losses = [state for state in watch.states if state.reason == "unexpected"]
    assert len(losses) == 2
    assert all(state.state == "connecting" and "broke its decoder (KeyError: " in state.detail for state in losses)
    assert not any("sesame" in state.detail for state in watch.states)
    assert "next in" in losses[0].detail, "with back-off"


def test_an_error_in_the_middle_of_a_live_camera_is_said_at_once(clip, monkeypatch):
    usual = connection.Display.show

    def show(self, picture, *more):
        if len(watch.frames) == 5:
            watch.frames.append(watch.frames[-1])  # once
            raise IndexError("list index out of range")
        return usual(self, picture, *more)

    monkeypatch.setattr(connection.Display, "show", show)
    with ScriptedServer(clip) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 12)
    assert watch.order == ["connecting", "live", "frame", "discontinuity", "connecting", "live", "frame"]
    assert watch.states[2].reason == "unexpected"
    assert watch.decoder.counters["reconnects"] == 1


class Tied:
    """As a picture whose side data was looked at."""

    def __init__(self) -> None:
        self.side_data = self


class ShortConnection:
    """Comes live, and is lost; leaves what only the garbage collector frees."""

    live_since, last_packet_monotonic = 0.0, None
    left: list[weakref.ref[Tied]] = []

    def __init__(self, *_: object) -> None: ...

    def run(self):
        self.left.append(weakref.ref(Tied()))
        yield None
        return failure(CAMERA, "network", "is gone")

    def close(self) -> None: ...


CAMERA = Camera("cam", "rtsp://x", "rtsp://x", reconnect_first_seconds=0.0, reconnect_cap_seconds=0.0)


def test_a_lost_connection_leaves_no_picture_behind(monkeypatch: pytest.MonkeyPatch):
    """It was one for each, until the collector came by: 5 MB for 100 of a small camera."""
    monkeypatch.setattr(live, "Connection", ShortConnection)
    gc.disable()
    try:
        items = iter(LiveDecoder(CAMERA, DecodeConfig()))
        while len(ShortConnection.left) < 4:
            next(items)
        assert [left() for left in ShortConnection.left[:3]] == [None] * 3
    finally:
        gc.enable()

"""A camera that is silent, lost or refuses, and its next connection."""

from __future__ import annotations

import gc
import os
import re
import threading
import time
import weakref

import pytest

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.decode import connection, live
from engine.decode.camera_errors import failure
from engine.decode.live import LiveDecoder
from tests.decode.watching import IMPATIENT, TRANSPORTS, watching
from tests.rtsp.clips import numbered_clip
from tests.rtsp.faults import Bye, Close, Reset, Stall
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer
from tests.rtsp.server import GstServer

pytestmark = pytest.mark.alone


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
@pytest.mark.parametrize("cut", ["dropped", "closed"])
def test_a_password_that_no_longer_holds_is_said_and_taken_again_when_it_does(clip, auth, cut):
    held, other = (Behaviour(credentials=f"admin:{word}", auth=auth) for word in ("right", "another"))
    quick = {"auth_wait_seconds": 0.05}
    with ScriptedServer(clip, held) as server, watching(server.url(credentials="admin:right"), **quick) as watch:
        watch.until(lambda w: w.order[-1] == "frame")
        server.script(other)
        server.drop() if cut == "dropped" else server.inject(Close(0))
        watch.until(lambda w: [state.reason for state in w.states].count("auth") == 3)
        assert watch.count("live") == 1
        server.script(held)
        watch.until(lambda w: w.order[-1] == "frame" and w.count("live") == 2)
    assert not {"right", "another"} & set(str(watch.states).replace(":", " ").split())


@pytest.mark.parametrize("line", ["admin:a new one", "bob:ü@:/%#", "admin:", "x", ""])
def test_a_password_that_was_changed_in_its_file_is_taken_when_the_old_one_is_refused(clip, tmp_path, line):
    """Only a run that was started anew had read it."""
    file = tmp_path / "door.txt"
    file.write_text("admin:old")
    is_usable = ":" in line
    now = Behaviour(credentials=line if is_usable else "admin:another")
    settings = {"auth_wait_seconds": 0.05, "credentials": str(file)}
    with ScriptedServer(clip, now) as server, watching(server.url(credentials="admin:old"), **settings) as watch:
        watch.until(lambda w: w.states[-1].reason == "auth")
        file.write_text(line)
        watch.until(lambda w: w.order[-1] == "frame" or [state.reason for state in w.states].count("auth") == 3)
        assert watch.count("live") == is_usable
        assert (server.counts.refused_passwords == 1) == is_usable
        said = watch.states[-1].detail
    assert is_usable or f"credentials file {file} {'has no colon' if line else 'is empty'}" in said
    assert not line or line not in said.split()


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

    def __init__(self, *_: object, **__: object) -> None: ...

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


def test_a_camera_that_was_set_differently_comes_back_as_it_is_now(clip, tmp_path):
    other = numbered_clip(tmp_path / "other.h265", "h265", size_px=(160, 128), fps=10)
    behaviours = [Behaviour(faults=(Close(10),)), Behaviour(clip=other, speed=4.0)]
    with ScriptedServer(clip, behaviours) as server, watching(server.url()) as watch:
        watch.until(lambda w: w.count("live") == 2 and len(w.frames) == 20)
    lives = [(state.width_px, state.height_px, state.frame_rate) for state in watch.states if state.state == "live"]
    assert lives == [(320, 240, 25.0), (160, 128, 10.0)]
    assert {frame.planes.y.shape for frame in watch.frames[10:]} == {(128, 160)}

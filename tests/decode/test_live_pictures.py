"""What comes of a camera is whole and in order, whatever comes over the network."""

from __future__ import annotations

from dataclasses import replace

import av
import numpy as np
import pytest

from engine.decode import connection
from tests.decode.clips import render
from tests.decode.watching import TRANSPORTS, watching
from tests.rtsp.clips import Clip, frame_number, numbered_clip
from tests.rtsp.dialect import PLAIN
from tests.rtsp.faults import Garbage, Jump, Restart, Stall, Switch, Unsteady
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer

pytestmark = pytest.mark.alone


def test_a_new_size_is_announced_before_its_first_frame(clip, small_clip):
    behaviour = Behaviour(faults=(Switch(25, clip=small_clip),), speed=4.0)
    with ScriptedServer(clip, behaviour) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 30)
    assert watch.order == ["connecting", "live", "frame", "discontinuity", "frame"]
    change = watch.states[-1]
    assert (change.reason, change.width_px, change.height_px) == ("resolution_change", 160, 128)
    assert {frame.planes.y.shape for frame in watch.frames[:25]} == {(240, 320)}
    assert {frame.planes.y.shape for frame in watch.frames[25:]} == {(128, 160)}
    maps = [frame.planes.blocks for frame in watch.frames]
    assert [told is not None and told.qp.shape for told in maps] == [(15, 20)] * 25 + [(8, 10)] * 5


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


@pytest.mark.parametrize(
    ("damaged", "states"), [(0, ["connecting", "connecting", "live"]), (30, ["connecting", "live", "stalled", "live"])]
)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_camera_that_sends_no_key_frame_for_long_is_told_of(clip, monkeypatch, damaged, states, transport):
    """It was called live, or connecting for the first time, as long as that took."""
    monkeypatch.setattr(connection, "KEYLESS_SECONDS", 0.3)
    behaviour = Behaviour(faults=(Garbage(damaged, kind="nal", frames=1),))
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), transport=transport) as watch:
        watch.until(lambda w: len(w.states) >= len(states) and w.order[-1] == "frame")
    assert [state.state for state in watch.states] == states
    (told,) = [state for state in watch.states if state.reason]
    assert (told.state, told.reason) == (states[-2], "no_key_frame")
    assert (
        "has sent no key frame for 0 s, without which its pictures cannot be decoded: set its key frame interval" in told.detail
    )


@pytest.mark.parametrize("codecs", [("h264", "h265"), ("h265", "h264")])
def test_a_camera_that_goes_on_with_another_codec_is_connected_again(tmp_path, monkeypatch, codecs):
    """It was stalled for ever, and the second was called live each second, without a picture."""
    monkeypatch.setattr(connection, "KEYLESS_SECONDS", 0.3)
    monkeypatch.setattr(connection, "KEYLESS_LIMIT_SECONDS", 0.8)
    first, second = (numbered_clip(tmp_path / codec, codec) for codec in codecs)
    switched = Behaviour(clip=first, dialect=replace(PLAIN, codec=codecs[0]), faults=(Switch(25, clip=second),))
    after = Behaviour(clip=second, dialect=replace(PLAIN, codec=codecs[1]))
    with ScriptedServer(first, [switched, after]) as server, watching(server.url(), stalled_after_seconds=0.4) as watch:
        watch.until(lambda w: w.count("live") == 2 and w.order[-1] == "frame")
    assert watch.order[-5:] == ["stalled", "discontinuity", "connecting", "live", "frame"]
    lost = next(state for state in watch.states if state.state == "discontinuity")
    assert (lost.reason, "has sent no key frame for" in lost.detail) == ("no_key_frame", True)
    assert len(watch.frames) == 26


def test_a_camera_that_begins_no_connection_with_a_key_frame_is_waited_for_longer_each_time(clip, monkeypatch):
    """It was connected anew each minute, and one that sends a key frame in two minutes might never be seen."""
    monkeypatch.setattr(connection, "KEYLESS_SECONDS", 0.3)
    monkeypatch.setattr(connection, "KEYLESS_LIMIT_SECONDS", 0.4)
    keyless = Behaviour(faults=(Garbage(0, kind="nal", frames=1),))
    waited = []
    with ScriptedServer(clip, [keyless, keyless, Behaviour()]) as server, watching(server.url()) as watch:
        watch.until(lambda w: waited.append(w.decoder._keyless_seconds) or w.count("live") == 1)
        server.drop()
        watch.until(lambda w: w.count("live") == 2)
        assert watch.decoder._keyless_seconds == 0.0
    assert max(waited) > 2 * 0.4, "so long the third one would have been kept"
    told = next(state.detail for state in watch.states if "attempt 2" in state.detail)
    assert "has sent no key frame for 0 s, without which its pictures cannot be decoded: set its key frame interval" in told


@pytest.mark.parametrize("fault", [None, Stall(seconds=0.8)])
def test_a_camera_that_sends_key_frames_or_nothing_is_not(clip, monkeypatch, fault):
    monkeypatch.setattr(connection, "KEYLESS_SECONDS", 0.3)
    behaviour = Behaviour(faults=(fault,) if fault else ())
    with ScriptedServer(clip, behaviour) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 30)
    assert "no_key_frame" not in [state.reason for state in watch.states]


def test_a_camera_that_pauses_while_a_key_frame_is_waited_for_is_live_with_its_next_picture(clip, monkeypatch):
    """It was so with its next packet, and again with the picture."""
    monkeypatch.setattr(connection, "KEYLESS_SECONDS", 0.3)
    behaviour = Behaviour(faults=(Garbage(30, kind="nal", frames=1), Stall(40, seconds=1.5)))
    with ScriptedServer(clip, behaviour) as server, watching(server.url(), stalled_after_seconds=0.8) as watch:
        watch.until(lambda w: w.count("live") >= 2 and w.order[-1] == "frame")
    waited = [state.reason for state in watch.states].index("no_key_frame")
    assert "timeout" in [state.reason for state in watch.states[waited:]]
    assert {state.state for state in watch.states[waited:-1]} == {"stalled"}
    assert watch.order[-2:] == ["live", "frame"]


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


def test_fields_of_h265_are_shown_at_their_full_height(tmp_path):
    """Each is a picture of its own: half as high, and of one time."""
    options = {"x265-params": "log-level=none:bframes=0:interlace=tff:repeat-headers=1:keyint=25:scenecut=0:slices=1"}
    path = render(tmp_path / "fields.h265", "libx265", size=(192, 72), frames=50, container="hevc", codec_options=options)
    fields = Clip(path, "h265", 25, (192, 72), 25)
    with ScriptedServer(fields, Behaviour(speed=4.0)) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 10)
    assert {frame.planes.y.shape for frame in watch.frames} == {(144, 192)}

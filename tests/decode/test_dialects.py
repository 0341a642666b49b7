"""Cameras of many makes, each in its own dialect of RTSP, through the reader of cameras."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.decode.test_camera_errors import failure_of
from tests.decode.watching import Watch, watching
from tests.rtsp.clips import Clip, frame_number
from tests.rtsp.dialect import PLAIN, Dialect
from tests.rtsp.dialects import CAMERAS
from tests.rtsp.dialects_in_part import ANSWERED, DESCRIBED
from tests.rtsp.quirks import READ, READ_BY_UDP, UNREAD, WAYS
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer

PASSWORD = "admin:secret"
MAKES = CAMERAS | DESCRIBED | ANSWERED


def seen(
    clip: Clip, dialect: Dialect, frames: int = 6, transport: str = "tcp", **behaviour: object
) -> tuple[Watch, ScriptedServer]:
    """Read so many pictures of a camera that asks for ``PASSWORD`` where its dialect says how."""
    password = PASSWORD if dialect.challenges else ""
    script = Behaviour(dialect=dialect, credentials=password, speed=4.0, **behaviour)  # type: ignore[arg-type]
    with ScriptedServer(clip, script) as server:
        with watching(server.url(dialect.path, password), transport=transport) as watch:
            watch.until(lambda w: len(w.frames) == frames)
        server.wait(lambda: server.counts.teardowns == 1)
    assert watch.order == ["connecting", "live", "frame"]
    return watch, server


@pytest.mark.parametrize("make", MAKES)
def test_every_make_gives_pictures(clip, h265_clip, make):
    dialect = MAKES[make]
    watch, server = seen(clip if dialect.codec == "h264" else h265_clip, dialect)
    assert [frame_number(frame.planes.y) for frame in watch.frames] == list(range(6))
    assert [frame.time.pts_seconds for frame in watch.frames] == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.2], abs=0.001)
    assert {status for _, status in server.counts.answers} <= {200, 401}


@pytest.mark.parametrize("quirk", READ)
def test_what_is_read_in_spite_of_it(clip, quirk):
    watch, _ = seen(clip, READ[quirk], frames=3)
    assert [frame_number(frame.planes.y) for frame in watch.frames] == [0, 1, 2]


@pytest.mark.parametrize("quirk", READ_BY_UDP)
def test_what_is_read_by_udp_in_spite_of_it(clip, quirk):
    seen(clip, READ_BY_UDP[quirk], frames=3, transport="udp")


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_ask_for_a_password(clip, way):
    dialect = replace(PLAIN, challenges=WAYS[way])
    _, server = seen(clip, dialect, frames=1)
    assert server.counts.refused_passwords == 0
    with ScriptedServer(clip, Behaviour(dialect=dialect, credentials="admin:other")) as server:
        last = failure_of(server.url(credentials=PASSWORD))
        assert server.counts.refused_passwords == 1, "cameras lock accounts"
    assert (last.reason, "refuses the user name or password" in last.detail) == ("auth", True)


@pytest.mark.parametrize("quirk", UNREAD)
def test_what_is_not_read_has_its_reason(clip, quirk):
    dialect, reason, says = UNREAD[quirk]
    with ScriptedServer(clip, Behaviour(dialect=dialect, credentials=PASSWORD if dialect.challenges else "")) as server:
        last = failure_of(server.url(credentials=PASSWORD))
        assert server.counts.refused_passwords <= 1
    assert last.reason == reason
    assert says in last.detail


def test_pictures_before_the_answer_to_play_cost_the_first_second(clip):
    """FFmpeg throws them away, the key frame with them."""
    watch, _ = seen(clip, replace(PLAIN, early=3), frames=1)
    assert frame_number(watch.frames[0].planes.y) == 25


def test_parameter_sets_may_come_with_the_pictures_alone(clip):
    watch, _ = seen(clip, PLAIN, frames=2, sdp="no_parameters")
    assert [frame_number(frame.planes.y) for frame in watch.frames] == [0, 1]


def test_parameter_sets_that_come_from_nowhere(clip):
    with ScriptedServer(clip, Behaviour(dialect=replace(PLAIN, sets_sent=False), sdp="no_parameters", speed=20.0)) as server:
        last = failure_of(server.url(credentials=PASSWORD), stall_seconds=0.8)
    assert (last.reason, "cannot be decoded" in last.detail) == ("codec", True)

"""Cameras of many makes, each in its own dialect of RTSP, through the reader of cameras."""

from __future__ import annotations

import pytest

from tests.decode.watching import watching
from tests.rtsp.clips import Clip, frame_number
from tests.rtsp.dialect import Dialect
from tests.rtsp.dialects import CAMERAS
from tests.rtsp.dialects_in_part import ANSWERED, DESCRIBED
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer

PASSWORD = "admin:secret"
MAKES = CAMERAS | DESCRIBED | ANSWERED


def served(clip: Clip, h265_clip: Clip, dialect: Dialect, **behaviour: object) -> ScriptedServer:
    """Return a camera of that make, which asks for ``PASSWORD`` where its make is known to."""
    credentials = PASSWORD if dialect.challenges else ""
    script = Behaviour(dialect=dialect, credentials=credentials, speed=4.0, **behaviour)  # type: ignore[arg-type]
    return ScriptedServer(clip if dialect.codec == "h264" else h265_clip, script)


@pytest.mark.parametrize("make", MAKES)
def test_every_make_gives_pictures(clip, h265_clip, make):
    dialect = MAKES[make]
    with served(clip, h265_clip, dialect) as server:
        with watching(server.url(dialect.path, PASSWORD if dialect.challenges else "")) as watch:
            watch.until(lambda w: len(w.frames) == 6)
        server.wait(lambda: server.counts.teardowns == 1)
    assert watch.order == ["connecting", "live", "frame"]
    assert [frame_number(frame.planes.y) for frame in watch.frames] == list(range(6))
    assert [frame.time.pts_seconds for frame in watch.frames] == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.2], abs=0.001)
    assert {status for _, status in server.counts.answers} <= {200, 401}

"""A camera is let go at once, in whatever state it is."""

from __future__ import annotations

import threading
import time

import pytest

from engine.decode import connection, packet_reader
from engine.errors import WorkerError
from tests.decode.watching import IMPATIENT, watching
from tests.rtsp.faults import Stall
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer

pytestmark = pytest.mark.alone


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

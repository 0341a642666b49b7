"""What a site says is in the buffer, with gaps where it cannot be had; from where the buffer had come to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import zmq
from msgspec import msgpack
from msgspec.structs import replace

from engine.bridge.buffer import Buffer
from engine.bridge.entries import Entry
from engine.bridge.intake import Intake, Site
from engine.contracts.replay import ReplayAnswer, encode_replay
from engine.errors import FatalError
from tests.client.replay_service import answer_all, replaying
from tests.client.wire import Wire
from tests.patience import PATIENCE_SECONDS, until
from tests.publish.samples import face, stream_event
from tests.together import repeatedly


@contextmanager
def taking(folder: Path, site: Site, limit: int = 10**9) -> Iterator[tuple[Buffer, Intake]]:
    with closing(Buffer(folder, limit, "site", gives_way=site.socket == "sub", warn=lambda _: None)) as buffer:
        intake = Intake(site, buffer, lambda: None, print)
        intake.start()
        try:
            yield buffer, intake
        finally:
            intake.stop()
            intake.join(PATIENCE_SECONDS)
            assert not intake.is_alive()


def held(buffer: Buffer) -> list[Any]:
    """Faces as numbers, gaps as pairs, others as their kind."""
    return [_short(entry) for entry in buffer.after(None, 1000, 10**9)]


def _short(entry: Entry) -> Any:
    if entry.missing:
        return entry.key.first_seq, entry.key.last_seq
    return entry.key.first_seq if entry.key.kind == "face" else entry.key.kind


def test_a_flood_of_what_is_not_carried_holds_nothing_up(wire, tmp_path):
    """Through a pull socket all kinds come: what had come stayed in memory, and the bridge did not end."""
    wire.socket.sndtimeo = 50
    numbers = count(1)

    def say():
        with suppress(zmq.Again):  # nobody reads any more
            wire.face(next(numbers))

    with taking(tmp_path, Site(wire.endpoint, socket="pull", kinds=("stream",))) as (buffer, intake):
        wire.say(stream_event(), 0)
        with repeatedly(say, 0.001):
            until(lambda: buffer.waiting == 1, "what is carried")
            intake.stop()
            until(lambda: not intake.is_alive(), "the end")


def test_messages_and_gaps_are_held_in_order_and_as_they_came(wire, tmp_path):
    with taking(tmp_path, Site(wire.endpoint, socket="pull")) as (buffer, intake):
        for seq in (0, 1, 4):
            wire.face(seq)
        wire.say(stream_event(state="ended"), 0)
        wire.end(**{"face/cam1": 6})
        until(lambda: buffer.waiting == 7, "all of it")
        assert held(buffer) == [0, 1, (2, 3), 4, "stream", (5, 6), "end"]
        first = msgpack.decode(buffer.after(None, 1, 1)[0].body)
        assert (first["header"]["run_id"], first["payloads"]) == ("run1", face()[1])
        assert intake.counters["missed"] == 4


def test_it_goes_on_where_the_buffer_had_come_to_and_a_new_run_begins_at_its_beginning(opened, tmp_path):
    """Each time from a socket of its own: one that has not noticed yet that its reader is gone would send to that one."""
    with closing(Wire(opened)) as wire, taking(tmp_path, Site(wire.endpoint, socket="pull")) as (buffer, _):
        wire.face(0)
        until(lambda: buffer.waiting == 1, "a face")
    with closing(Wire(opened)) as wire, taking(tmp_path, Site(wire.endpoint, socket="pull")) as (buffer, _):
        wire.face(3)
        wire.face(2, run_id="run2")
        until(lambda: buffer.waiting == 5, "two runs")
        assert held(buffer) == [0, (1, 2), 3, (0, 1), 2]
    with closing(Wire(opened)) as wire, taking(tmp_path, Site(wire.endpoint, socket="pull")) as (buffer, _):
        wire.face(3, run_id="run2")
        until(lambda: buffer.waiting == 6, "another one")
        assert held(buffer)[-1] == 3


def test_what_was_sent_while_it_was_away_is_asked_for_even_where_nothing_more_comes(wire, opened, tmp_path):
    with taking(tmp_path, Site(wire.endpoint, socket="pull")) as (buffer, _):
        wire.face(0)
        until(lambda: buffer.waiting == 1, "a face")
    newest = {"face": 4, "end": -1}

    def answer(router, identity, request):
        answer_up_to(router, identity, request, newest[request.kind])

    with replaying(opened, answer) as (replay, asked):
        with taking(tmp_path, Site(wire.endpoint, replay=replay, socket="pull")) as (buffer, intake):
            until(lambda: buffer.waiting == 5, "what was missed")
            assert held(buffer) == [0, 1, 2, 3, 4]
            assert intake.counters["replayed"] == 4
        assert {(request.kind, request.run_id) for request in asked} == {("face", "run1"), ("end", "")}


def test_a_full_buffer_holds_a_push_socket_back_and_takes_more_when_there_is_room(wire, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bridge.intake._COMMIT_BYTES", 1)  # each message by itself, so that the first one fills it
    with taking(tmp_path, Site(wire.endpoint, socket="pull"), limit=1) as (buffer, intake):
        for seq in range(5):
            wire.face(seq)
        for seq in range(5):
            until(lambda seq=seq: held(buffer) == [seq], f"face {seq} alone")
            assert intake.counters["received"] == seq + 1
            buffer.acknowledge(buffer.after(None, 1, 1)[0])
        assert buffer.gave_way == 0


def test_what_ends_it_is_told(wire, tmp_path):
    ended = threading.Event()
    with closing(Buffer(tmp_path, 10**9, "site", warn=lambda _: None)) as buffer:
        intake = Intake(Site(wire.endpoint, socket="pull"), buffer, ended.set, print)
        intake.start()
        wire.face(0)
        until(lambda: buffer.waiting == 1, "a face")
        message, payloads = face()
        wire.say(message, 1, payloads, schema="facestream/2")
        assert ended.wait(PATIENCE_SECONDS)
        assert isinstance(intake.failure, FatalError)
        assert "facestream/2" in str(intake.failure)


def answer_up_to(router, identity, request, newest):
    """Answer as a publisher does that has sent faces up to ``newest``."""
    if request.from_seq <= newest:
        answer_all(router, identity, replace(request, to_seq=min(newest, request.to_seq)))
        return
    done = ReplayAnswer(request_id=request.request_id, status="done", first_seq=request.from_seq, last_seq=request.from_seq - 1)
    router.send_multipart([identity, encode_replay(done)])

"""The replay service and our own subscriber at a door."""

from __future__ import annotations

import pytest
import zmq

from engine.client import Subscriber
from engine.contracts.replay import ReplayRequest, decode_answer, encode_replay
from engine.errors import FatalError
from engine.keys.files import write_key
from tests.patience import PATIENCE_SECONDS
from tests.publish.locked import locked
from tests.publish.samples import end, face
from tests.publish.strangers import key_of_another_engine, revoked_key


def ask(at, asker, stream, kind="face"):
    request = ReplayRequest(request_id=1, stream=stream, kind=kind, from_seq=0)
    asker.socket.send(encode_replay(request))
    at.until(lambda: asker.socket.poll(0))
    return decode_answer(asker.socket.recv_multipart()[0])


def test_the_replay_service_answers_what_an_asker_may_read(tmp_path):
    with locked(tmp_path, replay="tcp://127.0.0.1:*") as at:
        for stream in ("door", "yard"):
            at.publisher.send(*face(stream))
        there = at.publisher.bound_replay
        door = at.client(at.folder.add("door", ["v1/face/door/"]), kind=zmq.DEALER, endpoint=there)
        assert ask(at, door, "door").status == "message"
        assert decode_answer(door.socket.recv_multipart()[0]).status == "done"
        for refused in (("yard", "face"), ("door", "track"), ("", "face"), ("", "end"), ("door/../yard", "track")):
            assert ask(at, door, *refused).status == "refused"
        everything = at.client(at.rightful, kind=zmq.DEALER, endpoint=there)
        assert ask(at, everything, "yard").status == "message"
        at.folder.revoke("door")
        at.until(lambda: zmq.Event.HANDSHAKE_FAILED_AUTH in door.seen)
        at.until(lambda: everything.seen.count(zmq.Event.HANDSHAKE_SUCCEEDED) > everything.seen.count(zmq.Event.DISCONNECTED))
        while everything.socket.poll(0):  # the rest of the answer before
            everything.socket.recv_multipart()
        assert ask(at, everything, "yard").status == "message"
        stranger = at.client(kind=zmq.DEALER, endpoint=there)
        at.until(lambda: stranger.failed)


def test_push_keeps_a_client_out_that_is_given_some_topics_later(tmp_path):
    with locked(tmp_path, socket="push") as at:
        client = at.client(at.folder.add("door", ["v1/face/door/"]))
        at.until(
            lambda: (
                client.failed and any("door is not let in: it may read some topics only" in sentence for sentence in at.said)
            )
        )


def test_our_subscriber_reads_with_its_file_and_says_why_it_cannot(tmp_path):
    with locked(tmp_path, replay="tcp://127.0.0.1:*") as at:
        there, replay = at.publisher.bound_endpoint, at.publisher.bound_replay
        write_key(tmp_path / "mine.key", at.rightful)
        at.publisher.send(*face("door"))
        with Subscriber(
            there, replay=replay, key=tmp_path / "mine.key", timeout_seconds=PATIENCE_SECONDS, context=at.context
        ) as subscriber:
            at.until(lambda: at.publisher.subscriptions >= 4)
            at.publisher.send(*face("door"))
            at.publisher.send(end(), [])
            with at.working():
                assert [(item.message.seq, item.replayed) for item in subscriber] == [(0, True), (1, False), (0, False)]
        write_key(tmp_path / "former.key", revoked_key(at, tmp_path))
        for file, why in (
            (None, "wants a key: give a file of `facestream keys new`"),
            ("former.key", "does not accept this key, or no longer"),
        ):
            with (
                Subscriber(
                    there, key=file and tmp_path / file, timeout_seconds=PATIENCE_SECONDS, context=at.context
                ) as refused,
                pytest.raises(FatalError, match=why),
            ):
                next(iter(refused))


def test_what_a_key_is_not_for_is_not_missed(tmp_path):
    """All faces of the other cameras were said to be lost, at the end of each run."""
    with locked(tmp_path, replay="tcp://127.0.0.1:*") as at:
        write_key(tmp_path / "door.key", at.folder.add("door", ["v1/face/door/", "v1/end/"]))
        options = {"replay": at.publisher.bound_replay, "key": tmp_path / "door.key", "timeout_seconds": PATIENCE_SECONDS}
        told = []
        with Subscriber(at.publisher.bound_endpoint, context=at.context, tell=told.append, **options) as subscriber:
            at.until(lambda: at.publisher.subscriptions >= 2)
            for stream in ("door", "yard"):
                at.publisher.send(*face(stream))
            at.publisher.send(end(), [])
            with at.working():
                assert [(item.message.stream, item.message.seq) for item in subscriber] == [("door", 0), ("", 0)]
            assert (subscriber.counters["missed"], told) == (0, [])


def test_our_subscriber_says_that_its_key_is_for_another_engine(tmp_path):
    with locked(tmp_path) as at:
        write_key(tmp_path / "other.key", key_of_another_engine(at, tmp_path))
        with (
            Subscriber(
                at.publisher.bound_endpoint, key=tmp_path / "other.key", timeout_seconds=PATIENCE_SECONDS, context=at.context
            ) as one,
            pytest.raises(FatalError, match="the key of stranger is most likely for another engine"),
        ):
            next(iter(one))

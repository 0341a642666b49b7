"""Who gets in, seen from both ends: what the publisher says, and what the client's own socket saw."""

from __future__ import annotations

import errno
import os
import socket as stdlib_socket
import time
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import zmq
from zmq.auth.thread import ThreadAuthenticator

from engine.client import Subscriber
from engine.contracts.replay import ReplayRequest, decode_answer, encode_replay
from engine.errors import FatalError
from engine.keys.files import write_key
from engine.keys.folder import KeyFolder
from tests.publish.bad_peers import frame
from tests.publish.locked import locked
from tests.publish.samples import end, face

KINDS = pytest.mark.parametrize("socket", ["pub", "push"])


def key_of_another_engine(at, tmp_path):
    return KeyFolder(tmp_path / "other").add("stranger")


def key_that_is_not_on_the_list(at, tmp_path):
    key = key_of_another_engine(at, tmp_path)
    return type(key)(name=key.name, public=key.public, secret=key.secret, server=at.rightful.server)


def revoked_key(at, tmp_path):
    key = at.folder.add("former")
    at.folder.revoke("former")
    return key


def no_key(at, tmp_path):
    return None


@KINDS
@pytest.mark.parametrize("key_of", [no_key, key_of_another_engine, key_that_is_not_on_the_list, revoked_key])
def test_who_has_no_right_gets_no_connection_and_one_line(socket, key_of, tmp_path):
    with locked(tmp_path, socket=socket) as at:
        rightful = at.client(at.rightful)
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in rightful.seen)
        strangers = [at.client(key_of(at, tmp_path / str(number))) for number in range(3)]
        at.until(lambda: all(stranger.failed for stranger in strangers) and at.publisher.counters["refused"] >= 3)
        if socket == "pub":
            at.until(lambda: at.publisher.subscriptions == 1)
        for index in range(20):
            at.publisher.send(*face("door", track_id=index))
        assert len(at.hear(rightful, "v1/face/door/19/")) == 20
        assert [stranger.topics() for stranger in strangers] == [[], [], []]
        assert not any(zmq.Event.HANDSHAKE_SUCCEEDED in stranger.seen for stranger in strangers)
    assert len(at.said) == 1, at.said
    assert "refused: " in at.said[0]
    assert at.rightful.secret not in at.said[0]


def test_each_gets_what_it_may_read_of_what_it_asks_for(tmp_path):
    with locked(tmp_path) as at:
        door = at.client(at.folder.add("door", ["v1/face/door/", "v1/end/"]))
        faces = at.client(at.folder.add("faces", ["v1/face/"]), topics=(b"v1/face/yard/", b"v1/stats/"))
        everything = at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 4)
        for stream in ("door", "door2", "yard"):
            at.publisher.send(*face(stream))
        at.publisher.send(end(), [])
        assert at.hear(everything, "v1/end/") == ["v1/face/door/1/", "v1/face/door2/1/", "v1/face/yard/1/", "v1/end/"]
        assert at.hear(door, "v1/end/") == ["v1/face/door/1/", "v1/end/"]
        assert at.hear(faces, "v1/face/yard/1/") == ["v1/face/yard/1/"]


def test_what_is_no_longer_asked_for_is_no_longer_sent(tmp_path):
    with locked(tmp_path) as at:
        client = at.client(at.folder.add("door", ["v1/face/door/"]), topics=(b"v1/face/", b"v1/"))
        at.until(lambda: at.publisher.subscriptions == 1)
        client.socket.unsubscribe(b"v1/")
        everything = at.client(at.rightful, topics=(b"v1/face/",))
        at.until(lambda: at.publisher.subscriptions == 2)
        at.publisher.send(*face("door"))
        assert at.hear(client, "v1/face/door/1/") == ["v1/face/door/1/"], "it is still asked for by the other subscription"
        everything.close()
        client.socket.unsubscribe(b"v1/face/")
        at.until(lambda: at.publisher.subscriptions == 0)


@KINDS
def test_a_client_that_is_revoked_is_cut_and_stays_out(socket, tmp_path):
    with locked(tmp_path, socket=socket) as at:
        key = at.folder.add("former")
        former = at.client(key)
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in former.seen)
        if socket == "pub":
            at.until(lambda: at.publisher.subscriptions == 1)
        at.publisher.send(*face("before"))
        at.hear(former, "v1/face/before/1/")
        rightful = at.client(at.rightful)
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in rightful.seen)
        at.folder.revoke("former")
        at.until(lambda: zmq.Event.HANDSHAKE_FAILED_AUTH in former.seen)
        at.until(lambda: rightful.seen.count(zmq.Event.HANDSHAKE_SUCCEEDED) > rightful.seen.count(zmq.Event.DISCONNECTED))
        if socket == "pub":
            at.until(lambda: at.publisher.subscriptions == 1)
        at.publisher.send(*face("after"))
        assert at.hear(rightful, "v1/face/after/1/") == ["v1/face/after/1/"]
        assert former.topics() == []


@KINDS
@pytest.mark.parametrize("path", ["{folder}/run/faces", "@{folder}/abstract"])
def test_keys_hold_for_ipc_too(socket, path, tmp_path):
    with locked(tmp_path, endpoint=f"ipc://{path.format(folder=tmp_path)}", socket=socket) as at:
        stranger, former = at.client(), at.client(at.folder.add("former"))
        at.until(lambda: stranger.failed and zmq.Event.HANDSHAKE_SUCCEEDED in former.seen)
        if socket == "pub":
            at.until(lambda: at.publisher.subscriptions == 1)
        at.folder.revoke("former")
        at.until(lambda: zmq.Event.HANDSHAKE_FAILED_AUTH in former.seen)


def test_a_new_client_comes_in_without_a_restart(tmp_path):
    with locked(tmp_path) as at:
        at.client(at.folder.add("later", ["v1/face/"]))
        at.until(lambda: at.publisher.subscriptions == 1)
    assert at.said == []


def test_a_file_that_is_damaged_while_the_engine_runs_lets_nobody_in_and_harms_nobody(tmp_path):
    with locked(tmp_path) as at:
        key = at.folder.add("unlucky")
        (tmp_path / "keys" / "clients" / "unlucky.json").write_text("{")
        unlucky, rightful = at.client(key), at.client(at.rightful)
        at.until(lambda: unlucky.failed and at.publisher.subscriptions == 1)
        at.publisher.send(*face("door"))
        at.hear(rightful, "v1/face/door/1/")
        at.until(lambda: any("unlucky.json is not an entry of" in sentence for sentence in at.said))


def test_when_the_folder_goes_away_nobody_is_let_in(tmp_path):
    with locked(tmp_path) as at:
        (tmp_path / "keys" / "clients").rename(tmp_path / "elsewhere")
        client = at.client(at.rightful)
        at.until(lambda: client.failed)
        (tmp_path / "elsewhere").rename(tmp_path / "keys" / "clients")
        back = at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)
        assert zmq.Event.HANDSHAKE_SUCCEEDED in back.seen


@pytest.mark.parametrize("fails", ["the folder", "a file"])
def test_a_list_that_cannot_be_read_keeps_out_and_goes_on_answering(fails, tmp_path, monkeypatch):
    def refused(*of):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with locked(tmp_path) as at, monkeypatch.context() as patch:
        patch.setattr(at.publisher._door._list._folder, "state" if fails == "the folder" else "_entries", refused)
        assert not at.publisher._door._list.callback("facestream", at.rightful.public.encode())
        patch.undo()
        at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)


def test_a_list_that_has_stopped_answering_is_started_again_and_said(tmp_path):
    with locked(tmp_path) as at:
        authenticator = at.publisher._door._authenticator
        authenticator.pipe.send(b"TERMINATE")
        authenticator.thread.join(20)
        at.until(authenticator.is_alive)
        at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)
    assert at.said == ["publish: the list of keys has stopped answering, and is started again"]


def test_a_door_whose_list_has_stopped_answering_can_be_closed(tmp_path):
    with locked(tmp_path) as at:
        authenticator = at.publisher._door._authenticator
        authenticator.pipe.send(b"TERMINATE")
        authenticator.thread.join(20)
        at.publisher._door.close()
        assert authenticator.pipe is None


def test_who_is_refused_from_many_addresses_is_one_cause_with_the_newest(tmp_path, monkeypatch):
    with locked(tmp_path) as at:
        door, later = at.publisher._door, count(1e9, 100)
        at.until(lambda: door._next_look > 0)
        for number in range(50):
            door._list.address = f"192.0.2.{number}"
            door._list.callback("facestream", b"k" * 40)
            if number in (0, 49):
                door.poll()
        assert [sentence.rpartition(": ")[0] for sentence in at.said] == ["publish: 1 connection was refused"]
        monkeypatch.setattr("engine.publish.door.time", SimpleNamespace(monotonic=lambda: next(later)))
        door.poll()
        assert len(at.said) == 2
        assert at.said[1].startswith("publish: 49 connections were refused: its key is not, or no longer, in ")
        assert at.said[1].endswith("(the last from 192.0.2.49)")
        for number in range(20):
            door.tell(f"file {number}", "is damaged")
        assert len(door._told) == 1, "what was told long ago is forgotten"


def test_a_publisher_that_replaces_another_copes_with_what_has_become_of_the_clients(tmp_path):
    KeyFolder(tmp_path / "keys").add("bound", ["v1/face/"])
    (tmp_path / "keys" / "clients" / "broken.json").write_text("{")
    with locked(tmp_path, socket="push") as at:
        client = at.client(at.rightful)
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in client.seen and len(at.said) == 2)
    assert {"broken.json is not an entry" in said for said in at.said} == {True, False}


def test_a_file_whose_name_is_no_text_is_told_as_text(tmp_path):
    with locked(tmp_path) as at:
        (Path(os.fsdecode(os.fsencode(tmp_path / "keys" / "clients") + b"/caf\xe9.json"))).write_text("{")
        at.until(lambda: at.said)
        assert "caf?.json is not an entry" in at.said[0].encode().decode()


@KINDS
def test_who_cannot_be_cut_as_too_many_files_are_open_is_cut_at_the_next_look(socket, tmp_path, monkeypatch):
    full = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    tried = []

    def refused(*of):
        tried.append(of)
        raise full

    with locked(tmp_path, socket=socket) as at:
        former = at.client(at.folder.add("former"))
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in former.seen)
        if socket == "pub":
            at.until(lambda: at.publisher.subscriptions == 1)
        with monkeypatch.context() as patch:
            patch.setattr("engine.publish.connections.os.listdir", refused)
            patch.setattr("engine.publish.connections.os.dup", refused)
            at.folder.revoke("former")
            at.until(lambda: len(tried) > 1)
        assert zmq.Event.DISCONNECTED not in former.seen
        at.until(lambda: zmq.Event.HANDSHAKE_FAILED_AUTH in former.seen)


def test_without_an_answer_of_the_list_nobody_is_let_in(tmp_path, monkeypatch):
    monkeypatch.setattr(ThreadAuthenticator, "start", lambda self: None)
    with locked(tmp_path) as at:
        client = at.client(at.rightful)
        at.until(lambda: at.publisher.counters["refused"])
        assert zmq.Event.HANDSHAKE_SUCCEEDED not in client.seen


def have_arrived(at, client):
    """Wait, while the publisher reads nothing, until what was sent before a client came is there: one thread moves it all."""
    deadline = time.monotonic() + 20
    while zmq.Event.HANDSHAKE_SUCCEEDED not in client.seen:
        assert time.monotonic() < deadline, "it never came in"
        at.publisher._door.poll()
    assert at.publisher._socket.poll(0)


def test_a_message_that_is_no_subscription_gives_nobody_anothers_topics(tmp_path):
    """It takes the turn of the next question, which would be answered to whoever asks after it."""
    with locked(tmp_path) as at:
        key = at.folder.add("sly", ["v1/face/door/"])
        sly = at.client(key, kind=zmq.XSUB)
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in sly.seen)
        sly.socket.send(b"hello")
        assert at.publisher._socket.poll(10_000), "it waits to be read"
        rightful = at.client(at.rightful)
        have_arrived(at, rightful)
        have_arrived(at, at.client(at.rightful, topics=()))
        sly.socket.send(b"\x01v1/face/door/")
        have_arrived(at, at.client(at.rightful, topics=()))
        at.until(lambda: at.publisher.subscriptions == 2)
        sly.socket.send(b"\x01v1/")
        readers = at.publisher._subscriptions._readers
        at.until(lambda: any(b"v1/" in reader.asked for reader in readers.values() if reader.key == key.public))
        for stream in ("yard", "door"):
            at.publisher.send(*face(stream))
        assert at.hear(rightful, "v1/face/door/1/") == ["v1/face/yard/1/", "v1/face/door/1/"]
        assert at.hear(sly, "v1/face/door/1/") == ["v1/face/door/1/"]
    assert at.said == ["publish: the client sly sends what is no subscription, and is cut"]


_CURVE_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"CURVE".ljust(20, b"\0") + b"\x00" + bytes(31)
_NULL_GREETING = _CURVE_GREETING.replace(b"CURVE", b"NULL\0")
GARBAGE = {
    "nothing": b"",
    "random bytes": bytes(range(256)) * 16,
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a greeting": _CURVE_GREETING[:20],
    "a greeting alone": _CURVE_GREETING,
    "an empty hello": _CURVE_GREETING + b"\x04\x06\x05HELLO",
    "a hello of zeros": _CURVE_GREETING + b"\x04\xc8" + b"\x05HELLO" + bytes(194),
    "a huge hello": _CURVE_GREETING + b"\x06" + (1 << 40).to_bytes(8, "big"),
    "in the clear, at once": _NULL_GREETING + b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03SUB" + frame(b"\x01v1/"),
}


def test_garbage_and_half_handshakes_disturb_nobody(tmp_path):
    with locked(tmp_path) as at:
        host, port = at.publisher.bound_endpoint.removeprefix("tcp://").split(":")
        rightful = at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)
        peers = []
        for index, said in enumerate(GARBAGE.values()):
            peers.append(stdlib_socket.create_connection((host, int(port)), timeout=10))
            peers[-1].sendall(said)
            at.publisher.send(*face("door", track_id=index))
            assert at.hear(rightful, f"v1/face/door/{index}/") == [f"v1/face/door/{index}/"]
        late = at.client(at.folder.add("late"))
        at.until(lambda: zmq.Event.HANDSHAKE_SUCCEEDED in late.seen, "the door still opens")
        at.publisher.send(*face("door", track_id=99))
        at.hear(rightful, "v1/face/door/99/")
        for peer in peers:
            peer.setblocking(False)
            assert b"face" not in received(peer), "nothing but a greeting was said to it"
            peer.close()
        assert rightful.seen.count(zmq.Event.DISCONNECTED) == 0
    assert len(at.said) <= 1, at.said


def received(peer):
    try:
        return peer.recv(1 << 20)
    except (BlockingIOError, ConnectionError):
        return b""


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
        with Subscriber(there, replay=replay, key=tmp_path / "mine.key", timeout_seconds=20, context=at.context) as subscriber:
            at.until(lambda: at.publisher.subscriptions >= 4)
            at.publisher.send(*face("door"))
            at.publisher.send(end(), [])
            with at.working():
                assert [(item.message.seq, item.replayed) for item in subscriber] == [(0, True), (1, False), (0, False)]
        write_key(tmp_path / "former.key", revoked_key(at, tmp_path))
        for file, why in ((None, "wants a key: give --key"), ("former.key", "does not accept this key, or no longer")):
            with (
                Subscriber(there, key=file and tmp_path / file, timeout_seconds=20, context=at.context) as refused,
                pytest.raises(FatalError, match=why),
            ):
                next(iter(refused))


def test_our_subscriber_says_that_its_key_is_for_another_engine(tmp_path):
    with locked(tmp_path) as at:
        write_key(tmp_path / "other.key", key_of_another_engine(at, tmp_path))
        with (
            Subscriber(at.publisher.bound_endpoint, key=tmp_path / "other.key", timeout_seconds=20, context=at.context) as one,
            pytest.raises(FatalError, match="the key of stranger is most likely for another engine"),
        ):
            next(iter(one))

"""Who gets in, seen from both ends: what the publisher says, and what the client's own socket saw."""

from __future__ import annotations

import errno
import os
import time

import pytest
import zmq

from tests.patience import PATIENCE_SECONDS
from tests.publish.locked import KINDS, locked
from tests.publish.samples import end, face
from tests.publish.strangers import key_of_another_engine, key_that_is_not_on_the_list, no_key, revoked_key


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


def have_arrived(at, client):
    """Wait, while the publisher reads nothing, until what was sent before a client came is there: one thread moves it all."""
    deadline = time.monotonic() + PATIENCE_SECONDS
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
        assert at.publisher._socket.poll(1000 * PATIENCE_SECONDS), "it waits to be read"
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
    assert at.said == ["publish: the client sly sent something that is not a subscription, and was disconnected"]

"""The list of keys: entries that are damaged, a folder that goes away, a thread that ends, and how often each is told."""

from __future__ import annotations

import errno
import os
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
import zmq
from zmq.auth.thread import ThreadAuthenticator

from engine.keys.folder import KeyFolder
from tests.patience import PATIENCE_SECONDS
from tests.publish.locked import locked
from tests.publish.samples import face


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


def test_when_others_may_use_the_folder_nobody_is_let_in(tmp_path):
    """It was looked at when the engine started alone: whoever could write there later let themselves in."""
    with locked(tmp_path) as at:
        (tmp_path / "keys" / "clients").chmod(0o777)
        client = at.client(at.rightful)
        at.until(lambda: client.failed)
        at.until(lambda: any("others may use the folder of keys" in sentence for sentence in at.said))
        (tmp_path / "keys" / "clients").chmod(0o700)
        at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)


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
        authenticator.thread.join(PATIENCE_SECONDS)
        at.until(authenticator.is_alive)
        at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)
    assert at.said == ["publish: the list of keys has stopped answering, and is started again"]


def test_a_door_whose_list_has_stopped_answering_can_be_closed(tmp_path):
    with locked(tmp_path) as at:
        authenticator = at.publisher._door._authenticator
        authenticator.pipe.send(b"TERMINATE")
        authenticator.thread.join(PATIENCE_SECONDS)
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
        monkeypatch.setattr("engine.words.seldom.time", SimpleNamespace(monotonic=lambda: next(later)))
        door.poll()
        assert len(at.said) == 2
        assert at.said[1].startswith("publish: 49 connections were refused: its key is not, or no longer, in ")
        assert at.said[1].endswith("(the last from 192.0.2.49)")


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
        assert r"caf\udce9.json is not an entry" in at.said[0].encode().decode()


def test_without_an_answer_of_the_list_nobody_is_let_in(tmp_path, monkeypatch):
    monkeypatch.setattr(ThreadAuthenticator, "start", lambda self: None)
    with locked(tmp_path) as at:
        client = at.client(at.rightful)
        at.until(lambda: at.publisher.counters["refused"])
        assert zmq.Event.HANDSHAKE_SUCCEEDED not in client.seen


@pytest.mark.parametrize("how", ["new", "gone"])
def test_another_key_of_the_engine_in_the_folder_is_told_of(how, tmp_path):
    """Who was made a client with it was said to have no key, or one for another engine; the others went on."""
    with locked(tmp_path) as at:
        rightful = at.client(at.rightful)
        at.until(lambda: at.publisher.subscriptions == 1)
        (at.folder.path / "server.json").unlink()
        if how == "new":
            at.folder.add("later")
            at.until(lambda: any("holds another key of the engine than at the start" in said for said in at.said))
        else:
            door = at.publisher._door
            last = door._next_look
            at.until(lambda: door._next_look > last)
        at.publisher.send(*face("door"))
        assert at.hear(rightful, "v1/face/door/1/") == ["v1/face/door/1/"]
    assert len(at.said) == (how == "new")


def test_what_has_not_changed_is_not_read_again(tmp_path, monkeypatch):
    """The engine's own key was read four times a second."""
    with locked(tmp_path) as at:
        read = []
        for name in ("server", "readable_clients"):
            monkeypatch.setattr(KeyFolder, name, lambda self, name=name: read.append(name))
        door = at.publisher._door
        for _ in range(2):
            last = door._next_look
            at.until(lambda last=last: door._next_look > last)
    assert read == []

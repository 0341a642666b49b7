"""The tap gets what subscribers get, whatever their socket is or does, and costs them nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq

from engine.config import PublishConfig
from engine.contracts.messages import Face, Track, decode_header
from engine.contracts.tap import Tap
from engine.errors import ConfigError
from engine.keys.folder import KeyFolder
from engine.publish.publisher import Publisher
from engine.publish.tap import TapSocket
from tests.publish.samples import face, stream_event, track


@contextmanager
def tapped(folder: Path, **config: object) -> Iterator[tuple[Publisher, str]]:
    """Yield a publisher, and the endpoint of its tap."""
    with zmq.Context() as context:
        tap = Tap.in_folder(folder / "service").messages
        publisher = Publisher(PublishConfig(**config), "run1", context, tap=tap)  # type: ignore[arg-type]
        try:
            yield publisher, tap
        finally:
            publisher.close()


@contextmanager
def listener(endpoint: str, topic: bytes = b"") -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SUBSCRIBE, topic)
        socket.connect(endpoint)
        yield socket


def follow(publisher: Publisher, *, heard: bool = True) -> None:
    """Wait until the tap knows that somebody listens, or nobody."""
    assert publisher._tap is not None
    follow_tap(publisher._tap, heard=heard)


def follow_tap(tap: TapSocket, *, heard: bool = True) -> None:
    while tap.is_heard != heard:
        assert tap._socket.poll(5000), "nobody came or went"
        tap.poll()


def receive(socket: zmq.Socket[bytes]) -> list[bytes]:
    assert socket.poll(5000), "nothing came"
    return socket.recv_multipart()


@pytest.mark.parametrize("kind", ["nowhere", "push", "pub", "keys"])
def test_the_tap_gets_every_message_whatever_the_socket_is(tmp_path: Path, kind: str):
    config: dict[str, object] = {} if kind == "nowhere" else {"endpoint": f"ipc://{tmp_path}/out/faces"}
    if kind == "push":
        config["socket"] = "push"  # nobody ever reads it
    if kind == "keys":
        KeyFolder(tmp_path / "keys").add("someone", [])
        config["keys"] = str(tmp_path / "keys")
    with tapped(tmp_path, **config) as (publisher, tap), listener(tap) as socket:
        follow(publisher)
        sent = [publisher.send(*said, should_stop=lambda: True) for said in ((stream_event("cam1"), []), face(), track())]
        got = [receive(socket) for _ in sent]
    assert [decode_header(header).seq for _, header, *_ in got] == [message.seq for message in sent]
    assert [topic for topic, *_ in got] == [b"v1/stream/cam1/", b"v1/face/cam1/1/", b"v1/track/cam1/1/"]


@pytest.mark.parametrize("embeddings", [False, True])
def test_vectors_are_withheld_from_the_tap_as_from_everybody(tmp_path: Path, embeddings: bool):
    with tapped(tmp_path, embeddings=embeddings) as (publisher, tap), listener(tap) as socket:
        follow(publisher)
        for said in (face(), track()):
            publisher.send(*said)
            _, header, *payloads = receive(socket)
            message = decode_header(header)
            assert isinstance(message, Face | Track)
            assert [part.name for part in message.parts].count("embedding") == embeddings
            assert len(payloads) == len(message.parts)


def test_nothing_is_made_of_a_message_that_nobody_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made: list[object] = []
    monkeypatch.setattr("engine.publish.publisher.frames_of", lambda *given, **settings: made.append(given) or [b""])
    with tapped(tmp_path) as (publisher, tap):
        publisher.send(*face())
        publisher.poll()
        assert made == []
        with listener(tap):
            follow(publisher)
            publisher.send(*face())
            assert len(made) == 1
        follow(publisher, heard=False)
        publisher.send(*face())
    assert len(made) == 1


def test_a_reader_that_has_stopped_holds_nothing_back_and_not_everything(tmp_path: Path):
    with tapped(tmp_path) as (publisher, tap), listener(tap) as socket:
        socket.setsockopt(zmq.RCVHWM, 1)  # of later connections
        socket.disconnect(tap)
        socket.connect(tap)
        follow(publisher)
        for index in range(3000):
            publisher.send(*face(index=index))
        publisher.poll()
        got = 0
        while socket.poll(300):
            socket.recv_multipart()
            got += 1
    assert 0 < got < 3000


def test_the_folder_is_its_users_alone_and_nothing_is_left(tmp_path: Path):
    with tapped(tmp_path) as (publisher, _):
        folder = tmp_path / "service"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert (folder / "tap.sock").is_socket()
        publisher.remove_socket_files()
        assert list(folder.iterdir()) == []


def test_a_folder_of_others_is_refused(tmp_path: Path):
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    shared.chmod(0o755)
    with zmq.Context() as context, pytest.raises(ConfigError, match="others may use the folder"):
        TapSocket(context, Tap.in_folder(shared).messages)


def test_only_what_is_asked_for_is_wanted(tmp_path: Path):
    tap = Tap.in_folder(tmp_path / "service").previews
    with zmq.Context() as context:
        socket = TapSocket(context, tap)
        try:
            assert not socket.wants("v1/preview/cam1/")
            with listener(tap, b"v1/preview/cam1/"):
                follow_tap(socket)
                assert socket.wants("v1/preview/cam1/")
                assert not socket.wants("v1/preview/cam10/")
            for above in (b"", b"v1/", b"v1/preview/"):
                follow_tap(socket, heard=False)
                with listener(tap, above):
                    follow_tap(socket)
                    assert socket.wants("v1/preview/cam10/")
            follow_tap(socket, heard=False)
            assert not socket.wants("v1/preview/cam1/")
        finally:
            socket.close()

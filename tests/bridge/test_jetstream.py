"""A real broker: its stream is made, or left as it is; what it refuses is one sentence; nothing shows a password."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from nats.js.api import DiscardPolicy, StreamConfig

from engine.bridge.broker import Broker
from engine.bridge.jetstream import JetStream, JetStreamLink
from engine.bridge.link import Answer, Outgoing
from engine.bridge.names import Key
from engine.errors import ConfigError, LinkError
from tests.patience import PATIENCE_SECONDS
from tests.servers.certificate import certificate
from tests.servers.nats import NatsServer, jetstream_of, require_nats


@pytest.fixture(autouse=True)
def _times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a failure makes it short; all else may take its time."""
    monkeypatch.setattr("engine.bridge.jetstream._CONNECT_SECONDS", PATIENCE_SECONDS / 2)


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    require_nats()
    with NatsServer() as started:
        yield started


def over(broker: Broker, use: Callable[[JetStreamLink, list[Answer]], Coroutine[Any, Any, Any]]) -> Any:
    """Open a link, use it, close it."""

    async def run() -> Any:
        answers: list[Answer] = []
        link = await JetStreamLink.open(broker, answers.append, lambda: None)
        try:
            return await use(link, answers)
        finally:
            await link.close()

    return asyncio.run(asyncio.wait_for(run(), PATIENCE_SECONDS))


async def answered(answers: list[Answer], count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(answers) < count:
            await asyncio.sleep(0.01)


def jetstream(server: NatsServer, ask: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        async with jetstream_of(server.url) as stream:
            return await ask(stream)

    return asyncio.run(run())


def face(number: int, run: str) -> Outgoing:
    return Outgoing(number, Key(run, "door", "face", 0, 0), False, b"x")


def end(number: int) -> Outgoing:
    return Outgoing(number, Key(f"run{number}", "", "end", 0, 0), False, b"x")


async def _three(link: JetStreamLink, answers: list[Answer]) -> list[Answer]:
    for number, run in enumerate(("a", "b", "a")):
        await link.publish(face(number, run))
    await answered(answers, 3)
    return answers


def test_a_stream_is_made_and_drops_what_it_has(server):
    assert over(Broker(server.url, "made", window_seconds=120.0), _three) == [
        Answer(0), Answer(1), Answer(2, repeated=True),
    ]  # fmt: skip
    config = jetstream(server, lambda stream: stream.stream_info("facestream-made")).config
    assert config.subjects == ["facestream.made.>"]
    assert (config.duplicate_window, config.max_age, config.max_bytes) == (120.0, 7 * 86_400.0, 10 << 30)


def test_a_stream_that_is_there_is_left_as_it_is(server):
    jetstream(server, lambda stream: stream.add_stream(name="own", subjects=["facestream.own.>"], max_msg_size=5000))

    async def look(link: JetStreamLink, answers: list[Answer]) -> tuple[int, float]:
        return link.max_bytes, link.window_seconds

    before = jetstream(server, lambda stream: stream.stream_info("own")).config
    assert over(Broker(server.url, "own", stream="own"), look) == (5000 - 1024, 120.0)
    assert jetstream(server, lambda stream: stream.stream_info("own")).config == before


@pytest.mark.parametrize("subjects", [["orders.>"], ["facestream.part.v1.face.>", "facestream.part.v1.*"]])
def test_a_stream_that_does_not_take_all_of_a_site_is_refused_before_anything_is_sent(server, subjects):
    jetstream(server, lambda stream: stream.add_stream(name="facestream-part", subjects=subjects))
    try:
        assert "'facestream-part' of nats://127.0.0.1" in (said := _open(Broker(server.url, "part")))
        assert "does not take facestream.part.v1.>: give it that subject" in said
    finally:
        jetstream(server, lambda stream: stream.delete_stream("facestream-part"))


def test_what_a_stream_does_not_take_is_refused_with_a_reason(server):
    config = StreamConfig(name="small", subjects=["facestream.small.>"], max_msgs=1, discard=DiscardPolicy.NEW)
    jetstream(server, lambda stream: stream.add_stream(config))

    async def send(link: JetStreamLink, answers: list[Answer]) -> list[str]:
        for number in range(2):
            await link.publish(end(number))
        await answered(answers, 2)
        await asyncio.to_thread(jetstream, server, lambda stream: stream.delete_stream("small"))
        await link.publish(end(2))
        await answered(answers, 3)
        return [answer.refused for answer in answers]

    assert over(Broker(server.url, "small", stream="small"), send) == [
        "", "maximum messages exceeded", "no stream takes its subject",
    ]  # fmt: skip


def test_a_link_says_that_it_broke():
    require_nats()
    with NatsServer() as mortal:

        async def use(link: JetStreamLink, answers: list[Answer]) -> str:
            mortal.kill()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not link.broken:
                    await asyncio.sleep(0.01)
            with pytest.raises(LinkError):
                await link.publish(end(1))
            return str(link.broken)

        said = over(Broker(mortal.url, "site"), use)
    assert said in {f"{mortal.url}: {words}" for words in ("it closed the connection", "Connection reset by peer")}


def _open(broker: Broker) -> str:
    with pytest.raises(LinkError) as refused:
        over(broker, _three)
    return str(refused.value)


def test_a_stream_that_is_not_there_a_broker_without_jetstream_and_none_at_all_are_told(server):
    assert _open(Broker(server.url, "site", stream="nowhere")).endswith(
        "has no stream 'nowhere': make it, or leave --stream out"
    )
    with NatsServer(jetstream=False) as plain:
        assert "has no JetStream: start it with `nats-server -js`" in _open(Broker(plain.url, "site"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"nats://127.0.0.1:{closed.getsockname()[1]}"
        assert _open(Broker(nowhere, "site")) == f"{nowhere}: Connection refused"


def test_a_server_that_hangs_is_said_not_to_answer(server, monkeypatch):
    """It stood there as TimeoutError."""
    monkeypatch.setattr("engine.bridge.jetstream._CONNECT_SECONDS", 1)
    server.pause()
    try:
        assert _open(Broker(server.url, "site")) == f"{server.url}: it does not answer"
    finally:
        server.go_on()


def test_a_port_that_says_nothing_is_an_error_in_time(monkeypatch):
    monkeypatch.setattr("engine.bridge.jetstream._CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "127.0.0.1" in _open(Broker(f"nats://127.0.0.1:{silent.getsockname()[1]}", "site"))


def test_a_password_is_used_and_never_shown():
    with NatsServer("--user", "me", "--pass", "secret-word") as locked:
        address = locked.url.removeprefix("nats://")
        assert len(over(Broker(f"nats://me:secret-word@{address}", "made"), _three)) == 3
        said = _open(Broker(f"nats://me:another-word@{address}", "made"))
    assert "uthorization" in said or "hung up at the login: is it NATS, and are user and password right?" in said
    assert "another-word" not in said


def test_over_tls_a_broker_that_nobody_vouches_for_is_refused_at_once(tmp_path, monkeypatch):
    """The reason was known, and waited for the end of a connection that was closed already."""
    require_nats()
    made, key = certificate(tmp_path)
    with NatsServer("--tls", "--tlscert", str(made), "--tlskey", str(key)) as locked:
        url = locked.url.replace("nats://", "tls://")
        assert len(over(Broker(url, "made", tls_ca=made), _three)) == 3
        monkeypatch.setattr("engine.bridge.jetstream._CONNECT_SECONDS", 1_000)
        said = "its certificate is not accepted (self-signed certificate): --tls-ca FILE names an authority of your own"
        assert said in _open(Broker(url, "made"))
        assert said in _open(Broker(locked.url, "made"))


def test_to_a_broker_without_tls_nothing_is_said_where_there_should_be_tls():
    """nats-py alone would send the password in the clear."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            with closing(listening.accept()[0]) as one:
                one.sendall(b'INFO {"server_id":"x","version":"2.10.0","max_payload":1048576,"auth_required":true}\r\n')
                one.settimeout(PATIENCE_SECONDS)
                heard.append(one.recv(1000))

        server = threading.Thread(target=listen)
        server.start()
        port = listening.getsockname()[1]
        assert "does not ask for TLS" in _open(Broker(f"tls://me:secret-word@127.0.0.1:{port}", "site"))
        server.join(PATIENCE_SECONDS)
    assert heard == [b""]


def test_a_real_broker_without_tls_is_refused_where_there_should_be_tls(server):
    assert "does not ask for TLS" in _open(Broker(server.url.replace("nats://", "tls://"), "site"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"url": "nats://"}, "give one host and a port"),
        ({"url": "nats://h:abc"}, "give one host and a port"),
        ({"url": "nats://a:1,b:2"}, "give one host and a port"),
        ({"url": "nats://a,b:2"}, "give one host and a port"),
        ({"url": "nats://me:secret-word@h", "credentials": Path("/nowhere")}, "the credentials /nowhere cannot be read"),
        ({"url": "nats://h", "credentials": Path("/etc/hostname")}, "is not a file of credentials"),
        ({"url": "tls://h", "tls_ca": Path("/nowhere")}, "the certificates in /nowhere cannot be read"),
        ({"url": "tls://h", "tls_ca": Path("/etc/hostname")}, "the certificates in /etc/hostname cannot be read"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_received(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        JetStream(Broker(prefix="site", **options)).check()


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o640, True), (0o604, True)])
def test_credentials_that_others_may_read_are_warned_of(tmp_path, mode, is_open):
    """They were for a camera and for Kafka, not for NATS."""
    path = tmp_path / "my user.creds"
    path.write_text("-----BEGIN NATS USER JWT-----\nx\n-----BEGIN USER NKEY SEED-----\ns3cret\n")
    path.chmod(mode)
    warning = JetStream(Broker("nats://h", "v1", credentials=path)).check()
    assert warning == (
        f"the credentials file {path} may be read by others: protect it with `chmod 600 '{path}'`" if is_open else ""
    )

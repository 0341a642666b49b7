"""The socket: whatever comes in, what can be read is answered, and nothing else happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config.serve import ServeConfig
from engine.control.answers import Done, Reply, Status, Streams, decode_reply
from engine.control.client import ControlClient, ControlError, NoServiceError
from engine.control.verbs import PROTOCOL, GetStatus, ListStreams, PauseStream, Request, encode_request
from engine.errors import FacestreamError
from engine.keys.folder import KeyFolder
from engine.publish.endpoint import bind
from engine.service.build import Parts
from engine.service.router import Router
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import open_files
from tests.publish.strangers import crowd_at, left_of
from tests.servers.ipv6 import needs_ipv6
from tests.service.parts import Says, service_in


class Running:
    """A router with what it says."""

    def __init__(self, parts: Parts, says: Says, config: ServeConfig | None = None) -> None:
        self.parts, self.says = parts, says
        self.router = Router(parts.service, parts.directory, config or parts.config.serve, says.warn)
        self.endpoint = parts.directory.control

    def raw(self, *frames: bytes, where: str = "", wait_ms: int = 1000 * PATIENCE_SECONDS) -> Reply | None:
        """Send frames; return the reply, None where none comes."""
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(where or self.endpoint)
            socket.send_multipart(frames)
            return decode_reply(socket.recv_multipart()[-1]) if socket.poll(wait_ms) else None


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    says = Says()
    with service_in(tmp_path, says) as parts:
        opened = Running(parts, says)
        try:
            yield opened
        finally:
            opened.router.close()


def test_a_client_is_answered(running: Running) -> None:
    with ControlClient(running.endpoint) as client:
        assert client.call(ListStreams(), Streams) == Streams(streams=[])
        assert client.call(GetStatus(), Status).state == "starting"
        with pytest.raises(ControlError, match="there is no stream") as caught:
            client.call(PauseStream(name="door"), Done)
        assert caught.value.code == "not_found"


@needs_ipv6
def test_a_client_may_be_given_an_address_of_ipv6() -> None:
    with zmq.Context() as opened, opened.socket(zmq.ROUTER) as router:
        port = bind(router, "tcp://[::1]:*", "serve.control").rpartition(":")[2]
        with ControlClient(f"tcp://[::1]:{port}") as client, pytest.raises(NoServiceError):
            client.call(GetStatus(), Status, seconds=0.5)
        assert router.poll(1000)


def test_nobody_is_told_in_one_sentence(tmp_path: Path) -> None:
    with (
        ControlClient(f"ipc://{tmp_path}/none") as client,
        pytest.raises(NoServiceError, match="is `facestream serve` running"),
    ):
        client.call(GetStatus(), Status, seconds=0.1)
    with pytest.raises(FacestreamError, match="is not an endpoint"):
        ControlClient("door")


@pytest.mark.parametrize(
    "frames",
    [
        (b"",), (PROTOCOL,), (PROTOCOL, b"", b""), (b"other/1", b"\x80"), (PROTOCOL, b""), (PROTOCOL, b"\xc1"),
        (PROTOCOL, b"\x81\xa1"), (PROTOCOL, b"\x80"), (PROTOCOL, b"\x91" * 5000), (PROTOCOL, b"x" * 100_000),
        (PROTOCOL, msgspec.msgpack.encode({"request_id": "", "verb": {"verb": "status"}})),
        (PROTOCOL, msgspec.msgpack.encode({"request_id": "x" * 200, "verb": {"verb": "status"}})),
        (PROTOCOL, msgspec.msgpack.encode({"request_id": "1", "verb": {"verb": "unknown"}})),
        (PROTOCOL, msgspec.msgpack.encode({"request_id": "1", "verb": {"verb": "drain", "now": True}})),
        (PROTOCOL, msgspec.msgpack.encode({"request_id": 1, "verb": {"verb": "status"}})),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_once(running: Running, frames: tuple[bytes, ...]) -> None:
    for _ in range(2):
        reply = running.raw(*frames)
        assert reply is not None
        assert reply.problem is not None
        assert (reply.request_id, reply.problem.code) == ("", "bad_request")
    assert len(running.says.sentences) == 1


class Shared(Running):
    def __init__(self, parts: Parts, says: Says) -> None:
        super().__init__(parts, says)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.connect(self.endpoint)
        self._client = ControlClient(self.endpoint)

    def send(self, frames: list[bytes]) -> None:
        if frames:
            self._socket.send_multipart(frames)
            assert self._socket.poll(1000 * PATIENCE_SECONDS), "a problem is answered"
            self._socket.recv_multipart()

    def alive(self) -> bool:
        return isinstance(self._client.call(GetStatus(), Status), Status)

    def close(self) -> None:
        self._client.close()
        self._socket.close(linger=0)
        self._context.term()
        self.router.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    says = Says()
    with service_in(tmp_path_factory.mktemp("router"), says) as parts:
        opened = Shared(parts, says)
        try:
            yield opened
        finally:
            opened.close()


@settings(max_examples=40, deadline=None)
@given(frames=st.lists(st.binary(max_size=200) | st.just(PROTOCOL), max_size=5))
def test_garbage_harms_nothing(shared: Shared, frames: list[bytes]) -> None:
    shared.send(frames)
    assert shared.alive()


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 200), flip=st.integers(0, 10_000))
def test_a_request_that_was_damaged_harms_nothing(shared: Shared, cut: int, flip: int) -> None:
    content = bytearray(encode_request(Request(request_id="1", verb=PauseStream(name="door"))))
    content[flip % len(content)] ^= 1 << flip % 8
    shared.send([PROTOCOL, bytes(content[: max(1, len(content) - cut)])])
    assert shared.alive()


def test_a_message_that_is_far_too_long_ends_its_connection_alone(running: Running) -> None:
    largest = running.parts.config.serve.upload_bytes + 1024 * 1024
    assert running.raw(PROTOCOL, bytes(largest), wait_ms=300) is None
    with ControlClient(running.endpoint) as client:
        assert client.call(ListStreams(), Streams) == Streams(streams=[])


def test_only_the_web_process_speaks_for_others(running: Running) -> None:
    request = Request(request_id="1", verb=PauseStream(name="door"), on_behalf_of="ada", roles=("view",))
    raw = encode_request(request)
    by_web, by_hand = running.raw(PROTOCOL, raw, where=running.parts.directory.web), running.raw(PROTOCOL, raw)
    assert by_web is not None
    assert by_hand is not None
    assert by_web.problem is not None
    assert by_hand.problem is not None
    assert (by_web.problem.code, by_hand.problem.code) == ("forbidden", "not_found")
    assert "web:ada" in by_web.problem.message


def test_nothing_is_left_open(tmp_path: Path) -> None:
    def rounds() -> Counter[str]:
        with service_in(tmp_path) as parts:
            Running(parts, Says()).router.close()
        assert not list(parts.directory.path.glob("*.sock")), "whoever asks now need not wait"
        return open_files()

    rounds()
    before = rounds()
    assert not rounds() - before


def is_answered(client: ControlClient) -> bool:
    try:
        return client.ask(GetStatus(), seconds=0.3).problem is None
    except NoServiceError:
        return False


def test_holders_of_keys_have_their_roles_and_nobody_else_comes_in(tmp_path: Path) -> None:
    folder, says = KeyFolder(tmp_path / "keys"), Says()
    desk = folder.add("desk", control=["view"])
    kiosk = folder.add("kiosk")
    with service_in(tmp_path, says) as parts:
        running = Running(parts, says, ServeConfig(control="tcp://127.0.0.1:*", keys=str(folder.path)))
        endpoint = running.router.endpoint
        try:
            with ControlClient(endpoint, desk) as client:
                assert client.call(ListStreams(), Streams) == Streams(streams=[])
                with pytest.raises(ControlError, match=r"key:desk may not do this: it needs the role operate"):
                    client.call(PauseStream(name="door"), Done)
                for stranger in (None, kiosk):
                    with ControlClient(endpoint, stranger) as other, pytest.raises(NoServiceError):
                        other.call(GetStatus(), Status, seconds=0.3)
                folder.revoke("desk")
                until(lambda: not any(is_answered(client) for _ in range(2)), "it is cut")
        finally:
            running.router.close()
    assert any("it has no role" in one for one in says.sentences)


def test_a_crowd_that_says_nothing_is_cut_and_a_holder_of_a_key_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It took all files that the service may open: no audit log, no new camera, and no key could be read any more."""
    monkeypatch.setattr("engine.publish.guard._MOST_CONNECTIONS", 3)
    monkeypatch.setattr("engine.publish.endpoint._HANDSHAKE_MS", 1000 * PATIENCE_SECONDS)  # it ends nobody meanwhile
    folder = KeyFolder(tmp_path / "keys")
    desk = folder.add("desk", control=["view"])
    with service_in(tmp_path) as parts, ExitStack() as closing:
        running = Running(parts, Says(), ServeConfig(control="tcp://127.0.0.1:*", keys=str(folder.path)))
        closing.callback(running.router.close)
        client = closing.enter_context(ControlClient(running.router.endpoint, desk))
        assert is_answered(client)
        crowd = crowd_at(running.router.endpoint, closing)
        until(lambda: left_of(crowd) <= 3, "the crowd is cut")
        assert is_answered(client)


@pytest.mark.parametrize("control", ["ipc:///tmp/x", "tcp://127.0.0.1", "door"])
def test_a_further_endpoint_that_cannot_be(tmp_path: Path, control: str) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.add("desk", control=["view"])
    with service_in(tmp_path) as parts, pytest.raises(FacestreamError, match=r"serve\.control"):
        Running(parts, Says(), ServeConfig(control=control, keys=str(folder.path)))

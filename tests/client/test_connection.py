"""Who waits is told what for, and a publisher that is only away is waited for."""

import _thread
import asyncio
import contextlib
import socket
import threading
import time
from types import SimpleNamespace

import pytest
import zmq

from engine.client import Subscriber, connection
from engine.errors import FatalError
from engine.keys.files import write_key
from tests.client.wire import Wire, subscribed
from tests.patience import PATIENCE_SECONDS
from tests.publish.locked import locked
from tests.publish.samples import stream_event
from tests.servers.ports import free_port

STRANGERS = {
    "says nothing": (b"", b""),
    "a banner": (b"SSH-2.0-OpenSSH_9.2\r\n", b""),
    "a greeting in bytes": (b"\x4a\x00\x00\x00\x0a8.0.1", b""),
    "an answer": (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "hangs up": (b"", None),
}
"""What other programs say to whoever connects, and to what he says; None: they close the connection."""


@pytest.fixture
def impatient(monkeypatch):
    """Only for what waits to be told: a message that is sent may take longer to come."""
    monkeypatch.setattr(connection, "SILENT_SECONDS", 0.2)


@contextlib.contextmanager
def stranger(greeting, answer):
    """Serve what is no publisher; yield its endpoint."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened = []

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    opened.append(server.accept()[0])
                    opened[-1].sendall(greeting)
                    if answer is None:
                        opened[-1].close()
                    elif answer:
                        opened[-1].recv(64)
                        opened[-1].sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            serving.join(PATIENCE_SECONDS)
            for one in opened:
                one.close()


def told_by(endpoint, **options):
    """Return the first sentence that who waits in vain is told."""
    told = []

    def tell(sentence):
        told.append(sentence)
        raise InterruptedError

    with Subscriber(endpoint, tell=tell, **options) as subscriber, contextlib.suppress(InterruptedError):
        next(iter(subscriber))
    return told[0]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", STRANGERS)
@pytest.mark.parametrize("socket", ["sub", "pull"])
def test_another_programs_port_is_named_as_one(kind, socket):
    """A subscriber waited there without a word."""
    with stranger(*STRANGERS[kind]) as endpoint:
        said = told_by(endpoint, socket=socket)
        assert said.startswith(f"nothing has come from {endpoint} for ")
        assert said.endswith(": what answers there does not speak ZeroMQ: it is another program, or it hangs; still waiting")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "endpoint", ["tcp://127.0.0.1:{port}", "tcp://[::1]:{port}", "ipc://{folder}/none", "tcp://nobody.invalid:5"]
)
def test_where_nobody_is_there_that_is_said(endpoint, tmp_path):
    said = told_by(endpoint.format(port=free_port("127.0.0.1"), folder=tmp_path))
    assert said.endswith(": nothing answers there: no run publishes at this address yet; still waiting")


@pytest.mark.usefixtures("impatient")
def test_a_publisher_that_has_nothing_to_say_is_told_from_those(opened):
    with opened.socket(zmq.PUB) as other:
        endpoint = f"tcp://127.0.0.1:{other.bind_to_random_port('tcp://127.0.0.1')}"
        assert ": a publisher is there, but has sent nothing that was asked for" in told_by(endpoint, kinds=("face",))


def test_that_a_publisher_goes_away_is_said_once_and_that_it_is_quiet_is_not(opened, monkeypatch):
    told = []
    with subscribed(opened, tell=told.append, timeout_seconds=1.0) as (wire, subscriber):
        items = iter(subscriber)
        wire.face(0)
        assert next(items).message.seq == 0
        monkeypatch.setattr(connection, "SILENT_SECONDS", 0.2)
        with pytest.raises(TimeoutError, match=r"within 1.0 s: a publisher is there, but"):
            next(items)
        assert told == []
        wire.socket.close()
        for _ in range(2):
            with pytest.raises(TimeoutError, match=r"within 1.0 s: the publisher that was there is gone"):
                next(iter(subscriber))
        (said,) = told
        assert "the publisher that was there is gone" in said


def test_a_publisher_that_comes_is_taken_for_nothing_else_meanwhile(opened, monkeypatch):
    """For a moment it had not said yet that it speaks ZeroMQ."""
    told = []
    endpoint = f"tcp://127.0.0.1:{free_port('127.0.0.1')}"
    with Subscriber(endpoint, socket="pull", tell=told.append, timeout_seconds=0.5) as subscriber:
        with monkeypatch.context() as patch:
            patch.setattr(connection, "SILENT_SECONDS", 0.2)
            with pytest.raises(TimeoutError):
                next(iter(subscriber))
        subscriber._connection._silent_since -= 3600.0  # long before what does not speak ZeroMQ has come
        with socket.create_server(("127.0.0.1", int(endpoint.rpartition(":")[2]))), pytest.raises(TimeoutError):
            next(iter(subscriber))
        subscriber._timeout_seconds = PATIENCE_SECONDS
        with contextlib.closing(Wire(opened, endpoint=endpoint)) as wire:
            wire.face(0)
            assert next(iter(subscriber)).message.seq == 0
    assert [one.partition(" s: ")[2].partition(":")[0] for one in told] == ["nothing answers there"]


@pytest.mark.usefixtures("impatient")
def test_who_waits_by_an_event_loop_is_told_as_well():
    async def wait(subscriber):
        return await anext(aiter(subscriber))

    told = threading.Event()
    with stranger(b"", b"") as endpoint, Subscriber(endpoint, tell=lambda _: told.set(), timeout_seconds=3.0) as subscriber:
        with pytest.raises(TimeoutError):
            asyncio.run(wait(subscriber))
        assert told.is_set()


def test_the_time_before_anybody_waits_is_no_silence(wire, monkeypatch):
    told = []
    with wire.subscriber(tell=told.append) as subscriber:
        later = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600.0)  # as of a program that loads its models
        monkeypatch.setattr(connection, "time", later)
        subscriber._connection.wait(0.0)  # looks, and has nothing yet
        wire.face(0)
        assert next(iter(subscriber)).message.seq == 0
    assert told == []


@pytest.mark.usefixtures("impatient")
def test_without_a_listener_the_log_says_it(caplog):
    with (
        stranger(b"", b"") as endpoint,
        Subscriber(endpoint, timeout_seconds=1.0) as subscriber,
        pytest.raises(TimeoutError, match="does not speak ZeroMQ"),
    ):
        next(iter(subscriber))
    (line,) = caplog.records
    assert (line.name, line.levelname) == ("facestream", "WARNING")
    assert "does not speak ZeroMQ" in line.getMessage()


@pytest.mark.parametrize(
    "frames",
    [[b"hello"], [b"v1/face/cam1/1/", b"\xc1"], [b"", b"{}"], [b"v2/face/", b"\x80"], [b"x"] * 9],
    ids=["one frame", "no map", "no topic", "another version", "many frames"],
)
def test_what_cannot_be_read_is_said_once(wire, frames):
    told = []
    with wire.subscriber(tell=told.append) as subscriber:
        wire.socket.send_multipart(frames)
        wire.socket.send_multipart(frames)
        wire.face(0)
        wire.end(**{"face/cam1": 0})
        assert [type(item.message).__name__ for item in subscriber] == ["Face", "End"]
        assert told == [f"what {wire.endpoint} sends cannot be read: {subscriber.last_malformed}"]


def test_a_publisher_that_comes_back_is_no_cut_connection(opened):
    first = Wire(opened, endpoint=f"tcp://127.0.0.1:{free_port('127.0.0.1')}")  # nobody takes it meanwhile
    with first.subscriber(follow=True) as subscriber:
        items = iter(subscriber)
        first.say(stream_event(), 0)
        assert next(items).message.run_id == "run1"
        first.socket.close()
        assert not subscriber._connection.wait(1.5)
        second = opened.socket(zmq.PUSH)
        second.bind(first.endpoint)
        first.socket = second
        first.say(stream_event(), 0, run_id="run2")
        assert next(items).message.run_id == "run2"
        second.close()


def test_a_signal_that_interrupts_no_wait_is_seen_all_the_same(wire):
    """One that comes just before the wait begins: only Python knows of it."""

    def wait():
        threading.Timer(0.1, _thread.interrupt_main).start()
        subscriber._connection.wait(2 * PATIENCE_SECONDS)

    with wire.subscriber() as subscriber:
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            wait()
        assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("published", "read", "words"),
    [
        (zmq.PUSH, "sub", r"does not send to a sub socket: .* with --socket push, .* --socket pull`"),
        (zmq.PUB, "pull", r"does not send to a pull socket: .* with --socket pub, .* --socket sub`"),
    ],
)
def test_who_reads_with_the_other_kind_of_socket_is_told_which(opened, published, read, words):
    with opened.socket(published) as publisher:
        endpoint = f"tcp://127.0.0.1:{publisher.bind_to_random_port('tcp://127.0.0.1')}"
        subscriber = Subscriber(endpoint, socket=read, timeout_seconds=PATIENCE_SECONDS)
        with subscriber, pytest.raises(FatalError, match=words):
            next(iter(subscriber))


@pytest.mark.parametrize(
    ("topics", "kinds", "said"),
    [
        (["v1/face/door/", "v1/end/"], ("track", "end"), "; the key of kiosk may read v1/face/door/, v1/end/ alone; still"),
        (["v1/face/door/"], ("face", "stats"), "; the key of kiosk may read v1/face/door/ alone; still waiting"),
        (["v1/stats/"], ("stream",), "; the key of kiosk may read v1/stats/ alone; still waiting"),
        ([], ("face",), "perhaps its run has found nobody yet; still waiting"),
    ],
)
def test_who_waits_for_what_the_key_may_not_read_is_told(tmp_path, topics, kinds, said):
    with locked(tmp_path) as at:
        write_key(tmp_path / "kiosk.key", at.folder.add("kiosk", topics))
        told = []

        def wait():
            told.append(told_by(at.publisher.bound_endpoint, kinds=kinds, key=tmp_path / "kiosk.key"))

        waiting = threading.Thread(target=wait)
        waiting.start()
        at.until(lambda: bool(told))
        waiting.join(PATIENCE_SECONDS)
    assert said in told[0]

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from time import monotonic

import pytest
import zmq

from engine.config import PublishConfig
from engine.contracts.messages import decode_header, topic_of
from engine.errors import ConfigError, PublishError
from engine.publish.publisher import Publisher
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import context, end, environment, face, stream_event, track


@contextmanager
def publishing(**config):
    """Yield a publisher; what it has queued is sent before the block is over."""
    opened = zmq.Context()
    publisher = Publisher(PublishConfig(**({"endpoint": "tcp://127.0.0.1:*", "embeddings": True} | config)), "run1", opened)
    try:
        yield publisher
    finally:
        publisher.close(1000 * PATIENCE_SECONDS)
        opened.term()


@contextmanager
def reading(**options):
    """Yield a reader in another process, and the file that it writes what it saw into."""
    command = [sys.executable, "-m", "tests.publish.reader", json.dumps(options)]
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, env=environment()) as process,
    ):
        try:
            yield process, output
        finally:
            process.kill()


def result(reader, meanwhile=lambda: None):
    """Let a waiting reader go, call ``meanwhile`` until it has finished, and return what it saw."""
    process, output = reader
    process.stdin.write(b"\n")
    process.stdin.close()
    while process.poll() is None:
        meanwhile()
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)
    output.seek(0)
    return json.load(output)


def send_run(publisher, faces, streams=("cam1", "cam10"), size_px=32):
    """Send a run and return [stream, kind, seq, sha256s] of every message, as the reader reports them."""
    sent = []

    def send(message, payloads=()):
        stamped = publisher.send(message, payloads)
        kind = topic_of(stamped).split("/")[1]
        sent.append([stamped.stream, kind, stamped.seq, [part.sha256 for part in getattr(stamped, "parts", [])]])

    for name in streams:
        send(stream_event(name))
    for index in range(faces):
        for name in streams:
            send(*face(name, track_id=index % 7, index=index, size_px=size_px))
    for name in streams:
        send(*track(name))
        send(stream_event(name, "ended", "end_of_file"))
    send(end())
    return sent


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_push_loses_nothing_and_keeps_the_order(transport, tmp_path):
    endpoint = "tcp://127.0.0.1:*" if transport == "tcp" else f"ipc://{tmp_path}/faces"
    with (
        publishing(endpoint=endpoint, socket="push", send_hwm=5) as publisher,
        reading(endpoint=publisher.bound_endpoint, socket="pull") as reader,
    ):
        sent = send_run(publisher, 500)
        assert publisher.counters["published"] == len(sent) == 1007
        publisher.close(1000 * PATIENCE_SECONDS)
        seen = result(reader)
    assert seen["seen"] == sent
    assert seen["gaps"] == []
    assert sent[-1][1] == "end"


def test_pub_reaches_a_subscriber_that_is_waited_for():
    with publishing() as publisher, reading(endpoint=publisher.bound_endpoint) as reader:
        assert publisher.wait_for_subscriber(PATIENCE_SECONDS)
        sent = send_run(publisher, 20)
        assert publisher.counters["unheard"] == 0
        publisher.close(1000 * PATIENCE_SECONDS)
        seen = result(reader)
    assert seen["seen"] == sent


def test_one_stream_of_two_with_alike_names():
    with (
        publishing() as publisher,
        reading(endpoint=publisher.bound_endpoint, streams=["cam1"], kinds=["face", "end"]) as reader,
    ):
        assert publisher.wait_for_subscriber(PATIENCE_SECONDS)
        sent = send_run(publisher, 20)
        publisher.close(1000 * PATIENCE_SECONDS)
        seen = result(reader)
    assert seen["seen"] == [message for message in sent if message[1] == "end" or message[:2] == ["cam1", "face"]]
    assert seen["gaps"] == []


def flood(publisher, count):
    """Send to a reader that does not read."""
    assert publisher.wait_for_subscriber(PATIENCE_SECONDS)
    for index in range(count):
        publisher.send(*face(index=index, size_px=96))


def ending(publisher):
    """Send ``end`` until a reader, who has no room at first, gets one; and answer its replay requests."""
    publisher.poll()
    publisher.send(end(), [])


def test_a_reader_that_does_not_read_neither_blocks_pub_nor_misses_its_gaps():
    with (
        publishing(send_hwm=2, send_buffer_bytes=4096) as publisher,
        reading(endpoint=publisher.bound_endpoint, wait=True, from_start=True) as reader,
    ):
        flood(publisher, 1000)  # a publisher that blocks would never come back
        seen = result(reader, lambda: ending(publisher))
    numbers = [message[2] for message in seen["seen"] if message[1] == "face"]
    missed = [range(first, last + 1) for _, kind, first, last in seen["gaps"] if kind == "face"]
    assert 0 < len(numbers) < 1000
    assert sorted([*numbers, *(seq for gap in missed for seq in gap)]) == list(range(1000))


def test_what_pub_lost_comes_back_by_replay():
    with (
        publishing(send_hwm=2, send_buffer_bytes=4096, replay="tcp://127.0.0.1:*") as publisher,
        reading(endpoint=publisher.bound_endpoint, replay=publisher.bound_replay, wait=True) as reader,
    ):
        flood(publisher, 1000)
        seen = result(reader, lambda: ending(publisher))
    assert [message[2] for message in seen["seen"] if message[1] == "face"] == list(range(1000))
    assert [gap for gap in seen["gaps"] if gap[1] == "face"] == []
    assert seen["counters"]["replayed"] > 0


def test_replay_of_a_run_that_nobody_heard_says_what_is_gone():
    with publishing(replay="tcp://127.0.0.1:*", replay_bytes=2_000_000) as publisher:
        for index in range(400):
            publisher.send(*face(index=index, size_px=96))
        assert publisher.counters["unheard"] == 400
        options = {
            "endpoint": publisher.bound_endpoint,
            "replay": publisher.bound_replay,
            "kinds": ["face", "end"],
            "wait": True,
        }
        with reading(**options) as reader:
            assert publisher.wait_for_subscriber(PATIENCE_SECONDS)
            publisher.send(end(), [])
            seen = result(reader, publisher.poll)
    [gap] = seen["gaps"]
    numbers = [message[2] for message in seen["seen"] if message[1] == "face"]
    assert gap[:3] == ["cam1", "face", 0]
    assert numbers == list(range(gap[3] + 1, 400))
    assert len(numbers) > 20


def test_push_without_a_reader_gives_up_when_told_and_serves_replay_meanwhile():
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) > 2

    with publishing(socket="push", send_hwm=1) as publisher:
        assert not publisher.wait_for_subscriber(0)
        publisher.send(*face(), should_stop)
        assert publisher.counters["abandoned"] == 1
        assert publisher.counters["published"] == 0
    assert len(asked) == 3


def test_waiting_for_a_subscriber_can_be_stopped():
    with publishing() as publisher:
        assert not publisher.wait_for_subscriber(3600, lambda: True)


def polled_until(publisher, condition, seconds=PATIENCE_SECONDS):
    """Poll the publisher until ``condition``; return whether it came."""
    deadline = monotonic() + seconds
    while not condition() and monotonic() < deadline:
        publisher.poll()
    return condition()


def test_topics_are_counted_up_and_down():
    with publishing() as publisher:
        opened = context()
        readers = [opened.socket(zmq.SUB) for _ in range(2)]
        for reader, own in zip(readers, (b"v1/track/a/", b"v1/track/b/"), strict=True):
            reader.setsockopt(zmq.SUBSCRIBE, b"v1/face/")
            reader.setsockopt(zmq.SUBSCRIBE, own)
            reader.connect(publisher.bound_endpoint)
        assert polled_until(publisher, lambda: publisher.subscriptions == 3)
        readers[0].close()
        assert polled_until(publisher, lambda: publisher.subscriptions == 2)
        readers[1].close()
        assert polled_until(publisher, lambda: publisher.subscriptions == 0)
        opened.term()


def test_a_push_reader_that_pauses_longer_than_a_dead_one_is_believed_loses_nothing(monkeypatch):
    monkeypatch.setattr("engine.publish.publisher._HEARTBEAT_MS", 50)
    opened = context()
    with publishing(socket="push", send_hwm=5) as publisher, opened.socket(zmq.PULL) as reader:
        reader.setsockopt(zmq.RCVHWM, 5)
        reader.setsockopt(zmq.RCVBUF, 4096)
        reader.connect(publisher.bound_endpoint)
        stop_at = monotonic() + 1.0
        sent = 0
        while monotonic() < stop_at:  # its queues are full within milliseconds: a second is three heartbeats six times
            publisher.send(*face(index=sent, size_px=96), lambda: monotonic() > stop_at)
            sent = publisher.counters["published"]
        publisher.close(1000 * PATIENCE_SECONDS)
        seen = []
        while len(seen) < sent and reader.poll(1000 * PATIENCE_SECONDS):
            seen.append(decode_header(reader.recv_multipart()[1]).seq)
    opened.term()
    assert seen == list(range(sent))


@pytest.mark.parametrize(("live", "messages", "buffer_bytes"), [(False, 256, 64 * 1024), (True, 32, 16 * 1024)])
def test_cameras_get_short_queues(live, messages, buffer_bytes):
    opened = context()
    publisher = Publisher(PublishConfig(endpoint="tcp://127.0.0.1:*"), "run1", opened, live=live)
    options = [publisher._socket.getsockopt(option) for option in (zmq.SNDHWM, zmq.SNDBUF)]
    publisher.close()
    assert options == [messages, buffer_bytes]
    chosen = Publisher(PublishConfig(endpoint="tcp://127.0.0.1:*", send_hwm=7), "run1", opened, live=live)
    assert chosen._socket.getsockopt(zmq.SNDHWM) == 7
    chosen.close()
    opened.term()


def test_without_an_endpoint_messages_are_numbered_all_the_same():
    with publishing(endpoint="") as publisher:
        assert [publisher.send(*face()).seq for _ in range(3)] == [0, 1, 2]
        assert not publisher.wait_for_subscriber(0)
        assert publisher.counters["published"] == 0
        assert publisher.bound_endpoint == publisher.bound_replay == ""


@pytest.mark.parametrize("made", [face, track])
@pytest.mark.parametrize("asked", [False, True])
def test_a_vector_is_sent_only_where_it_is_asked_for_and_always_returned(made, asked):
    body, payloads = made()
    with publishing(socket="push", embeddings=asked) as publisher, context() as opened, opened.socket(zmq.PULL) as reader:
        reader.connect(publisher.bound_endpoint)
        kept = publisher.send(body, payloads)
        _, header, *parts = reader.recv_multipart()
    names = [part.name for part in decode_header(header).parts]
    assert [part.name for part in kept.parts][-1] == "embedding"
    assert ("embedding" in names) == asked
    assert parts == [bytes(payload) for part, payload in zip(body.parts, payloads, strict=True) if part.name in names]


def test_a_message_on_the_wire_is_topic_header_and_parts():
    opened = context()
    with publishing(socket="push") as publisher, opened.socket(zmq.PULL) as reader:
        reader.connect(publisher.bound_endpoint)
        message, payloads = face("door", track_id=12)
        sent = publisher.send(message, payloads)
        topic, header, *parts = reader.recv_multipart()
    opened.term()
    assert topic == b"v1/face/door/12/"
    assert decode_header(header) == sent
    assert parts == payloads


def test_a_port_in_use_and_replay_without_a_socket_are_errors():
    with publishing() as publisher:
        opened = context()
        with pytest.raises(PublishError, match="is in use, by another process"):
            Publisher(PublishConfig(endpoint=publisher.bound_endpoint), "run2", opened)
        with pytest.raises(ConfigError, match=r"publish.replay needs publish.endpoint"):
            Publisher(PublishConfig(replay="tcp://127.0.0.1:*"), "run2", opened)
        opened.term()

import time
from collections import deque

import msgspec
import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.replay import ReplayRequest, decode_answer, encode_replay
from engine.errors import PublishError
from engine.publish.replay import _ANSWER_MESSAGES, _OVERHEAD_BYTES, ReplayService, Ring
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import context

SERIES = st.sampled_from([("a", "face"), ("b", "face"), ("a", "track")])


@given(st.integers(1, 20_000), st.lists(st.tuples(SERIES, st.integers(0, 4000)), max_size=60))
def test_the_ring_keeps_the_newest_within_its_bytes(max_bytes, puts):
    ring, order, numbers = Ring(max_bytes), deque(), {}
    for series, size in puts:
        seq = numbers[series] = numbers.get(series, -1) + 1
        ring.put(*series, seq, [b"x" * size])
        order.append((series, seq, size + _OVERHEAD_BYTES))
        while sum(held for _, _, held in order) > max_bytes:
            order.popleft()
        assert ring.bytes_held == sum(held for _, _, held in order) <= max_bytes
    for series, newest in numbers.items():
        held = [seq for name, seq, _ in order if name == series]
        assert ring.newest_seq(*series) == newest
        assert ring.oldest_seq(*series) == (held[0] if held else newest + 1)
        assert [seq for seq in range(newest + 1) if ring.get(*series, seq) is not None] == held


@pytest.fixture
def service():
    opened = context()
    ring = Ring(1 << 20)
    serving = ReplayService(opened, "tcp://127.0.0.1:*", ring, "run1")
    asker = opened.socket(zmq.DEALER)
    asker.connect(serving.bound_endpoint)
    yield serving, ring, asker
    asker.close()
    serving.close()
    opened.term()


def ask(service, **fields):
    """Send one request and return the answers as (status, first, last, frames)."""
    serving, _, asker = service
    asker.send(encode_replay(ReplayRequest(**({"request_id": 5, "stream": "a", "kind": "face", "from_seq": 0} | fields))))
    return served(serving, asker)


def served(serving, asker):
    assert serving.socket.poll(5000)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not serving.poll() and time.monotonic() < deadline:
        pass  # it takes only its share of the time
    answers = []
    while True:
        assert asker.poll(5000), "no answer"
        header, *frames = asker.recv_multipart()
        answer = decode_answer(header)
        answers.append((answer, frames))
        if answer.status in ("done", "refused"):
            return answers


def test_a_range_comes_back_as_it_was_sent(service):
    for seq in range(6):
        service[1].put("a", "face", seq, [b"topic", b"header%d" % seq, bytes([seq]) * 100])
    answers = ask(service, from_seq=2, to_seq=4)
    assert [frames for _, frames in answers[:-1]] == [[b"topic", b"header%d" % seq, bytes([seq]) * 100] for seq in (2, 3, 4)]
    done = answers[-1][0]
    assert (done.request_id, done.status, done.first_seq, done.last_seq, done.newest_seq) == (5, "done", 2, 4, 5)


def test_what_has_left_the_ring_is_said_to_be_gone(service):
    _, ring, _ = service
    for seq in range(5):
        ring.put("a", "face", seq, [b"x" * (1 << 18)])
    assert ring.oldest_seq("a", "face") == 2
    gone, *messages, done = [answer for answer, _ in ask(service)]
    assert (gone.status, gone.first_seq, gone.last_seq) == ("gone", 0, 1)
    assert [message.first_seq for message in messages] == [2, 3, 4]
    assert (done.first_seq, done.last_seq) == (0, 4)
    assert [answer.status for answer, _ in ask(service, to_seq=1)] == ["gone", "done"]


def test_nothing_sent_yet_is_not_gone(service):
    [(done, frames)] = ask(service, stream="nobody", from_seq=0, to_seq=9)
    assert (done.status, done.newest_seq, frames) == ("done", -1, [])
    assert done.last_seq < 0


def test_a_long_answer_comes_in_bounded_pieces(service):
    for seq in range(600):
        service[1].put("a", "face", seq, [b"small"])
    first = ask(service)
    assert first[-1][0].last_seq == _ANSWER_MESSAGES - 1
    assert ask(service, from_seq=_ANSWER_MESSAGES)[0][0].first_seq == _ANSWER_MESSAGES


def test_requests_of_another_run_and_nonsense_are_refused_with_a_reason(service):
    [(other, _)] = ask(service, run_id="run0")
    assert (other.status, other.detail) == ("refused", "this publisher's run is run1, not run0")
    [(negative, _)] = ask(service, from_seq=-3)
    assert negative.status == "refused"
    for nonsense in (b"", b"\xc1", msgspec.msgpack.encode({"request_id": "x"})):
        service[2].send(nonsense)
        [(answer, _)] = served(service[0], service[2])
        assert (answer.status, answer.request_id) == ("refused", -1)
    assert service[0].counters["replay.refused"] == 5


def test_a_request_past_its_deadline_is_not_answered(service):
    serving, ring, asker = service
    ring.put("a", "face", 0, [b"x"])
    late = ReplayRequest(request_id=1, stream="a", kind="face", from_seq=0, deadline_ns=time.time_ns() - 1)
    asker.send(encode_replay(late))
    assert serving.socket.poll(5000)
    serving.poll()
    assert serving.counters["replay.messages"] == 0
    assert ask(service, request_id=2)[0][0].request_id == 2


def test_answers_take_only_their_share_of_the_time(service):
    serving, ring, asker = service
    for seq in range(1000):
        ring.put("a", "face", seq, [b"x" * 100])
    request = encode_replay(ReplayRequest(request_id=1, stream="a", kind="face", from_seq=0))
    for _ in range(1000):
        asker.send(request, zmq.NOBLOCK)
    begun, busy_seconds, longest_seconds, answered = time.monotonic(), 0.0, 0.0, 0
    while answered < 200 and time.monotonic() < begun + 60:
        while asker.poll(0):
            asker.recv_multipart()
        before = time.thread_time()
        now_answered = serving.poll()
        took = time.thread_time() - before
        answered += now_answered
        if now_answered:
            busy_seconds += took
            longest_seconds = max(longest_seconds, took)
    assert answered >= 200
    assert busy_seconds < 0.4 * (time.monotonic() - begun)
    assert longest_seconds < 0.02


def test_an_asker_that_does_not_read_is_cut_off_and_holds_little(service):
    serving, ring, asker = service
    for seq in range(30):
        ring.put("a", "face", seq, [b"x" * 20_000])
    asker.setsockopt(zmq.RCVHWM, 1)
    for request_id in range(300):
        asker.send(encode_replay(ReplayRequest(request_id=request_id, stream="a", kind="face", from_seq=0)))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while serving.counters["replay.requests"] < 300 and time.monotonic() < deadline:
        serving.poll()
    assert serving.counters["replay.cut_off"] > 0
    # Its own queue, two answers, and what the kernel holds.
    assert serving.counters["replay.messages"] < 2500


def test_the_replay_port_in_use_names_its_key():
    opened = context()
    first = ReplayService(opened, "tcp://127.0.0.1:*", Ring(1), "run")
    with pytest.raises(PublishError, match="in use"):
        ReplayService(opened, first.bound_endpoint, Ring(1), "run")
    first.close()
    opened.term()

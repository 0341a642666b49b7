"""What waits reaches the broker once, whatever happens to links."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from engine.bridge.buffer import Buffer
from engine.bridge.link import Answer, OnAnswer, Outgoing
from engine.bridge.names import Key, message_id
from engine.bridge.sender import Sender
from engine.errors import ConfigError, LinkError
from tests.patience import PATIENCE_SECONDS

Fate = str
"""``ok``; ``unanswered``: stored, and the answer is lost; ``lost``: neither; ``break``: the link is gone; ``refused``."""
FATES = st.sampled_from(["ok", "ok", "ok", "unanswered", "lost", "break", "refused"])


class Broker:
    """Stores what comes once by its id; each message, and each attempt to connect, meets its fate, and when there are none left
    all goes well."""

    def __init__(self, fates: list[Fate], refusals: int = 0, max_bytes: int = 10**6) -> None:
        self.fates, self.refusals, self.max_bytes = fates, refusals, max_bytes
        self.stored: dict[str, bytes] = {}
        self.most_under_way = 0

    async def open(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> FakeLink:
        if self.refusals:
            self.refusals -= 1
            raise LinkError("nobody is there")
        return FakeLink(self, on_answer, on_break)


class FakeLink:
    window_seconds = 60.0
    marks: Mapping[str, int] = {}

    def __init__(self, broker: Broker, on_answer: OnAnswer, on_break: Callable[[], None]) -> None:
        self._broker, self._on_answer, self._on_break = broker, on_answer, on_break
        self.max_bytes = broker.max_bytes
        self.broken: Exception | None = None
        self._under_way = 0

    async def publish(self, message: Outgoing) -> None:
        if self.broken:
            raise self.broken
        number, name = message.number, message_id(message.key, is_gap=message.is_gap)
        fate = self._broker.fates.pop() if self._broker.fates else "ok"
        if fate == "break":
            self.broken = LinkError("pulled out")
            self._on_break()
            return
        if fate == "refused":
            asyncio.get_running_loop().call_soon(self._on_answer, Answer(number, refused="no room"))
            return
        repeated = name in self._broker.stored
        if fate != "lost":
            self._broker.stored.setdefault(name, message.body)
        if fate == "ok":
            self._under_way += 1
            self._broker.most_under_way = max(self._broker.most_under_way, self._under_way)
            asyncio.get_running_loop().call_soon(self._answer, Answer(number, repeated))

    def _answer(self, answer: Answer) -> None:
        self._under_way -= 1
        self._on_answer(answer)

    async def close(self) -> None:
        self.broken = LinkError("closed")


@contextmanager
def waiting(count: int, size: int = 10) -> Iterator[Buffer]:
    with tempfile.TemporaryDirectory() as folder:
        buffer = Buffer(Path(folder), 10**9, "site", warn=lambda _: None)
        for seq in range(count):
            buffer.put(key(seq), msgpack.encode({"header": {"parts": [{"name": "enhanced"}]}, "payloads": [bytes(size)]}))
        buffer.commit()
        try:
            yield buffer
        finally:
            buffer.close()


def key(seq: int) -> Key:
    return Key("run1", "door", "face", seq, seq)


def send_all(buffer: Buffer, broker: Broker) -> tuple[Sender, list[str]]:
    """Run a sender until the buffer is empty; for an answer it waits briefly only where one does not come."""
    said: list[str] = []
    answer_seconds = 0.03 if {"unanswered", "lost"} & {*broker.fates} else PATIENCE_SECONDS

    async def run() -> Sender:
        sender = Sender(buffer, broker.open, said.append, answer_seconds=answer_seconds, chance=random.Random(1))
        sending = asyncio.create_task(sender.run())
        async with asyncio.timeout(PATIENCE_SECONDS):
            while buffer.waiting and not sending.done():
                buffer.commit()
                await asyncio.sleep(0.001)
        while not sending.done():
            sending.cancel()
            await asyncio.wait([sending], timeout=0.01)
        return sender

    return asyncio.run(run()), said


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr("engine.bridge.sender._FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("engine.bridge.sender._LONGEST_PAUSE_SECONDS", 0.002)


@settings(max_examples=20, deadline=None)
@given(st.lists(FATES, max_size=25), st.integers(0, 3), st.integers(1, 40))
def test_all_of_it_is_there_once_whatever_becomes_of_links(fates, refusals, count):
    broker = Broker(list(fates), refusals)
    with waiting(count) as buffer:
        sender, _ = send_all(buffer, broker)
        assert set(broker.stored) == {message_id(key(n), is_gap=False) for n in range(count)}
        assert sender.sent.published + sender.sent.repeated == count


def test_what_is_under_way_is_bounded(monkeypatch):
    monkeypatch.setattr("engine.bridge.sender._MOST", 5)
    monkeypatch.setattr("engine.bridge.sender._READ", 3)
    broker = Broker([])
    with waiting(100) as buffer:
        send_all(buffer, broker)
    assert list(broker.stored) == [message_id(key(n), is_gap=False) for n in range(100)]
    assert broker.most_under_way <= 5 + 3


def test_a_picture_that_the_broker_does_not_take_stays_and_a_message_that_it_does_not_take_is_a_gap():
    broker = Broker([], max_bytes=150)
    with waiting(2, size=200) as buffer:
        sender, _ = send_all(buffer, broker)
    assert [msgpack.decode(body)["payloads"] for body in broker.stored.values()] == [[None], [None]]
    assert (sender.sent.parts_left_out, sender.sent.too_large) == (2, 0)
    broker = Broker([], max_bytes=40)
    with waiting(2, size=200) as buffer:
        sender, _ = send_all(buffer, broker)
    assert [msgpack.decode(body)["header"]["reason"] for body in broker.stored.values()] == ["too_large"] * 2
    assert (sender.sent.gaps, sender.sent.published) == (2, 0)


def test_gaps_of_what_gave_way_are_sent_first():
    broker = Broker([])
    with waiting(50, size=1000) as buffer:
        buffer.limit_bytes = 20_000
        buffer.put(key(50), b"\x80")
        buffer.commit()
        send_all(buffer, broker)
    ids = list(broker.stored)
    assert ids[0].startswith("run1/door/face/gap/0-")
    last = int(ids[0].rpartition("-")[2])
    assert ids[1:] == [message_id(key(n), is_gap=False) for n in range(last + 1, 51)]


def test_a_link_that_is_down_is_said_once_with_the_reason():
    broker = Broker([], refusals=5)
    with waiting(1) as buffer:
        _, said = send_all(buffer, broker)
    assert [sentence.split(",")[0].split(";")[0] for sentence in said] == [
        "the link is down: nobody is there",
        "the link is up",
    ]


def test_a_broker_that_refuses_again_and_again_is_told_once_and_is_not_up():
    broker = Broker(["refused"] * 4)
    with waiting(1) as buffer:
        sender, said = send_all(buffer, broker)
    assert [sentence.split(",")[0].split(";")[0] for sentence in said] == [
        "the link is up",
        "the link is down: the broker refuses messages: no room",
        "the link is up",
    ]
    assert (sender.sent.refused, sender.sent.published, sender.sent.links) == (4, 1, 5)


def test_what_no_other_link_would_mend_ends_it():
    class Taken(Broker):
        async def open(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> FakeLink:
            link = await super().open(on_answer, on_break, marks)
            link.broken = ConfigError("another bridge serves this site now")
            return link

    async def run(buffer: Buffer) -> None:
        await asyncio.wait_for(Sender(buffer, Taken([]).open, lambda _: None).run(), PATIENCE_SECONDS)

    with waiting(1) as buffer, pytest.raises(ConfigError, match="another bridge"):
        asyncio.run(run(buffer))

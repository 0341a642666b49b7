"""What a bridge over Kafka remembers between two links: marks that move, in a topic that other sites may share. Of a link that
broke nothing is left when the next one is opened."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from engine.bridge.link import Answer
from engine.errors import ConfigError, LinkError
from tests.bridge.test_kafka_link import (
    OLD_EPOCH,
    SHUT_OUT,
    TOO_LARGE,
    TOPIC_DENIED,
    _times,
    face,
    ids,
    kafka,
    over,
    sends,
    server,
)
from tests.servers.kafka import END_TRANSACTION, PRODUCE, KafkaServer

__all__ = ["_times", "server"]


@pytest.fixture
def topic(server: KafkaServer) -> Iterator[str]:
    """A topic of the test's own, at a broker that fails nobody afterwards."""
    yield server.new_topic(2)
    server.fail_no_more()


async def nothing(link: Any, answers: list[Answer], broken: asyncio.Event) -> tuple[dict[str, int], set[bytes]]:
    return link.marks, set(link._known)


def other_site(server: KafkaServer, topic: str, count: int) -> None:
    """Let another site bring messages of the same ids into both partitions."""
    messages = [face(number, f"cam{number % 4}") for number in range(count)]
    over(kafka(server, topic, prefix="other"), sends(messages))


@pytest.mark.parametrize("stream", ["door", "cam1", "cam2", "cam3", "hall"])
def test_the_answer_to_what_was_there_already_moves_the_mark(server: KafkaServer, topic: str, stream: str) -> None:
    edge, begun = kafka(server, topic), [face(number, stream) for number in range(4)]
    before, stored = over(edge, sends(begun))
    _, repeated = over(edge, sends(begun), before)
    assert all(answer.repeated for answer in repeated)
    assert [answer.mark for answer in repeated] == [answer.mark for answer in stored]
    behind = before | {answer.mark.part: answer.mark.offset for answer in repeated}
    assert over(edge, nothing, behind)[1] == set()


def test_what_other_sites_have_in_a_topic_is_not_counted_nor_taken_for_ones_own(
    server: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.bridge.kafka_topic._MOST_IN_DOUBT", 8)
    marks, _ = over(kafka(server, topic), sends([]))
    other_site(server, topic, 80)
    mine = [face(number, f"cam{number % 4}") for number in range(8)]
    _, answers = over(kafka(server, topic), sends(mine), marks)
    assert not any(answer.repeated for answer in answers), "their ids are the same, and they are others"
    other_site(server, topic, 80)
    _, again = over(kafka(server, topic), sends(mine), marks)
    assert all(answer.repeated for answer in again)


def test_what_others_have_brought_is_read_once(server: KafkaServer, topic: str) -> None:
    edge = kafka(server, topic)
    marks, _ = over(edge, nothing)
    assert marks == {f"{topic}/0": 0, f"{topic}/1": 0}
    other_site(server, topic, 40)
    moved, known = over(edge, nothing, marks)
    assert known == set()
    assert all(moved[part] > 0 for part in marks)
    _, stored = over(edge, sends([face(0)]), moved)
    (mark,) = [answer.mark for answer in stored]
    assert mark is not None
    again, known = over(edge, nothing, moved)
    assert known == {b"run1/door/face/0"}
    assert again[mark.part] == mark.offset - 1, "not beyond what may still wait"


@pytest.mark.parametrize("streams", [["cam0"], ["cam0", "cam1", "cam2", "cam3"]])
@pytest.mark.parametrize("beside", [0, 3, 40])
def test_a_new_buffer_knows_what_the_site_has_brought_however_much_others_have_since(
    server: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch, streams: list[str], beside: int
) -> None:
    """It looked at the newest records of all sites."""
    monkeypatch.setattr("engine.bridge.kafka_topic._FIRST_STEP", 4)
    edge, mine = kafka(server, topic), [face(number, stream) for number in range(6) for stream in streams]
    mine = [message._replace(number=number) for number, message in enumerate(mine)]
    over(edge, sends(mine))
    if beside:
        other_site(server, topic, beside)
    _, again = over(edge, sends(mine))
    assert all(answer.repeated for answer in again)


def test_a_new_buffer_looks_back_no_further_than_a_replay_service_reaches(
    server: KafkaServer, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.bridge.kafka_topic._FIRST_STEP", 4)
    monkeypatch.setattr("engine.bridge.kafka_topic._NEW_BYTES", 40)
    edge = kafka(server, topic)
    over(edge, sends([face(number) for number in range(100)]))  # of 10 bytes each
    marks, known = over(edge, nothing)
    assert known == {f"run1/door/face/{number}".encode() for number in range(100 - len(known), 100)}
    assert 4 <= len(known) <= 16
    _, answers = over(edge, sends([face(number) for number in range(90, 102)]), marks)
    assert [answer.repeated for answer in answers][-4:] == [True, True, False, False]


def _producers() -> int:
    from confluent_kafka import Producer

    return sum(issubclass(type(one), Producer) for one in gc.get_objects())  # isinstance would ask what other libraries hold


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Cycles stay: what is gone has nobody who holds it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("request_", "error", "kind"),
    [
        (PRODUCE, TOPIC_DENIED, LinkError),
        (PRODUCE, TOO_LARGE, LinkError),
        (END_TRANSACTION, SHUT_OUT, LinkError),
        (PRODUCE, OLD_EPOCH, LinkError),
        (END_TRANSACTION, SHUT_OUT, ConfigError),
    ],
)
def test_a_producer_has_ended_when_its_link_has_broken(
    server: KafkaServer, topic: str, no_collector: None, request_: int, error: int, kind: type[Exception]
) -> None:
    edge = kafka(server, topic)
    if kind is ConfigError:
        edge.is_shut_out_again()
    before = _producers()

    async def use(link: Any, answers: list[Answer], broken: asyncio.Event) -> tuple[Exception, int]:
        assert _producers() == before + 1
        server.fail(request_, error)
        await link.publish(face(0, size=50_000))
        await broken.wait()
        return link.broken, _producers()

    failure, left = over(edge, use)
    assert type(failure) is kind
    assert left == before


def test_nor_is_one_left_of_a_link_that_was_closed(server: KafkaServer, topic: str, no_collector: None) -> None:
    before, edge = _producers(), kafka(server, topic)

    async def run() -> int:
        for _ in range(3):
            link = await edge.open(lambda _: None, lambda: None, {})
            await link.close()
        return _producers()

    assert asyncio.run(run()) == before
    assert ids(server, topic) == {}

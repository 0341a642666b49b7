"""A broker that speaks Kafka's protocol: each message is there once, in the order of its stream; what it refuses is one
sentence; nothing shows a password."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.bridge.broker import Broker
from engine.bridge.kafka import Kafka
from engine.bridge.link import Answer, Outgoing
from engine.bridge.names import Key
from engine.errors import ConfigError, LinkError
from tests.patience import PATIENCE_SECONDS
from tests.servers.kafka import ADD_PARTITIONS, END_TRANSACTION, INIT_PRODUCER, PRODUCE, KafkaServer, header, require_kafka
from tests.servers.kafka_guard import Guard

TOO_LARGE, TOPIC_DENIED, OLD_EPOCH, ID_DENIED, SHUT_OUT = 10, 29, 47, 53, 90
"""Kafka's numbers of errors."""


@pytest.fixture(autouse=True)
def _times(monkeypatch):
    """This broker does not answer how large a message may be; all else may take its time."""
    monkeypatch.setattr("engine.bridge.kafka_topic._LIMIT_SECONDS", 0.2)
    _answers_within(monkeypatch, PATIENCE_SECONDS)


def _answers_within(monkeypatch, seconds: float) -> None:
    monkeypatch.setattr("engine.bridge.kafka_link.SECONDS", seconds)  # first: it takes the other one's when it is imported
    monkeypatch.setattr("engine.bridge.kafka_topic.SECONDS", seconds)


@pytest.fixture(scope="module")
def server() -> Iterator[KafkaServer]:
    require_kafka()
    with KafkaServer() as started:
        yield started


@pytest.fixture
def topic(server: KafkaServer) -> Iterator[str]:
    """A topic of the test's own, at a broker that fails nobody afterwards."""
    yield server.new_topic(3)
    server.fail_no_more()


def kafka(server: KafkaServer, topic: str = "", prefix: str = "site", **options: Any) -> Kafka:
    return Kafka(Broker(server.url, prefix, topic, **options))


def face(number: int, stream: str = "door", size: int = 10) -> Outgoing:
    return Outgoing(number, Key("run1", stream, "face", number, number), False, bytes([number % 256]) * size)


def over(
    edge: Kafka,
    use: Callable[[Any, list[Answer], asyncio.Event], Coroutine[Any, Any, Any]],
    marks: Mapping[str, int] | None = None,
) -> Any:
    """Open a link, use it, close it."""

    async def run() -> Any:
        answers: list[Answer] = []
        broken = asyncio.Event()
        link = await edge.open(answers.append, broken.set, marks or {})
        try:
            return await use(link, answers, broken)
        finally:
            await link.close()

    return asyncio.run(asyncio.wait_for(run(), PATIENCE_SECONDS))


def sends(messages: list[Outgoing]) -> Callable[[Any, list[Answer], asyncio.Event], Coroutine[Any, Any, Any]]:
    async def use(link: Any, answers: list[Answer], broken: asyncio.Event) -> tuple[dict[str, int], list[Answer]]:
        for message in messages:
            await link.publish(message)
        while len(answers) < len(messages) and not link.broken:
            await asyncio.sleep(0.01)
        if any(answer.refused for answer in answers):
            await broken.wait()  # which is told a moment after the reason
        if link.broken:
            raise link.broken
        return link.marks, answers

    return use


def ids(server: KafkaServer, topic: str) -> Counter[str]:
    return Counter(header(record, "id") for record in server.read(topic))


def test_messages_of_a_stream_are_in_one_partition_in_order_and_say_what_they_are(server, topic):
    sent = [face(number, stream) for number in range(12) for stream in (f"cam{number % 4}",)]
    sent.append(Outgoing(12, Key("run1", "", "end", 0, 0), False, b"the end"))
    marks, answers = over(kafka(server, topic), sends(sent))
    assert marks == {f"{topic}/{number}": 0 for number in range(3)}
    assert [answer.number for answer in answers] == list(range(13))
    found = server.read(topic)
    assert sorted(record.value() for record in found) == sorted(message.body for message in sent)
    for stream in range(4):
        mine = [record for record in found if record.key() == f"cam{stream}".encode()]
        assert [header(record, "seq") for record in mine] == [str(number) for number in range(12) if number % 4 == stream]
        assert len({record.partition() for record in mine}) == 1
    assert all(answer.mark is not None and answer.mark.part.startswith(f"{topic}/") for answer in answers)
    assert (header(found[0], "schema"), header(found[0], "site")) == ("facestream/1", "site")


def test_what_was_stored_and_not_acknowledged_is_not_stored_again(server, topic):
    edge, begun = kafka(server, topic), [face(number, f"cam{number % 4}") for number in range(8)]
    marks, _ = over(edge, sends(begun))
    _, answers = over(edge, sends([*begun, face(8)]), marks)
    assert [answer.repeated for answer in answers] == [True] * 8 + [False]
    assert set(ids(server, topic).values()) == {1}
    assert len(ids(server, topic)) == 9


def test_what_was_acknowledged_while_a_mark_could_not_be_written_is_not_stored_again(server, topic):
    edge, begun = kafka(server, topic), [face(number) for number in range(1500)]
    marks, _ = over(edge, sends(begun))
    _, answers = over(edge, sends(begun), marks)
    assert all(answer.repeated for answer in answers)


def test_what_was_acknowledged_is_not_read_back(server, topic):
    edge = kafka(server, topic)
    marks, answers = over(edge, sends([face(number) for number in range(4)]))
    behind = marks | {answer.mark.part: answer.mark.offset for answer in answers[:3]}

    async def known(link: Any, answers: list[Answer], broken: asyncio.Event) -> set[bytes]:
        return set(link._known)

    assert over(edge, known, behind) == {b"run1/door/face/3"}


@pytest.mark.parametrize("lost", [{"0": 10**6}, {"0": 10**6, "1": 0}])
def test_marks_of_a_topic_that_was_made_anew_are_none(server, topic, lost):
    edge = kafka(server, topic)
    over(edge, sends([face(0)]))
    _, answers = over(edge, sends([face(0)]), {f"{topic}/{part}": offset for part, offset in lost.items()})
    assert [answer.repeated for answer in answers] == [True]


def _open(edge: Kafka) -> str:
    with pytest.raises(LinkError) as refused:
        over(edge, sends([face(0)]))
    return str(refused.value)


def test_a_topic_that_is_not_there_and_cannot_be_made_is_told(server, monkeypatch):
    assert _open(kafka(server, "nowhere")).endswith("has no topic 'nowhere': make it, or leave --stream out")
    _answers_within(monkeypatch, 1.0)  # this broker never answers who wants to make one
    said = _open(Kafka(Broker(server.url, "elsewhere")))
    assert "has no topic 'facestream.elsewhere.v1', and does not make it: " in said
    assert said.endswith("create it there yourself, or name one with --stream")


def test_nobody_there_a_name_that_is_none_and_a_port_that_says_nothing_are_told(monkeypatch):
    require_kafka()
    _answers_within(monkeypatch, 3.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert "Connection refused" in _open(Kafka(Broker(f"kafka://127.0.0.1:{closed.getsockname()[1]}", "site")))
    assert "Failed to resolve 'nowhere.invalid:9092'" in _open(Kafka(Broker("kafka://nowhere.invalid:9092", "site")))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = _open(Kafka(Broker(f"kafka://127.0.0.1:{silent.getsockname()[1]}", "site")))
        assert "does not answer" in said or "timed out" in said.lower()


def test_a_broker_that_falls_silent_breaks_the_link_and_has_all_once_when_it_is_back(server, topic, monkeypatch):
    edge, sent = kafka(server, topic), [face(number) for number in range(5)]
    marks, _ = over(edge, sends([]))

    async def use(link: Any, answers: list[Answer], broken: asyncio.Event) -> str:
        _answers_within(monkeypatch, 0.5)
        with server.hanging():
            for message in sent:
                await link.publish(message)
            await broken.wait()
        return str(link.broken)

    assert server.address in over(edge, use, marks)
    _answers_within(monkeypatch, PATIENCE_SECONDS)
    over(edge, sends(sent), marks)
    assert ids(server, topic) == Counter({f"run1/door/face/{number}": 1 for number in range(5)})


def test_a_broker_that_goes_away_breaks_a_link_on_which_nothing_is_sent(monkeypatch):
    require_kafka()
    monkeypatch.setattr("engine.bridge.kafka_link._ASK_SECONDS", 0.1)
    with KafkaServer() as mortal:

        async def use(link: Any, answers: list[Answer], broken: asyncio.Event) -> str:
            _answers_within(monkeypatch, 0.5)
            mortal.kill()
            await broken.wait()
            return str(link.broken)

        assert mortal.address in over(kafka(mortal), use)


def test_a_message_that_the_broker_finds_too_large_is_told_and_learned_from(server, topic):
    edge = kafka(server, topic)
    server.fail(PRODUCE, TOO_LARGE)
    with pytest.raises(LinkError, match=r"it accepts no messages of 50,000 bytes: pictures of larger ones are left out"):
        over(edge, sends([face(0, size=50_000)]))

    async def limit(link: Any, answers: list[Answer], broken: asyncio.Event) -> int:
        return link.max_bytes

    assert over(edge, limit) == 25_000


@pytest.mark.parametrize(("request_", "error"), [(PRODUCE, TOPIC_DENIED), (ADD_PARTITIONS, TOPIC_DENIED)])
def test_a_right_that_is_missing_is_named(server, topic, request_, error):
    server.fail(request_, error)
    said = _open(kafka(server, topic))
    assert f"uthorization failed; the user needs Read, Write and Describe on the topic {topic}" in said


def test_a_right_to_the_transactional_id_that_is_missing_is_named(server, topic):
    server.fail(INIT_PRODUCER, ID_DENIED)
    assert f"Write and Describe on the transactional id {topic}/site" in _open(kafka(server, topic))


def test_what_the_broker_refuses_is_answered_with_the_reason(server, topic):
    server.fail(PRODUCE, TOPIC_DENIED)

    async def use(link: Any, answers: list[Answer], broken: asyncio.Event) -> list[Answer]:
        await link.publish(face(3))
        await broken.wait()
        return answers

    assert [(answer.number, "uthorization failed" in answer.refused) for answer in over(kafka(server, topic), use)] == [
        (3, True)
    ]


def test_a_bridge_that_another_one_shuts_out_again_and_again_ends(server, topic):
    edge = kafka(server, topic)
    server.fail(END_TRANSACTION, SHUT_OUT)
    with pytest.raises(LinkError, match="another bridge serves this site, or a transaction took too long"):
        over(edge, sends([face(0)]))
    server.fail(PRODUCE, OLD_EPOCH)
    with pytest.raises(ConfigError, match="another bridge serves this site: over Kafka only one can, so this one ends"):
        over(edge, sends([face(1)]))


def test_what_another_bridge_brought_a_moment_ago_is_known_to_one_that_is_new(server, topic):
    over(kafka(server, topic), sends([face(number) for number in range(4)]))
    _, answers = over(kafka(server, topic), sends([face(number) for number in range(6)]))
    assert [answer.repeated for answer in answers] == [True] * 4 + [False] * 2


@pytest.fixture
def guard(server: KafkaServer, tmp_path: Path) -> Iterator[Guard]:
    with Guard(server.address, tmp_path, "me:secret word%") as started:
        yield started


def _credentials(folder: Path, line: str) -> Path:
    file = folder / "kafka.txt"
    file.write_text(line)
    file.chmod(0o600)
    return file


def test_over_tls_and_with_a_password_all_goes_the_same_way(server, topic, guard, tmp_path):
    options: dict[str, Any] = {"credentials": _credentials(tmp_path, "me:secret word%"), "sasl": "plain"}
    edge = Kafka(Broker(f"kafka+ssl://{guard.address}", "site", topic, tls_ca=guard.authority, **options))
    assert edge.check() == ""
    over(edge, sends([face(0), face(1)]))
    assert len(ids(server, topic)) == 2


def test_a_wrong_password_is_told_and_not_shown(topic, guard, tmp_path, monkeypatch):
    _answers_within(monkeypatch, 5.0)
    options: dict[str, Any] = {"credentials": _credentials(tmp_path, "me:another word"), "sasl": "plain"}
    said = _open(Kafka(Broker(f"kafka+ssl://{guard.address}", "site", topic, tls_ca=guard.authority, **options)))
    assert "uthentication failed" in said
    assert "another word" not in said


def test_a_broker_that_nobody_vouches_for_is_sent_nothing(topic, guard, monkeypatch):
    _answers_within(monkeypatch, 5.0)
    assert "certificate verify failed" in _open(Kafka(Broker(f"kafka+ssl://{guard.address}", "site", topic)))


def test_a_broker_without_tls_is_told(server, topic, monkeypatch):
    _answers_within(monkeypatch, 5.0)
    said = _open(Kafka(Broker(server.url.replace("kafka://", "kafka+ssl://"), "site", topic)))
    assert "does it speak TLS?" in said or "connecting to a PLAINTEXT broker listener?" in said

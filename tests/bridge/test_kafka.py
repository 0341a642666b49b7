"""Where Kafka is, who asks, and what things are called there; nothing shows a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bridge.broker import Broker
from engine.bridge.edges import edge_of
from engine.bridge.kafka import Kafka
from engine.bridge.link import Outgoing
from engine.bridge.names import Key
from engine.errors import ConfigError
from tests.servers.kafka import require_kafka


@pytest.fixture(autouse=True)
def _needs_kafka() -> None:
    require_kafka()


def kafka(url: str, **options: object) -> Kafka:
    return Kafka(Broker(url, "site", **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"url": "kafka://"}, "give each host its port, as in kafka://HOST:9092"),
        ({"url": "kafka://h"}, "--to is kafka://h: give each host its port"),
        ({"url": "kafka://h:abc"}, "give each host its port"),
        ({"url": "kafka://h:0"}, "give each host its port"),
        ({"url": "kafka://h:99999"}, "give each host its port"),
        ({"url": "kafka://a:1,b"}, "give each host its port"),
        ({"url": "kafka://h:1/topic"}, "give each host its port"),
        ({"url": "kafka://h:1,"}, "give each host its port"),
        ({"url": "kafka://h:1", "stream": "a b"}, "the topic 'a b' is not usable"),
        ({"url": "kafka://h:1", "stream": "x" * 250}, "is not usable: use at most 249 characters of A-Z a-z 0-9 . _ -"),
        ({"url": "kafka://me:secret-word@h:1", "credentials": Path("/nowhere")}, "names one too: leave one out"),
        ({"url": "kafka://h:1", "credentials": Path("/nowhere")}, "/nowhere cannot be read"),
        ({"url": "kafka://h:1", "credentials": Path("/etc/hostname")}, "has no colon between user and password"),
        ({"url": "kafka://me:%ff@h:1"}, "user and password for kafka://h:1 are not UTF-8"),
        ({"url": "kafka://h:1", "sasl": "plain"}, "--sasl plain needs a password: give it with --creds FILE"),
        (
            {"url": "kafka://me:secret-word@h:1", "sasl": "plain"},
            "would show the password to anybody listening: use kafka.ssl://",
        ),
        ({"url": "kafka+ssl://h:1", "tls_ca": Path("/nowhere")}, "the certificates in /nowhere cannot be read"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_received(options, sentence):
    with pytest.raises(ConfigError, match=sentence) as refused:
        kafka(**options).check()
    assert "secret-word" not in str(refused.value)


@pytest.mark.parametrize("url", ["kafka://h:9092", "kafka+ssl://a:1,b:2", "kafka://[::1]:9092", "kafka://h:9092/"])
def test_what_can_work_is_not(url):
    assert kafka(url).check() == ""


def test_an_address_of_no_broker_and_an_option_of_another_one_are_refused():
    with pytest.raises(ConfigError, match="use nats://HOST:4222 or tls://HOST:4222 for NATS, kafka://HOST:9092 or"):
        edge_of(Broker("mqtt://h:1", "site"))
    with pytest.raises(ConfigError, match="--window is for NATS, and --to is kafka://h:1: leave --window out"):
        edge_of(Broker("kafka://h:1", "site", window_seconds=1.0))
    with pytest.raises(ConfigError, match="--sasl is for Kafka, and --to is tls://h:1: leave --sasl out"):
        edge_of(Broker("tls://h:1", "site", sasl="plain"))


def test_a_password_reaches_the_library_and_nobody_else(tmp_path):
    file = tmp_path / "kafka.txt"
    file.write_text("me:secret word%\n")
    file.chmod(0o644)
    by_file = kafka("kafka+ssl://a:1,b:2", credentials=file, tls_ca=Path("ca.pem"))
    assert "may be read by others" in kafka("kafka://a:1", credentials=file).check()
    asked = by_file.settings
    assert (asked["security.protocol"], asked["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (asked["sasl.username"], asked["sasl.password"], asked["ssl.ca.location"]) == ("me", "secret word%", "ca.pem")
    by_url = kafka("kafka://me:secret%20word%25@a:1", sasl="scram-sha-256")
    assert (by_url.settings["security.protocol"], by_url.settings["sasl.mechanism"]) == ("SASL_PLAINTEXT", "SCRAM-SHA-256")
    assert by_url.settings["sasl.password"] == "secret word%"
    assert (by_file.shown, by_url.shown) == (
        "kafka+ssl://a:1,b:2, topic facestream.site.v1",
        "kafka://a:1, topic facestream.site.v1",
    )
    assert kafka("kafka://h:1").settings["security.protocol"] == "PLAINTEXT"


def test_a_record_says_what_a_message_is_without_being_unpacked():
    record = kafka("kafka://h:1").record(Outgoing(4, Key("run 1", "hall.1", "face", 7, 7), False, b"body"))
    assert (record["key"], record["value"]) == (b"hall.1", b"body")
    assert record["headers"] == {
        "id": "run%201/hall%2E1/face/7",
        "schema": "facestream/1",
        "site": "site",
        "run": "run 1",
        "stream": "hall.1",
        "kind": "face",
        "seq": "7",
        "content-type": "application/msgpack",
    }
    gap = kafka("kafka://h:1").record(Outgoing(4, Key("run1", "hall", "face", 7, 9), True, b""))
    assert (gap["key"], gap["headers"]["kind"], gap["headers"]["seq"]) == (b"hall", "gap", "7-9")
    assert kafka("kafka://h:1").record(Outgoing(4, Key("run1", "", "end", 0, 0), False, b""))["key"] == b"run1"


def test_over_a_slow_link_a_transaction_carries_less_and_over_a_quick_one_more():
    one = kafka("kafka://h:1")
    first = one.transaction_bytes
    one.took(first, 5.0)
    assert one.transaction_bytes == first // 2
    for _ in range(10):
        one.took(1000, 5.0)
    least = one.transaction_bytes
    one.took(least // 2, 0.01)
    assert one.transaction_bytes == least
    for _ in range(10):
        one.took(one.transaction_bytes, 0.01)
    assert least < first < one.transaction_bytes <= 4 << 20

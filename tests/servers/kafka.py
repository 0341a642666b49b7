"""Starts a broker that speaks Kafka's protocol: librdkafka's own, which comes with the client's wheel.

It has partitions, idempotent producers, transactions to begin and end, and injected errors. It has no disk, makes no topic when
it is asked to, shuts nobody out, and shows what an aborted transaction had added.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import environment

TOPIC = "facestream.site.v1"
PRODUCE, INIT_PRODUCER, ADD_PARTITIONS, END_TRANSACTION = 0, 22, 24, 26
"""Numbers of requests."""


def require_kafka() -> None:
    """Skip the test where the library is missing; fail it where FAIL_WITHOUT_KAFKA=1 says that it must be there."""
    if importlib.util.find_spec("confluent_kafka") is None:
        (pytest.fail if os.environ.get("FAIL_WITHOUT_KAFKA") == "1" else pytest.skip)("needs confluent-kafka")


class KafkaServer:
    """One broker with one topic; after ``kill``, ``start`` brings it back with what it had stored."""

    def __init__(self, topic: str = TOPIC, partitions: int = 4) -> None:
        self.topic, self._partitions = topic, partitions
        self._process: subprocess.Popen[str] | None = None
        self._failing, self._made = set[int](), 0
        self.address = ""

    @property
    def url(self) -> str:
        return f"kafka://{self.address}"

    def make(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        assert self._ask("topic_create", topic, partitions, 1) == 0

    def new_topic(self, partitions: int) -> str:
        """Make a topic that nobody else has; return its name."""
        self._made += 1
        self.make(f"own.{self._made}", partitions)
        return f"own.{self._made}"

    def fail(self, request: int, *errors: int) -> None:
        """Answer the next requests of a kind with errors, one after another."""
        self._failing.add(request)
        self._ask("push_request_errors_array", request, len(errors), list(errors))

    def fail_no_more(self) -> None:
        """Forget the errors that nobody has met."""
        while self._failing:
            self._ask("clear_request_errors", self._failing.pop())

    def kill(self) -> None:
        """Hang up, and listen no more. Its memory stays, as a real one's disk does."""
        assert self._ask("broker_set_down", 1) == 0

    def start(self) -> None:
        assert self._ask("broker_set_up", 1) == 0

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Meanwhile it answers nobody, and its kernel still takes what it is sent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def read(self, topic: str = "") -> list[Any]:
        """Return all that is in a topic, partition after partition."""
        return read_topic(self.address, topic or self.topic)

    def _ask(self, *call: Any) -> Any:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(call) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def __enter__(self) -> KafkaServer:
        command = [sys.executable, "-m", "tests.servers.kafka_broker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
        )
        assert self._process.stdout is not None
        self.address = json.loads(self._process.stdout.readline())
        if self._partitions:
            self.make(self.topic, self._partitions)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        process = self._process
        assert process is not None
        process.kill()
        process.wait(PATIENCE_SECONDS)
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def read_topic(address: str, topic: str, newest: int | None = None) -> list[Any]:
    """Return what is in a topic, partition after partition: all of it, or what stands at the last so many offsets of each."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

    reading = {"bootstrap.servers": address, "group.id": "test", "enable.auto.commit": False, "enable.partition.eof": True}
    with closing(Consumer(reading | {"fetch.wait.max.ms": 50, "allow.auto.create.topics": False})) as consumer:
        partitions = consumer.list_topics(topic, timeout=PATIENCE_SECONDS).topics[topic].partitions
        assigned = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]
        if newest is not None:
            for one in assigned:
                low, high = consumer.get_watermark_offsets(one, timeout=PATIENCE_SECONDS)
                one.offset = max(low, high - newest)
        consumer.assign(assigned)
        found: dict[int, list[Any]] = {number: [] for number in partitions}
        left = set(partitions)
        while left:
            record = consumer.poll(PATIENCE_SECONDS)
            assert record is not None, f"of {topic} nothing comes"
            if record.error() is None:
                found[record.partition()].append(record)
            elif record.error().code() == KafkaError._PARTITION_EOF:
                left.discard(record.partition())
            else:
                raise KafkaException(record.error())
    return [record for number in sorted(found) for record in found[number]]


def header(record: Any, name: str) -> str:
    """Return what a record's header says."""
    return dict(record.headers())[name].decode()

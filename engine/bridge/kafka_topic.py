"""The topic of a site: found or created, how large its messages may be, and which it already holds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined, unused-ignore]

from engine.bridge.entries import Mark
from engine.errors import LinkError

SECONDS = 5.0
"""Longest time for an answer."""
_LIMIT_SECONDS = 2.0
"""Not every broker answers how large a message may be."""
_NEW_BYTES = 64 << 20
"""Of the site's messages a bridge with a new buffer knows the newest: what a replay service has, unless it is told otherwise.
To read them costs no more than to send them again."""
_MOST_BYTES = 4 * _NEW_BYTES
"""Beyond so much it does not look for them among what others have in the topic."""
_FIRST_STEP, _STEPS = 1024, 4
"""So many records of a partition it looks back first, and then so many times more."""
_MOST_IN_DOUBT = 16_384
"""Of a site's records behind a mark: 512 messages are under way at most, and more were acknowledged while it was not
written yet."""
_DEFAULT_LIMIT = 1_000_000
"""Of a message, where the broker does not say: its own default is a little more."""
_TURN_SECONDS = 0.1


@dataclass
class _Seen:
    """What was read of a topic."""

    all_bytes: int = 0
    own_bytes: int = 0
    """Of these, of the site."""
    own: dict[str, dict[bytes, int]] = field(default_factory=dict)
    """Of each part the offsets of the site's records, by their ids, in their order."""
    ends: dict[str, int] = field(default_factory=dict)
    """Of each part that was read to its end the offset behind it."""

    def newest(self) -> tuple[dict[bytes, Mark], dict[str, int]]:
        """See ``Topic.known``; of each part as many as are looked at again behind the marks that are returned."""
        kept = {part: list(own.items())[-_MOST_IN_DOUBT:] for part, own in self.own.items()}
        ids = {name: Mark(part, offset + 1) for part, own in kept.items() for name, offset in own}
        return ids, self.ends | {part: own[0][1] for part, own in kept.items()}


class Topic:
    """A topic, seen by a client that reads.

    Args:
        name: what it is called.
        site: whose records are looked for; others may have theirs in it.
        settings: of a client.
    """

    def __init__(self, name: str, site: str, settings: dict[str, Any]) -> None:
        reading = {
            "group.id": name,  # it wants one, and never joins it
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",  # where retention, or a new topic of the same name, has left a mark behind
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": int(1000 * _TURN_SECONDS),
        }
        self.name, self._site = name, site.encode()
        self._consumer = Consumer(settings | reading)
        self._admin = AdminClient(settings)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def hear(self) -> None:
        """Take what the library has to say of connections."""
        self._consumer.poll(0)
        self._admin.poll(0)

    def partitions(self) -> list[int]:
        """Return the numbers of its partitions; none: there is no such topic.

        Raises:
            KafkaException: the broker does not say.
        """
        found = self._consumer.list_topics(self.name, timeout=SECONDS).topics[self.name]
        if found.error is not None and found.error.code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise KafkaException(found.error)
        return sorted(found.partitions)

    def make(self) -> list[int]:
        """Make it as the broker makes topics, and return the numbers of its partitions.

        Raises:
            KafkaException: the broker does not.
        """
        try:
            self._admin.create_topics([NewTopic(self.name)], request_timeout=SECONDS)[self.name].result(2 * SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        deadline = time.monotonic() + SECONDS
        while not (partitions := self.partitions()) and time.monotonic() < deadline:
            time.sleep(_TURN_SECONDS)
        return partitions

    def max_bytes(self) -> int:
        """Return how large a batch of messages may be, as far as the broker says so."""
        with suppress(KafkaException, TimeoutError, KeyError):
            asked = ConfigResource(ResourceType.TOPIC, self.name)
            said = self._admin.describe_configs([asked], request_timeout=_LIMIT_SECONDS)[asked].result(2 * _LIMIT_SECONDS)
            return int(said["max.message.bytes"].value)
        return _DEFAULT_LIMIT

    def newest(self, partitions: list[int]) -> tuple[dict[bytes, Mark], dict[str, int]]:
        """Return what ``known`` does, of the newest that the site has: for a bridge with a new buffer, which has no marks.

        Raises:
            KafkaException: it cannot be read.
            LinkError: the broker is silent.
        """
        ends = {
            number: self._consumer.get_watermark_offsets(TopicPartition(self.name, number), timeout=SECONDS)
            for number in partitions
        }
        step = _FIRST_STEP
        while True:
            seen = self._read({number: max(low, high - step) for number, (low, high) in ends.items()})
            is_all = all(high - step <= low for low, high in ends.values())
            if is_all or seen.own_bytes >= _NEW_BYTES or seen.all_bytes >= _MOST_BYTES:
                return seen.newest()
            step *= _STEPS

    def known(self, partitions: list[int], marks: Mapping[str, int]) -> tuple[dict[bytes, Mark], dict[str, int]]:
        """Return what the site has behind marks, of each partition as much as may be in doubt: by their ids the marks behind
        the messages; and the mark before the first of them or, where there is none, before what is still to come.

        Raises:
            KafkaException: they cannot be read.
            LinkError: the broker is silent.
        """
        froms = {number: marks.get(self.part(number), OFFSET_BEGINNING) for number in partitions}
        return self._read(froms, _MOST_IN_DOUBT).newest()

    def _read(self, froms: Mapping[int, int], most: int | None = None) -> _Seen:
        """Read partitions from offsets on to their ends, or up to ``most`` of the site's records in each."""
        self._consumer.assign([TopicPartition(self.name, number, offset) for number, offset in froms.items()])
        seen, left, heard_at = _Seen(), set(froms), time.monotonic()
        while left:
            record = self._consumer.poll(_TURN_SECONDS)
            if record is None:
                if time.monotonic() - heard_at > SECONDS:
                    raise LinkError(f"what the topic {self.name} has cannot be read: the broker does not answer")
                continue
            heard_at, number, offset = time.monotonic(), cast(int, record.partition()), cast(int, record.offset())
            error = record.error()
            if error is None:
                size = len(record.value() or b"")
                seen.all_bytes += size
                headers = dict(cast("list[tuple[str, bytes]]", record.headers() or []))
                if headers.get("site") != self._site or "id" not in headers:
                    continue
                seen.own_bytes += size
                own = seen.own.setdefault(self.part(number), {})
                own.setdefault(headers["id"], offset)  # of one that is there twice the first: others stand behind it
                if len(own) == most:
                    left.discard(number)
                    self._consumer.pause([TopicPartition(self.name, number)])
            elif error.code() == KafkaError._PARTITION_EOF:
                left.discard(number)
                seen.ends[self.part(number)] = offset
            else:
                raise KafkaException(error)
        return seen

    def part(self, partition: int) -> str:
        """Return what a partition is called among marks."""
        return f"{self.name}/{partition}"

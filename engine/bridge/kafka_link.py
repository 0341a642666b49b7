"""A link to Kafka: consecutive transactions of one producer, which fences off every other producer of its site.

Unlike NATS, Kafka does not recognise a message that it already has. So opening a link first ends what another producer had
begun (``init_transactions``): from then on that one can add nothing. Then the link reads what the topic holds after the marks
that were stored with the acknowledgements: only there can messages be that still wait in the buffer.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from engine.bridge.entries import Mark
from engine.bridge.kafka_topic import SECONDS, Topic
from engine.bridge.kafka_words import Heard, words_of
from engine.bridge.link import Answer, OnAnswer, Outgoing
from engine.bridge.names import message_id
from engine.errors import ConfigError, FacestreamError, LinkError

if TYPE_CHECKING:
    from engine.bridge.kafka import Kafka

_HEADER_BYTES = 8192
"""Of a message, for its key and headers, which the broker counts too."""
_LEAST_BYTES = 4096
"""A broker that does not take so much takes no messages at all."""
_TRANSACTION_SECONDS = 30.0
"""A transaction of a bridge that is gone holds readers up for so long, or until it comes back."""
_TURN_SECONDS = 0.1
_ASK_SECONDS = 5.0
"""Where nothing is sent, the broker is asked now and then whether it is there."""
_SHUT_OUT = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
"""Also of a transaction that the broker ended as it took too long, as where a machine slept."""


class KafkaLink:
    """See ``Link``; ``open`` makes one. The producer is of one thread, which ends with the link."""

    window_seconds = 0.0
    _producer: Producer
    """For as long as the thread runs. No local variable holds it: frames live on with exceptions, also with the library's."""

    def __init__(self, kafka: Kafka, on_answer: OnAnswer, on_break: Callable[[], None]) -> None:
        self._kafka, self._on_answer, self._on_break = kafka, on_answer, on_break
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[Outgoing] = SimpleQueue()
        self._known: dict[bytes, Mark] = {}
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._heard = Heard()
        self._is_closed = False
        self._stored: dict[int, Mark] = {}
        self._failed: dict[int, KafkaError] = {}
        self.max_bytes = 0
        self.marks: Mapping[str, int] = {}
        self.broken: Exception | None = None

    @classmethod
    async def open(cls, kafka: Kafka, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> KafkaLink:
        """See ``OpenLink``."""
        link = cls(kafka, on_answer, on_break)
        opened: asyncio.Future[None] = link._loop.create_future()
        threading.Thread(target=link._run, args=(dict(marks), opened), name="kafka", daemon=True).start()
        try:
            await opened
        except BaseException:
            link._is_closed = True
            raise
        return link

    async def publish(self, message: Outgoing) -> None:
        """See ``Link.publish``."""
        if self.broken is not None:
            raise self.broken
        name = message_id(message.key, is_gap=message.is_gap).encode()
        if (mark := self._known.pop(name, None)) is not None:
            self._on_answer(Answer(message.number, repeated=True, mark=mark))
        else:
            self._waiting.put(message)

    async def close(self) -> None:
        """See ``Link.close``; returns when its producer is gone. What it was about is ended by the next link."""
        self._is_closed = True
        await asyncio.wait([self._ended])

    def _run(self, marks: Mapping[str, int], opened: asyncio.Future[None]) -> None:
        failure: Exception | None = None
        try:
            self._keep(marks, opened)
        except KafkaException as error:
            failure = self._failure(error.args[0])
        except Exception as error:  # also what nobody expects: who waits hears of it
            failure = error.with_traceback(None)
        with suppress(AttributeError):
            del self._producer  # it has ended when the next link is opened
        self._end(failure, opened)

    def _keep(self, marks: Mapping[str, int], opened: asyncio.Future[None]) -> None:
        """Carry what comes until the link is closed, or breaks."""
        self._begin(marks)
        self._say(partial(self._open, opened))
        asked_at = time.monotonic()
        while not self._is_closed:
            if batch := self._batch():
                self._carry(batch)
                asked_at = time.monotonic()
            elif time.monotonic() > asked_at + _ASK_SECONDS:
                self._producer.list_topics(self._kafka.topic, timeout=SECONDS)
                asked_at = time.monotonic()
            else:
                self._producer.poll(0)

    def _say(self, what: Callable[[], object]) -> None:
        """Have something done in the event loop, if that still runs."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)

    def _open(self, opened: asyncio.Future[None]) -> None:
        if not opened.done():  # nobody waits any more where it was stopped meanwhile
            opened.set_result(None)

    def _end(self, failure: Exception | None, opened: asyncio.Future[None]) -> None:
        def end() -> None:
            if failure is not None and not opened.done():
                opened.set_exception(failure)
            elif failure is not None and not self._is_closed:
                self.broken = failure
                self._on_break()
            if not self._ended.done():
                self._ended.set_result(None)

        self._say(end)

    def _begin(self, marks: Mapping[str, int]) -> None:
        """Make the producer, shut all others of the site out, and learn what the topic has."""
        kafka = self._kafka
        settings = kafka.settings | {"error_cb": self._heard}
        with closing(Topic(kafka.topic, kafka.site, settings)) as topic:
            try:
                partitions = topic.partitions() or self._made(topic)
                kafka.limit_bytes = limit = kafka.limit_bytes or topic.max_bytes()
                self.max_bytes = limit - _HEADER_BYTES
                self._producer = Producer(
                    settings
                    | {
                        "transactional.id": kafka.transactional_id,
                        "transaction.timeout.ms": int(1000 * _TRANSACTION_SECONDS),
                        "enable.idempotence": True,
                        "acks": "all",
                        "compression.type": "lz4",
                        "message.max.bytes": limit,
                        "partitioner": "murmur2_random",  # as Java's clients have it
                    }
                )
                self._producer.init_transactions(2 * SECONDS)
                is_new = not any(topic.part(number) in marks for number in partitions)
                self._known, self.marks = topic.newest(partitions) if is_new else topic.known(partitions, marks)
            except KafkaException:
                topic.hear()
                raise

    def _made(self, topic: Topic) -> list[int]:
        where, partitions, why = self._kafka.shown.partition(",")[0], list[int](), ""
        if not self._kafka.makes_topic:
            raise LinkError(f"{where} has no topic {topic.name!r}: make it, or leave --stream out")
        try:
            partitions = topic.make()
        except KafkaException as error:
            why = f", and does not make it: {self._heard.words_for(error.args[0])}"
        if not partitions:
            raise LinkError(f"{where} has no topic {topic.name!r}{why}: create it there yourself, or name one with --stream")
        return partitions

    def _batch(self) -> list[Outgoing]:
        """Return what waits, as much as goes into one transaction."""
        batch, size, timeout = list[Outgoing](), 0, _TURN_SECONDS
        with suppress(Empty):
            while size < self._kafka.transaction_bytes:
                batch.append(self._waiting.get(timeout > 0, timeout))
                size, timeout = size + len(batch[-1].body), 0.0
        return batch

    def _carry(self, batch: list[Outgoing]) -> None:
        """Carry one transaction out, and tell what became of it."""
        begun, size = time.monotonic(), sum(len(message.body) for message in batch)
        seconds = min(SECONDS * max(1.0, size / self._kafka.transaction_bytes), _TRANSACTION_SECONDS)
        self._stored, self._failed = {}, {}
        self._producer.begin_transaction()
        for message in batch:
            delivered = partial(self._delivered, message.number)
            self._producer.produce(self._kafka.topic, **self._kafka.record(message), on_delivery=delivered)
        try:
            self._producer.commit_transaction(seconds)  # longer for a message that alone is more than the link carries by then
        except KafkaException as error:
            self._kafka.took(0, time.monotonic() - begun)
            self._refuse(batch, error.args[0])
        self._kafka.took(size, time.monotonic() - begun)
        self._say(partial(self._tell, [Answer(message.number, mark=self._stored.get(message.number)) for message in batch]))

    def _delivered(self, number: int, error: KafkaError | None, record: Message) -> None:
        partition, offset = record.partition(), record.offset()
        if error is not None:
            self._failed[number] = error
        elif partition is not None and offset is not None and offset >= 0:
            self._stored[number] = Mark(f"{self._kafka.topic}/{partition}", offset + 1)

    def _refuse(self, batch: list[Outgoing], error: KafkaError) -> None:
        """Tell why a transaction was not carried out.

        Raises:
            LinkError: other ones may be taken, over another link.
            ConfigError: another bridge has shut this one out.
        """
        error = next(
            (one for one in self._failed.values() if one.code() > 0), error
        )  # the first of them, which others follow from
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            largest = max(len(message.body) for message in batch if message.number in self._failed)
            if largest > _LEAST_BYTES:
                self._kafka.limit_bytes = largest // 2 + _HEADER_BYTES
                raise LinkError(
                    f"{self._kafka.shown}: it accepts no messages of {largest:,} bytes: pictures of larger ones are left out"
                )
        failure = self._failure(error)
        if isinstance(failure, LinkError) and error.code() > 0 and not error.retriable():
            self._say(partial(self._tell, [Answer(batch[0].number, refused=words_of(error))]))
        raise failure

    def _tell(self, answers: list[Answer]) -> None:
        for answer in answers:
            if not self._is_closed:
                self._on_answer(answer)

    def _failure(self, error: KafkaError) -> FacestreamError:
        kafka = self._kafka
        words = self._heard.words_for(error)
        if error.code() in _SHUT_OUT:
            words = "another bridge serves this site, or a transaction took too long"
            if kafka.is_shut_out_again():
                return ConfigError(f"{kafka.shown}: another bridge serves this site: over Kafka only one can, so this one ends")
        if words.startswith("Disconnected") and kafka.uses_tls:
            words += ": does it speak TLS?"
        if "authorization" in words.lower():
            words += (
                f"; the user needs Read, Write and Describe on the topic {kafka.topic}, and Write and Describe on the "
                f"transactional id {kafka.transactional_id}"
            )
        return LinkError(f"{kafka.shown}: {words}")

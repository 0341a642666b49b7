"""Kafka: its address, its credentials, and the names used there. Only ``kafka_link``, ``kafka_topic`` and ``kafka_words`` know
its library."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.bridge.broker import Broker
from engine.bridge.link import OnAnswer, Outgoing
from engine.bridge.names import message_id
from engine.bridge.tls import tls_with
from engine.contracts.messages import SCHEMA
from engine.errors import ConfigError, MissingRuntimeError
from engine.source.credentials import Credentials, credentials_from_url, read_credentials

if TYPE_CHECKING:
    from engine.bridge.kafka_link import KafkaLink

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+]|[^\s:,/?#\[\]]+):(\d{1,5})")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_MIN_BYTES, _FIRST_BYTES, _MOST_BYTES = 64 << 10, 256 << 10, 4 << 20
"""Of one transaction, as it takes long or not."""
_QUICK_SECONDS, _SLOW_SECONDS = 0.5, 2.0
_AGAIN_SECONDS = 60.0


class Kafka:
    """See ``Edge``."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._scheme, _, rest = broker.url.partition("://")
        self._user_info, _, hosts = rest.rpartition("@")
        self.hosts = hosts.removesuffix("/")
        self.site = broker.prefix
        self.topic = broker.stream or f"facestream.{broker.prefix}.v1"
        self.makes_topic = not broker.stream
        self.transactional_id = f"{self.topic}/{broker.prefix}"
        """One of a name at a time: who comes last shuts the others out."""
        self.shown = f"{self._scheme}://{self.hosts}, topic {self.topic}"
        self.transaction_bytes = _FIRST_BYTES
        """What one transaction carries: little over a slow link, where more would not end in time."""
        self.limit_bytes: int | None = None
        """Of a batch of messages, as the broker said, or as it turned out; None: it was not asked yet."""
        self._shut_out_at = float("-inf")

    def check(self) -> str:
        """See ``Edge.check``."""
        where = f"--to is {self._broker.shown}"
        if not all((found := _HOST.fullmatch(host)) and 0 < int(found[2]) < 1 << 16 for host in self.hosts.split(",")):
            raise ConfigError(f"{where}: give each host its port, as in kafka://HOST:9092, with commas between several")
        if not _TOPIC.fullmatch(self.topic):
            raise ConfigError(f"the topic {self.topic!r} is not usable: use at most 249 characters of A-Z a-z 0-9 . _ -")
        try:
            import confluent_kafka  # noqa: F401
        except ImportError as error:
            raise MissingRuntimeError(f"confluent-kafka is not installed: pip install 'facestream[kafka]' ({error})") from error
        credentials, warning = self._credentials()
        if self._broker.sasl is not None and credentials is None:
            raise ConfigError(f"--sasl {self._broker.sasl} needs a password: give it with --creds FILE")
        if credentials is not None and self._broker.sasl == "plain" and not self.uses_tls:
            raise ConfigError("--sasl plain would show the password to anybody listening: use kafka+ssl://")
        tls_with(self._broker.tls_ca)
        return warning

    async def open(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> KafkaLink:
        """See ``OpenLink``."""
        from engine.bridge.kafka_link import KafkaLink

        return await KafkaLink.open(self, on_answer, on_break, marks)

    @property
    def settings(self) -> dict[str, Any]:
        """Of a client of the library, whichever."""
        settings: dict[str, Any] = {
            "bootstrap.servers": self.hosts,
            "client.id": f"facestream-bridge-{self._broker.prefix}",
            "security.protocol": "SSL" if self.uses_tls else "PLAINTEXT",
            "socket.keepalive.enable": True,
            "log_level": 0,  # on standard error, where our own sentences are
        }
        credentials, _ = self._credentials()
        if credentials is not None:
            settings["security.protocol"] = f"SASL_{settings['security.protocol']}"
            settings["sasl.mechanism"] = (self._broker.sasl or "scram-sha-512").upper()
            settings["sasl.username"] = credentials.user.decode()
            settings["sasl.password"] = (credentials.password or b"").decode()
        if self._broker.tls_ca is not None:
            settings["ssl.ca.location"] = str(self._broker.tls_ca)
        return settings

    def record(self, message: Outgoing) -> dict[str, Any]:
        """Return what a message is as a record; messages of one stream have one key, so that they stay in one partition."""
        key = message.key
        numbers = f"{key.first_seq}-{key.last_seq}" if message.is_gap else f"{key.first_seq}"
        return {
            "value": message.body,
            "key": (key.stream or key.run_id).encode(),
            "headers": {
                "id": message_id(key, is_gap=message.is_gap),
                "schema": SCHEMA,
                "site": self._broker.prefix,
                "run": key.run_id,
                "stream": key.stream,
                "kind": "gap" if message.is_gap else key.kind,
                "seq": numbers,
                "content-type": "application/msgpack",
            },
        }

    def took(self, size_bytes: int, seconds: float) -> None:
        """Learn from a transaction how much the next ones carry."""
        if seconds > _SLOW_SECONDS:
            self.transaction_bytes = max(self.transaction_bytes // 2, _MIN_BYTES)
        elif seconds < _QUICK_SECONDS and size_bytes >= self.transaction_bytes:
            self.transaction_bytes = min(self.transaction_bytes * 2, _MOST_BYTES)

    def is_shut_out_again(self) -> bool:
        """Whether it was shut out a short while ago, too: then by another bridge, not by chance."""
        before, self._shut_out_at = self._shut_out_at, time.monotonic()
        return self._shut_out_at - before < _AGAIN_SECONDS

    @property
    def uses_tls(self) -> bool:
        """Whether the broker is to prove who it is."""
        return self._scheme == "kafka+ssl" or self._broker.tls_ca is not None

    def _credentials(self) -> tuple[Credentials | None, str]:
        path = self._broker.credentials
        if path is not None:
            if self._user_info:
                raise ConfigError(f"--to is {self._broker.shown} with a user, and --creds {path} names one too: leave one out")
            found, warning = read_credentials(path)
        elif self._user_info:
            found, warning = credentials_from_url(self._user_info, self._broker.shown), ""
        else:
            return None, ""
        try:
            (found.user + (found.password or b"")).decode()
        except UnicodeDecodeError as error:
            raise ConfigError(f"user and password for {self._broker.shown} are not UTF-8") from error
        return found, warning

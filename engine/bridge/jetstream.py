"""NATS JetStream: the one place that knows nats-py. A link is one connection, which never mends itself: whoever uses it opens
another one, and sends again what was not acknowledged."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from engine.bridge.link import Answer, OnAnswer
from engine.bridge.names import all_subjects_of, covers, stream_name_of
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, LinkError, MissingRuntimeError
from engine.words.redaction import redact_url

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import StreamConfig

_CONNECT_SECONDS = 5
_PING_SECONDS = 5
_PINGS = 2
_HEADER_BYTES = 1024
"""Of a message, for its headers, which the server counts too."""
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class Broker:
    """Where messages go."""

    url: str
    prefix: str
    stream: str = ""
    """One that is there; empty: one is made for ``prefix`` where there is none."""
    credentials: Path | None = None
    tls_ca: Path | None = None
    window_seconds: float = 3600.0
    """Of a stream that is made: for how long the server knows what it has."""
    keep_days: float = 7.0
    keep_bytes: int = 10 << 30
    """Bounds of a stream that is made; beyond them the oldest messages go."""

    @property
    def shown(self) -> str:
        """The URL without credentials."""
        return redact_url(self.url)

    @property
    def uses_tls(self) -> bool:
        return self.url.startswith("tls://") or self.tls_ca is not None

    @property
    def stream_name(self) -> str:
        return self.stream or stream_name_of(self.prefix)


class _Error(msgspec.Struct):
    code: int = 0
    description: str = ""


class _Ack(msgspec.Struct):
    """What JetStream answers to a message."""

    duplicate: bool = False
    error: _Error | None = None


_decode_ack = msgspec.json.Decoder(_Ack).decode


def check_broker(broker: Broker) -> None:
    """Refuse what cannot work, before anything is received.

    Raises:
        ConfigError: a file cannot be read, or the URL is none.
        MissingRuntimeError: nats-py is not installed.
    """
    if not broker.url.startswith(("nats://", "tls://")):
        raise ConfigError(f"--to is {broker.shown}: use nats://HOST:4222, or tls://HOST:4222")
    try:
        parts = urlsplit(broker.url)
        is_whole = bool(parts.hostname) and "," not in str(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ConfigError(f"--to is {broker.shown}: give one host and a port, as in nats://HOST:4222")
    try:
        import nats.aio.client  # noqa: F401

        if broker.credentials is not None:
            import nkeys  # noqa: F401
    except ImportError as error:
        raise MissingRuntimeError(f"nats-py is not installed: pip install 'facestream[nats]' ({error})") from error
    if broker.credentials is not None:
        try:
            text = broker.credentials.read_bytes()
        except OSError as error:
            raise ConfigError(f"the credentials {broker.credentials} cannot be read: {error.strerror}") from error
        if b"BEGIN NATS USER JWT" not in text or b"BEGIN USER NKEY SEED" not in text:
            raise ConfigError(f"{broker.credentials} is not a file of credentials, as `nsc generate creds` writes them")
    _tls(broker)


def _tls(broker: Broker) -> ssl.SSLContext | None:
    if not broker.uses_tls:
        return None
    try:
        return ssl.create_default_context(cafile=broker.tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"the certificates in {broker.tls_ca} cannot be read: {error.strerror or error}") from error


class JetStreamLink:
    """See ``Link``; ``open`` makes one."""

    def __init__(self, broker: Broker, client: Client, on_answer: OnAnswer) -> None:
        self._broker, self._client, self._on_answer = broker, client, on_answer
        self._replies = client.new_inbox()
        self.max_bytes, self.window_seconds = client.max_payload - _HEADER_BYTES, 0.0
        self.broken = ""

    @classmethod
    async def open(cls, broker: Broker, on_answer: OnAnswer, on_break: Callable[[], None]) -> JetStreamLink:
        """Connect, and find or make the stream.

        Args:
            broker: where.
            on_answer: is told what becomes of each message.
            on_break: is called once when the connection is gone.

        Raises:
            LinkError: the broker is not there, refuses, or has no such stream.
        """
        from nats.aio.client import Client
        from nats.errors import Error

        from engine.bridge.nats_client import TlsClient

        client, failures = TlsClient() if broker.uses_tls else Client(), list[Exception]()
        link: JetStreamLink | None = None

        async def failed(error: Exception) -> None:
            failures.append(error)

        async def closed() -> None:
            if link is not None:
                link.broken = _words(failures[-1]) if failures else "the connection was closed"
            on_break()

        options: dict[str, Any] = {} if broker.credentials is None else {"user_credentials": broker.credentials}
        if (tls := _tls(broker)) is not None:
            options["tls"] = tls
        try:
            connecting = client.connect(
                broker.url, name=f"facestream bridge {broker.prefix}", error_cb=failed, closed_cb=closed,
                allow_reconnect=False, connect_timeout=_CONNECT_SECONDS, max_reconnect_attempts=1, reconnect_time_wait=0,
                ping_interval=_PING_SECONDS, max_outstanding_pings=_PINGS, **options,
            )  # fmt: skip
            await _bounded(connecting, 2 * _CONNECT_SECONDS)
            if isinstance(client, TlsClient) and not client.is_checked:
                raise LinkError(f"{broker.shown}: this version of nats-py cannot be held to TLS: install another one")
            link = cls(broker, client, on_answer)
            await link._begin()
        except (Error, OSError, TimeoutError, ValueError, LinkError) as error:
            with suppress(Exception):
                await _bounded(client.close(), _CONNECT_SECONDS)
            if isinstance(error, LinkError):
                raise
            raise LinkError(f"{broker.shown}: {_words_at_login(failures[-1] if failures else error)}") from error
        return link

    async def publish(self, number: int, subject: str, body: bytes, message_id: str) -> None:
        """See ``Link.publish``."""
        from nats.errors import Error

        headers = {
            "Nats-Msg-Id": message_id,
            "Nats-Expected-Stream": self._broker.stream_name,
            "Content-Type": "application/msgpack",
        }
        try:
            await self._client.publish(subject, body, f"{self._replies}.{number}", headers)
        except (Error, OSError) as error:
            raise LinkError(f"{self._broker.shown}: {_words(error)}") from error

    async def close(self) -> None:
        """See ``Link.close``."""
        with suppress(Exception):
            await _bounded(self._client.close(), _CONNECT_SECONDS)

    async def _begin(self) -> None:
        config = await self._stream()
        self.window_seconds = config.duplicate_window or 0.0
        if config.max_msg_size and config.max_msg_size > 0:
            self.max_bytes = min(self.max_bytes, config.max_msg_size - _HEADER_BYTES)
        await self._client.subscribe(f"{self._replies}.*", cb=self._heard)

    async def _stream(self) -> StreamConfig:
        """Return how the stream is set; it is made where it is missing, and never changed."""
        from nats.errors import NoRespondersError
        from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError

        broker, name = self._broker, self._broker.stream_name
        jetstream = self._client.jetstream(timeout=_CONNECT_SECONDS)
        try:
            try:
                found = await jetstream.stream_info(name)
            except NotFoundError:
                if broker.stream:
                    raise LinkError(f"{broker.shown} has no stream {name!r}: make it, or leave --stream out") from None
                return await self._made(jetstream, name)
        except (ServiceUnavailableError, NoRespondersError) as error:
            raise LinkError(f"{broker.shown} has no JetStream: start it with `nats-server -js`") from error
        except APIError as error:
            raise LinkError(
                f"{broker.shown} does not make the stream {name!r}: {error.description}; make it there as you want it"
            ) from error
        if not any(covers(subject, all_subjects_of(broker.prefix)) for subject in found.config.subjects or ()):
            raise LinkError(
                f"the stream {name!r} of {broker.shown} does not take {all_subjects_of(broker.prefix)}: "
                f"give it that subject, or use another --stream or --prefix"
            )
        return found.config

    async def _made(self, jetstream: JetStreamContext, name: str) -> StreamConfig:
        broker = self._broker
        made = await jetstream.add_stream(
            name=name, subjects=[f"facestream.{broker.prefix}.>"], max_age=broker.keep_days * _DAY_SECONDS,
            max_bytes=broker.keep_bytes, duplicate_window=broker.window_seconds,
        )  # fmt: skip
        return made.config

    async def _heard(self, message: Msg) -> None:
        number = int(message.subject.rpartition(".")[2])
        if (message.headers or {}).get("Status") == "503":
            refused = "no stream takes its subject"
            self._on_answer(Answer(number, refused=refused))
            return
        try:
            ack = _decode_ack(message.data)
        except UNREADABLE as error:
            ack = _Ack(error=_Error(description=f"an answer that is not from JetStream: {error}"))
        self._on_answer(Answer(number, ack.duplicate, ack.error.description if ack.error else ""))


async def _bounded(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Wait for nats-py no longer than this: where TLS fails it can wait for ever, and lose a cancellation.

    Raises:
        TimeoutError: it has not ended.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
    if not task.done():
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    await task


def _words_at_login(error: Exception) -> str:
    """A server that refuses a user may have hung up before its reason is read."""
    from nats.errors import UnexpectedEOF

    if isinstance(error, ConnectionResetError | BrokenPipeError | UnexpectedEOF):
        return "it hung up at the login: is it NATS, and are user and password right?"
    return _words(error)


def _words(error: Exception) -> str:
    words = str(error).removeprefix("nats: ").strip("'") or type(error).__name__
    return words[:200]

"""NATS JetStream: the one place that knows nats-py. A link is one connection, which never reconnects by itself: its user opens
another one and resends what was not acknowledged."""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from engine.bridge.broker import Broker
from engine.bridge.link import Answer, OnAnswer, Outgoing
from engine.bridge.names import message_id
from engine.bridge.subjects import all_subjects_of, covers, stream_name_of, subject_of
from engine.bridge.tls import tls_with
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, LinkError, MissingRuntimeError
from engine.private_file import warning_of

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext
    from nats.js.api import StreamConfig

_CONNECT_SECONDS = 5
_HANG_UP_SECONDS = 0.2
"""For a connection that was never made: where TLS failed, nats-py waits for an end that asyncio has seen already."""
_PING_SECONDS = 5
_PINGS = 2
_HEADER_BYTES = 1024
"""Of a message, for its headers, which the server counts too."""
_WINDOW_SECONDS = 3600.0
_KEEP_SECONDS = 7 * 86_400.0
_KEEP_BYTES = 10 << 30
"""Bounds of a stream that is made; beyond them the oldest messages go."""


class _Error(msgspec.Struct):
    code: int = 0
    description: str = ""


class _Ack(msgspec.Struct):
    """What JetStream answers to a message."""

    duplicate: bool = False
    error: _Error | None = None


_decode_ack = msgspec.json.Decoder(_Ack).decode


class JetStream:
    """See ``Edge``."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.shown = f"{broker.shown}, stream {_stream_name(broker)}"

    def check(self) -> str:
        """See ``Edge.check``."""
        _check(self._broker)
        path = self._broker.credentials
        return "" if path is None else _check_credentials(path)

    async def open(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> JetStreamLink:
        """See ``OpenLink``; the server itself knows what it has."""
        return await JetStreamLink.open(self._broker, on_answer, on_break)


def _check(broker: Broker) -> None:
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
    _tls(broker)


def _check_credentials(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text, status = file.read(), os.fstat(file.fileno())
    except OSError as error:
        raise ConfigError(f"the credentials {path} cannot be read: {error.strerror}") from error
    if b"BEGIN NATS USER JWT" not in text or b"BEGIN USER NKEY SEED" not in text:
        raise ConfigError(f"{path} is not a file of credentials, as `nsc generate creds` writes them")
    return warning_of(path, status, "the credentials file")


def _stream_name(broker: Broker) -> str:
    return broker.stream or stream_name_of(broker.prefix)


def _uses_tls(broker: Broker) -> bool:
    return broker.url.startswith("tls://") or broker.tls_ca is not None


def _tls(broker: Broker) -> ssl.SSLContext | None:
    return tls_with(broker.tls_ca) if _uses_tls(broker) else None


class JetStreamLink:
    """See ``Link``; ``open`` makes one."""

    marks: Mapping[str, int] = {}

    def __init__(self, broker: Broker, client: Client, on_answer: OnAnswer) -> None:
        self._broker, self._client, self._on_answer = broker, client, on_answer
        self._replies = client.new_inbox()
        self.max_bytes, self.window_seconds = client.max_payload - _HEADER_BYTES, 0.0
        self.broken: LinkError | None = None

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

        client, failures = TlsClient() if _uses_tls(broker) else Client(), list[Exception]()
        link: JetStreamLink | None = None

        async def failed(error: Exception) -> None:
            failures.append(error)

        async def closed() -> None:
            if link is not None:
                link.broken = LinkError(f"{broker.shown}: {_words(failures[-1]) if failures else 'the connection was closed'}")
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
                raise LinkError(f"{broker.shown}: this version of nats-py cannot enforce TLS: install another one")
            link = cls(broker, client, on_answer)
            await link._begin()
        except (Error, OSError, TimeoutError, ValueError, LinkError) as error:
            with suppress(Exception):
                await _bounded(client.close(), _HANG_UP_SECONDS)
            if isinstance(error, LinkError):
                raise
            raise LinkError(f"{broker.shown}: {_words_at_login(failures[-1] if failures else error)}") from error
        return link

    async def publish(self, message: Outgoing) -> None:
        """See ``Link.publish``."""
        from nats.errors import Error

        headers = {
            "Nats-Msg-Id": message_id(message.key, is_gap=message.is_gap),
            "Nats-Expected-Stream": _stream_name(self._broker),
            "Content-Type": "application/msgpack",
        }
        subject = subject_of(self._broker.prefix, message.key, is_gap=message.is_gap)
        try:
            await self._client.publish(subject, message.body, f"{self._replies}.{message.number}", headers)
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

        broker, name = self._broker, _stream_name(self._broker)
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
                f"{broker.shown} does not make the stream {name!r}: {error.description}; create it there yourself"
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
            name=name, subjects=[f"facestream.{broker.prefix}.>"], max_age=_KEEP_SECONDS,
            max_bytes=_KEEP_BYTES, duplicate_window=broker.window_seconds or _WINDOW_SECONDS,
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
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({error.verify_message}): --tls-ca FILE names an authority of your own"
    return _words(error)


def _words(error: Exception) -> str:
    """What asyncio and nats-py leave without words, or say in their own, said for a person."""
    from nats.errors import StaleConnectionError, UnexpectedEOF

    if isinstance(error, UnexpectedEOF):
        return "it closed the connection"
    if isinstance(error, StaleConnectionError) or (isinstance(error, TimeoutError) and not error.args):
        return "it does not answer"
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    return (str(error).removeprefix("nats: ").strip("'") or type(error).__name__)[:200]

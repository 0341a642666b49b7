"""``facestream bridge``: forwards what a site publishes to the message broker at its edge."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console

from engine.bridge.bridge import Bridge, BridgeStatus
from engine.bridge.broker import Broker, Edge, Sasl
from engine.bridge.buffer import Buffer
from engine.bridge.edges import edge_of
from engine.bridge.intake import Site
from engine.bridge.names import check_prefix
from engine.bridge.packing import Wishes
from engine.cli.output.json_lines import JsonOption
from engine.cli.output.plain import plain
from engine.contracts.replay import Kind
from engine.errors import MissingRuntimeError, UsageError
from engine.help_page import SELDOM
from engine.pipeline.signals import heard, leave_terminal
from engine.words.numbers import count, megabytes
from engine.words.redaction import redact

_GB = 1e9


def bridge(
    *,
    from_: Annotated[
        str, Parameter(name="--from", help="The endpoint that the publisher binds, such as tcp://127.0.0.1:5556.")
    ],
    to: Annotated[str, Parameter(help="The broker, nats://HOST:4222 or kafka://HOST:9092; with TLS tls:// or kafka+ssl://.")],
    buffer: Annotated[Path, Parameter(help="Folder for messages that wait; each bridge has its own.")],
    replay: Annotated[str | None, Parameter(help="The publisher's replay endpoint: refills what was missed.")] = None,
    key: Annotated[Path | None, Parameter(help="File from `facestream keys new`, if the publisher has keys.")] = None,
    socket: Annotated[
        Literal["sub", "pull"], Parameter(help="sub for a pub endpoint; pull for a push one, which a full buffer holds back.")
    ] = "sub",
    prefix: Annotated[
        str, Parameter(help="The site's name in NATS's subjects (facestream.PREFIX.v1.KIND.STREAM) and Kafka's topic.")
    ] = "site",
    kinds: Annotated[
        tuple[Kind, ...], Parameter(consume_multiple=True, negative="", help="face, track, stream, stats, end.")
    ] = ("face", "track", "stream", "end"),
    no_pictures: Annotated[bool, Parameter(negative=(), help="Send no pictures.")] = False,
    without_vectors: Annotated[bool, Parameter(negative=(), help="Send no vectors, which can identify a person.")] = False,
    picture_limit: Annotated[int | None, Parameter(help="Largest picture to send, in bytes.")] = None,
    buffer_gb: Annotated[float, Parameter(help="When this much waits, the oldest messages are dropped.")] = 10.0,
    creds: Annotated[Path | None, Parameter(help="Credentials: NATS's file; for Kafka one line, user:password.")] = None,
    tls_ca: Annotated[Path | None, Parameter(help="Certificates to check the broker's against.")] = None,
    sasl: Annotated[
        Sasl | None, Parameter(group=SELDOM, help="How Kafka asks for the password; by default scram-sha-512.")
    ] = None,
    stream: Annotated[
        str, Parameter(group=SELDOM, help="An existing JetStream stream or Kafka topic; otherwise one is created.")
    ] = "",
    window: Annotated[
        float | None,
        Parameter(
            group=SELDOM, help="For a JetStream stream that is created: how long, in seconds, it drops duplicates; 3600."
        ),
    ] = None,
    drain: Annotated[float, Parameter(group=SELDOM, help="When stopped: longest time to send what waits, in seconds.")] = 10.0,
    metrics: Annotated[str | None, Parameter(help="HOST:PORT for Prometheus, without a token.")] = None,
    json: JsonOption = False,
) -> None:
    """Carry what a site publishes to NATS JetStream or Kafka, each message once.

    A message is on the disk before it is sent, and is deleted there when the
    broker has stored it, so nothing is lost or doubled while the link, the broker
    or the bridge is down. Two bridges of one site may run side by side to NATS,
    but only one at a time to Kafka. Ctrl-C or SIGTERM sends what waits and ends.

    For example:

        facestream bridge --from tcp://127.0.0.1:5556 --replay tcp://127.0.0.1:5557 --to nats://edge:4222 --buffer waits

        facestream bridge --from tcp://192.0.2.5:5556 --key edge.key --to tls://edge:4222 --buffer waits --no-pictures

        facestream bridge --from tcp://127.0.0.1:5556 --to kafka+ssl://edge:9093 --creds kafka.txt --buffer waits
    """
    for name, value in (
        ("--buffer-gb", buffer_gb),
        ("--window", 1 if window is None else window),
        ("--picture-limit", picture_limit or 1),
    ):
        if not 0 < value < float("inf"):
            raise UsageError(f"{name} {value:g} must be above 0")
    broker = Broker(to, check_prefix(prefix), stream, creds, tls_ca, window, sasl)
    edge = edge_of(broker)
    warning = edge.check()
    site = Site(from_, replay, key, socket, kinds, Wishes(not no_pictures, picture_limit, not without_vectors))
    with _shown(json) as (show, tell), _measured(metrics, show) as show:
        held = Buffer(buffer.expanduser(), int(buffer_gb * _GB), broker.prefix, gives_way=socket == "sub", warn=tell)
        with closing(held):
            if warning:
                tell(warning)
            asyncio.run(_carry(site, held, edge, show, tell, drain))


async def _carry(
    site: Site,
    held: Buffer,
    edge: Edge,
    show: Callable[[BridgeStatus], None],
    tell: Callable[[str], None],
    drain_seconds: float,
) -> None:
    carrying = Bridge(site, held, edge.open, tell)
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
        carrying.stop()

    for number in heard():
        loop.add_signal_handler(number, stop, number)
    tell(f"from {redact(site.endpoint)} to {edge.shown}")
    await carrying.run(show, drain_seconds)


@contextmanager
def _measured(address: str | None, show: Callable[[BridgeStatus], None]) -> Iterator[Callable[[BridgeStatus], None]]:
    """Give what shows the status to Prometheus too."""
    if address is None:
        yield show
        return
    try:
        from engine.bridge.metrics import served
    except ImportError as error:
        raise MissingRuntimeError(f"--metrics needs prometheus_client: pip install 'facestream[serve]' ({error})") from error
    with served(address) as metrics:

        def both(status: BridgeStatus) -> None:
            metrics.show(status)
            show(status)

        yield both


@contextmanager
def _shown(json: bool) -> Iterator[tuple[Callable[[BridgeStatus], None], Callable[[str], None]]]:
    """Give what shows the status, and what tells a sentence on standard error."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def tell(sentence: str) -> None:
        console.print(plain(redact(sentence)), markup=False)

    if json:
        yield _json, tell
    elif console.is_terminal:
        with console.status("starting") as line:
            yield lambda status: line.update(words_of(status)), tell
    else:
        last: list[BridgeStatus] = []
        yield lambda status: last.__setitem__(slice(None), [status]), tell
        if last:
            tell(words_of(last[0]))


def _json(status: BridgeStatus) -> None:
    sys.stdout.write(msgspec.json.encode(status).decode() + "\n")
    sys.stdout.flush()


def words_of(status: BridgeStatus) -> str:
    """Return one line about a bridge."""
    words = [f"link {status.link}", f"{count(status.published, 'message')} carried"]
    if status.waiting:
        words.append(f"{status.waiting:,} wait ({megabytes(status.waiting_bytes)}, {status.waits_seconds:,.0f} s)")
    named = {
        "repeated": status.repeated,
        "refused": status.refused,
        "refilled": status.replayed,
        "missed": status.missed,
        "malformed": status.malformed,
        "gave way": status.gave_way,
        "parts left out": status.parts_left_out,
        "too large": status.too_large,
        "damaged": status.damaged,
    }
    return ", ".join([*words, *(f"{number:,} {name}" for name, number in named.items() if number)])

"""Bad subscribers beside a healthy one, and how old data is at a slow one. Run: python -m tests.bench.subscribers [--json FILE]

Everybody is a process of its own: the publisher, the healthy reader, and the neighbour.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq
from rich.console import Console
from rich.table import Table

from engine.client import Gap, Subscriber
from engine.contracts.messages import decode_header
from tests.publish import bad_peers
from tests.publish.samples import environment
from tests.publish.sender import Sender, sending

SECONDS = 5.0
SLOW_SECONDS = 0.020
NEIGHBOURS = ("slow", "slow raw", "stalled", "garbage", "flood")
LOADS = ((6_000, 50), (6_000, 500), (30_000, 50), (30_000, 500))
"""Bytes of a face, and faces per second."""
_GARBAGE = (bad_peers.random_bytes, bad_peers.http_request, bad_peers.huge_subscription, bad_peers.binary_topics)


def compare_neighbours(rounds: int = 3, transport: str = "tcp") -> dict[str, dict[str, float]]:
    """Return for each neighbour the healthy reader's p50 and p99 in ms, their ratio to the turn alone just before, and the
    publisher's growth in MB."""
    figures: dict[str, dict[str, float]] = {}
    for neighbour in NEIGHBOURS if transport == "tcp" else ("slow", "slow raw", "stalled"):
        turns = []
        for _ in range(rounds):
            alone, _ = _turn("", transport)
            beside, growth_mb = _turn(neighbour, transport)
            turns.append((alone, beside, growth_mb))
        figures[neighbour] = {
            "alone_p50_ms": statistics.median(alone["p50_ms"] for alone, _, _ in turns),
            "alone_p99_ms": statistics.median(alone["p99_ms"] for alone, _, _ in turns),
            "p50_ms": statistics.median(beside["p50_ms"] for _, beside, _ in turns),
            "p99_ms": statistics.median(beside["p99_ms"] for _, beside, _ in turns),
            "p50_ratio": statistics.median(beside["p50_ms"] / alone["p50_ms"] for alone, beside, _ in turns),
            "p99_ratio": statistics.median(beside["p99_ms"] / alone["p99_ms"] for alone, beside, _ in turns),
            "healthy_missed": sum(beside["missed"] for _, beside, _ in turns),
            "publisher_growth_mb": max(growth for _, _, growth in turns),
        }
    return figures


def measure_slow(transport: str) -> dict[str, dict[str, float]]:
    """Return the oldest age in seconds of what a reader of 20 ms a message is handed, with ours and with pyzmq's defaults."""
    figures = {}
    for size_bytes, rate in LOADS:
        for kind in ("ours", "raw"):
            with _publishing(transport, rate=rate, bytes=size_bytes) as sender:
                seen = _result(_reader(sender.endpoint, kind, SLOW_SECONDS, 2 * SECONDS))
            figures[f"{transport} {size_bytes // 1000} KB {rate}/s {kind}"] = seen
    return figures


def _turn(neighbour: str, transport: str) -> tuple[dict[str, float], float]:
    with _publishing(transport, rate=200, bytes=6_000, replay="tcp://127.0.0.1:*") as sender:
        beside = _neighbour(neighbour, sender)
        healthy = _reader(sender.endpoint, "ours", 0.0, SECONDS)
        try:
            before = sender.status()["rss_kb"]
            seen = _result(healthy)
            growth_mb = (sender.status()["rss_kb"] - before) / 1024
        finally:
            if beside is not None:
                beside.kill()
                beside.communicate()
    return seen, growth_mb


@contextmanager
def _publishing(transport: str, **options: object) -> Iterator[Sender]:
    with tempfile.TemporaryDirectory() as folder:
        endpoint = "tcp://127.0.0.1:*" if transport == "tcp" else f"ipc://{folder}/faces"
        with sending(endpoint=endpoint, **options) as sender:
            yield sender


def _neighbour(name: str, sender: Sender) -> subprocess.Popen | None:
    match name:
        case "slow":
            return _reader(sender.endpoint, "ours", SLOW_SECONDS, 60)
        case "slow raw":
            return _reader(sender.endpoint, "raw", SLOW_SECONDS, 60)
        case "stalled" | "garbage" | "flood":
            return _role(name, sender.endpoint)
    return None


def _reader(endpoint: str, kind: str, pause_seconds: float, seconds: float) -> subprocess.Popen:
    return _role(kind, endpoint, str(pause_seconds), str(seconds))


def _role(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.bench.subscribers", "--role", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())


def _result(reader: subprocess.Popen) -> dict[str, float]:
    output, _ = reader.communicate(timeout=120)
    return json.loads(output)


def _play(role: str, endpoint: str, pause: str = "0", seconds: str = "60") -> None:
    """Be one of the other processes."""
    match role:
        case "ours":
            _report(_ages_of_ours(endpoint, float(pause), float(seconds)))
        case "raw":
            _report(_ages_of_raw(endpoint, float(pause), float(seconds)))
        case "stalled":
            with Subscriber(endpoint):
                time.sleep(float(seconds))
        case "garbage":
            # Twenty connections a second, as many as a scanner makes; "flood" is one that sends all it can.
            for misbehave in itertools.cycle(_GARBAGE):
                misbehave(_address(endpoint), 0.0)
                time.sleep(0.05)
        case "flood":
            bad_peers.thousands_of_topics(_address(endpoint), float(seconds))


def _address(endpoint: str) -> tuple[str, int]:
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return host, int(port)


def _ages_of_ours(endpoint: str, pause_seconds: float, seconds: float) -> Iterator[tuple[float, int, int]]:
    with Subscriber(endpoint, timeout_seconds=20) as subscriber:
        deadline = None
        for item in subscriber:
            deadline = deadline or time.monotonic() + seconds
            if isinstance(item, Gap):
                continue
            age = (time.time_ns() - item.message.sent_ns) / 1e9
            yield age, subscriber.counters["missed"], subscriber.counters["stale"]
            time.sleep(pause_seconds)
            if time.monotonic() > deadline:
                return


def _ages_of_raw(endpoint: str, pause_seconds: float, seconds: float) -> Iterator[tuple[float, int, int]]:
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SUBSCRIBE, b"v1/face/")
        socket.connect(endpoint)
        deadline, expected, missed = None, None, 0
        while deadline is None or time.monotonic() < deadline:
            message = decode_header(socket.recv_multipart()[1])
            deadline = deadline or time.monotonic() + seconds
            missed += 0 if expected is None else message.seq - expected
            expected = message.seq + 1
            yield (time.time_ns() - message.sent_ns) / 1e9, missed, 0
            time.sleep(pause_seconds)


def _report(ages: Iterator[tuple[float, int, int]]) -> None:
    seen, missed, stale = [], 0, 0
    for age, missed, stale in ages:  # noqa: B007
        seen.append(age)
    first = len(seen) // 10  # while they settle, connections and caches are cold
    ordered = sorted(seen[first:])
    result = {
        "messages": len(seen), "missed": missed, "stale": stale, "oldest_seconds": max(seen),
        "p50_ms": 1000 * ordered[len(ordered) // 2], "p99_ms": 1000 * ordered[int(0.99 * len(ordered))],
    }  # fmt: skip
    sys.stdout.write(json.dumps(result))


def main() -> None:
    """Print the tables, or play one of the roles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each arrangement; medians are shown")
    parser.add_argument("--transports", default="tcp,ipc")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        _play(*options.role)
        return
    console = Console()
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for transport in options.transports.split(","):
        figures[f"{transport}: beside a healthy subscriber"] = beside = compare_neighbours(options.rounds, transport)
        _print_neighbours(console, transport, beside)
        figures[f"{transport}: at a slow subscriber"] = slow = measure_slow(transport)
        _print_slow(console, transport, slow)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def _print_neighbours(console: Console, transport: str, figures: dict[str, dict[str, float]]) -> None:
    table = Table(title=f"{transport}, 6 KB at 200/s: a healthy subscriber beside one that is ...")
    for heading in ("", "p50 ms alone", "beside", "ratio", "p99 ms alone", "beside", "ratio", "missed", "publisher grew MB"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, row in figures.items():
        table.add_row(
            name, f"{row['alone_p50_ms']:.2f}", f"{row['p50_ms']:.2f}", f"{row['p50_ratio']:.2f}",
            f"{row['alone_p99_ms']:.2f}", f"{row['p99_ms']:.2f}", f"{row['p99_ratio']:.2f}",
            f"{row['healthy_missed']:.0f}", f"{row['publisher_growth_mb']:.1f}",
        )  # fmt: skip
    console.print(table)


def _print_slow(console: Console, transport: str, figures: dict[str, dict[str, float]]) -> None:
    table = Table(title=f"{transport}: what a subscriber of 20 ms a message is handed")
    for heading in ("", "p50 age s", "oldest s", "messages", "lost", "skipped as stale"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, row in figures.items():
        table.add_row(
            name, f"{row['p50_ms'] / 1000:.3f}", f"{row['oldest_seconds']:.3f}", f"{row['messages']:.0f}",
            f"{row['missed']:.0f}", f"{row['stale']:.0f}",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()

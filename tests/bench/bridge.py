"""What a bridge carries, beside a plain subscriber in the same minute.

Run: python -m tests.bench.bridge [--to nats|kafka] [--outage 60]

Messages a second with faces of 20 kB and the processor's time for 1,000 of them: a subscriber that only reads, a bridge with a
broker; then how fast a bridge catches up after the broker was away.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from engine.client import End, Received, Subscriber
from tests.bridge.carried import BridgeProcess
from tests.bridge.edges import EDGES
from tests.patience import until
from tests.publish.samples import environment
from tests.publish.sender import sending

MESSAGES, BYTES = 10_000, 20_000
_FAST = {"rate": 100_000, "bytes": BYTES, "socket": "push", "live": False}


def read_plainly(endpoint: str) -> dict[str, float]:
    """Return the time and the processor's time that a subscriber takes for a run."""
    begun, count = 0.0, 0
    with Subscriber(endpoint, socket="pull", timeout_seconds=60) as subscriber:
        for item in subscriber:
            begun = begun or time.perf_counter()
            count += isinstance(item, Received) and not isinstance(item.message, End)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": time.perf_counter() - begun, "cpu_seconds": used.ru_utime + used.ru_stime, "messages": count}


def carried_plainly() -> dict[str, float]:
    """Return messages a second, and seconds of the processor for 1,000, of a subscriber in a process of its own."""
    with sending(**_FAST, count=MESSAGES) as site:
        command = [sys.executable, "-m", "tests.bench.bridge", "--read", site.endpoint]
        done = subprocess.run(command, stdout=subprocess.PIPE, env=environment(), check=True, timeout=600)
    return _figures(json.loads(done.stdout))


def carried_by_bridge(to: str) -> dict[str, float]:
    """Return the same of a bridge."""
    with EDGES[to]() as broker, tempfile.TemporaryDirectory() as folder, sending(**_FAST, count=MESSAGES) as site:
        bridge = BridgeProcess(site.endpoint, broker.url, Path(folder) / "waits", "--socket", "pull")
        with bridge:
            until(lambda: bridge.status.get("published", 0) > 0, "the first")
            begun, before = time.perf_counter(), bridge.status["published"]
            until(lambda: bridge.status["published"] > MESSAGES, "all", 600)
            seconds = time.perf_counter() - begun
            used = _cpu_seconds(bridge.pid)
        figures = _figures({"seconds": seconds, "cpu_seconds": used, "messages": MESSAGES - before})
        return figures | {"cpu_seconds_per_1000": 1000 * used / MESSAGES}


def caught_up(to: str, outage_seconds: float, rate: int = 100) -> dict[str, float]:
    """Return how long a bridge takes for what came while the broker was away, and how many of it a second."""
    with (
        EDGES[to]() as broker,
        tempfile.TemporaryDirectory() as folder,
        sending(rate=rate, bytes=BYTES, replay="tcp://127.0.0.1:*") as site,
    ):
        bridge = BridgeProcess(site.endpoint, broker.url, Path(folder) / "waits", "--replay", site.facts["replay"])
        with bridge:
            until(lambda: bridge.status.get("published", 0) > 0, "the first")
            broker.kill()
            time.sleep(outage_seconds)
            waiting = bridge.status["waiting"]
            broker.start()
            begun = time.perf_counter()
            until(lambda: bridge.status["link"] == "up", "the link")
            linked = time.perf_counter()
            before = bridge.status["published"]
            until(lambda: bridge.status["waiting"] < rate, "an empty buffer", 600)
            seconds = time.perf_counter() - linked
            figures = bridge.status
    return {
        "waited": waiting,
        "until_linked_seconds": linked - begun,
        "catching_up_seconds": seconds,
        "messages_per_second": (figures["published"] - before) / max(seconds, 1e-3),
        "missed": figures["missed"],
    }


def _figures(found: dict[str, float]) -> dict[str, float]:
    count = found["messages"]
    return {"messages_per_second": count / found["seconds"], "cpu_seconds_per_1000": 1000 * found["cpu_seconds"] / count}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", choices=EDGES, default="nats")
    parser.add_argument("--outage", type=float, default=60.0)
    parser.add_argument("--read", default="")
    options = parser.parse_args()
    if options.read:
        _say(read_plainly(options.read))
        return
    turns: list[tuple[str, Callable[[], dict[str, Any]]]] = [
        ("subscriber", carried_plainly),
        ("bridge", partial(carried_by_bridge, options.to)),
    ]
    for name, turn in [*turns, *turns, ("after an outage", partial(caught_up, options.to, options.outage))]:
        _say({"what": name} | {key: round(value, 3) for key, value in turn().items()})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

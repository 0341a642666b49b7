"""The bridge and its broker are killed at random moments under traffic.

Run: python -m tests.bench.bridge_kills [--to nats|kafka] [--kills 20] [--whom bridge broker] [--seed 1]

Each message that the publisher has sent must be there once: none lost, none doubled.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bridge.carried import BridgeProcess
from tests.bridge.edges import EDGES
from tests.patience import until
from tests.publish.sender import sending

STREAMS = ["door", "yard", "hall.1"]
_RATE, _BYTES = 150, 20_000
_DOWN_SECONDS = 1.5
VICTIMS = ("bridge", "broker")


def kill_at_random(
    kills: int, seed: int, between_seconds: float = 4.0, to: str = "nats", whom: Sequence[str] = VICTIMS
) -> dict[str, int]:
    """Return how many messages were sent, are lost and are doubled after ``kills`` of each victim.

    Args:
        kills: of each.
        seed: of the moments.
        between_seconds: longest time between two, besides what the first one was down.
        to: which broker.
        whom: of ``VICTIMS``.
    """
    chance = random.Random(seed)
    victims = list(whom) * kills
    chance.shuffle(victims)
    pauses = [(chance.uniform(0.5, between_seconds), chance.uniform(0.0, _DOWN_SECONDS)) for _ in victims]
    sent = int(_RATE * sum(between + down + 0.5 for between, down in pauses))
    faces = {"rate": _RATE, "bytes": _BYTES, "count": sent, "streams": STREAMS}
    ring = {"replay": "tcp://127.0.0.1:*", "replay_bytes": 400_000_000}
    with EDGES[to]() as broker, sending(**faces, **ring) as site, tempfile.TemporaryDirectory() as folder:
        bridge = BridgeProcess(site.endpoint, broker.url, Path(folder) / "waits", "--replay", site.facts["replay"])
        with bridge:
            for victim, (between, down) in zip(victims, pauses, strict=True):
                time.sleep(between)
                one = bridge if victim == "bridge" else broker
                one.kill()
                time.sleep(down)
                one.start()
            until(lambda: site.status()["published"] > sent, "the publisher's end", 600)
            until(lambda: broker.has_end() or not bridge.is_alive, "the end in the broker's stream", 600)
            code = bridge.stop()
        found = broker.stored()
    expected = {f"run1/{token}/face/{n}" for i, token in enumerate(_tokens()) for n in range(len(range(i, sent, len(STREAMS))))}
    expected.add("run1//end/0")
    return {
        "sent": sent + 1,
        "lost": len(expected - set(found)),
        "doubled": sum(times - 1 for times in found.values()),
        "gaps": len(set(found) - expected),
        "exit code": code,
    }


def _tokens() -> list[str]:
    return [name.replace(".", "%2E") for name in STREAMS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", choices=EDGES, default="nats")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--whom", nargs="+", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name, figure in kill_at_random(options.kills, options.seed, to=options.to, whom=options.whom).items():
        print(f"{name:10} {figure:,}")  # noqa: T201


if __name__ == "__main__":
    main()

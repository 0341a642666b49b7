"""Bridges from the nodes of a fleet to one NATS server; one after another they, or the server, are killed at random moments."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack, suppress
from pathlib import Path

from engine.bridge.names import message_id
from engine.runtime.closing import Closing
from tests.bench.fleet_world import NodeProcess
from tests.bridge.carried import BridgeProcess, read_stream, stored_ids
from tests.patience import until
from tests.servers.nats import NatsServer

_BETWEEN_SECONDS, _DOWN_SECONDS = (3.0, 12.0), (0.0, 3.0)
_DRAIN_SECONDS = 300.0


class Bridges(Closing):
    """Carries what all nodes publish, and is killed all the while.

    Args:
        nodes: of the fleet.
        folder: for what waits.
        seed: of the moments.
    """

    def __init__(self, nodes: Collection[NodeProcess], folder: Path, seed: int) -> None:
        self._nodes, self._chance, self.kills = nodes, random.Random(seed), 0
        self._closing, self._over = ExitStack(), threading.Event()
        self._killer = threading.Thread(target=self._kill, daemon=True)
        try:
            self._broker = self._closing.enter_context(NatsServer())
            self._bridges = [self._closing.enter_context(self._bridge(node, folder / f"waits-{node.name}")) for node in nodes]
        except BaseException:
            self._closing.close()
            raise
        # What was published before a bridge listened was for others.
        until(lambda: all(bridge.status.get("published") for bridge in self._bridges), "all bridges carry", _DRAIN_SECONDS)
        self._from = {node.name: len(node.published) for node in nodes}
        self._killer.start()

    def _bridge(self, node: NodeProcess, folder: Path) -> BridgeProcess:
        bridge = BridgeProcess(node.endpoint, self._broker.url, folder, "--replay", node.replay)
        bridge.command = [*node.prefix, *bridge.command]  # a bridge has the clock of its machine
        return bridge

    def _kill(self) -> None:
        while not self._over.wait(self._chance.uniform(*_BETWEEN_SECONDS)):
            victim = self._chance.choice([self._broker, *self._bridges])
            victim.kill()
            self.kills += 1
            self._over.wait(self._chance.uniform(*_DOWN_SECONDS))
            victim.start()

    def count(self) -> dict[str, int]:
        """End the kills; return how many messages there were, and what became of them.

        What a service had not handed on when it was killed died with its ring: those are counted apart.
        """
        self._over.set()
        self._killer.join()
        published = [key for node in self._nodes for key in node.published[self._from[node.name] :]]
        wanted = {message_id(key, is_gap=False): key for key in published}
        going_on = {node.published[-1].run_id for node in self._nodes}
        ended = {key.run_id for key in published if key.kind == "end"}
        living = {name for name, key in wanted.items() if key.run_id in going_on | ended}
        found = Counter[str]()

        def is_through() -> bool:
            found.update(stored_ids(read_stream(self._broker.url, headers_only=True)) - found)
            return living <= set(found)

        with suppress(AssertionError):  # the figures say so
            until(is_through, "all messages are stored", _DRAIN_SECONDS)
        return {
            "kills": self.kills,
            "published": len(wanted),
            "lost": len(living - set(found)),
            "lost with a killed service": len(set(wanted) - living - set(found)),
            "told as lost": sum("/gap/" in name for name in found),
            "doubled": sum(times - 1 for times in found.values()),
        }

    def close(self) -> None:
        self._over.set()
        if self._killer.is_alive():
            self._killer.join()
        self._closing.close()

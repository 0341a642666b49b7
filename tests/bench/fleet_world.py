"""Machines on one machine: network namespaces on a bridge, with a database, cameras, and services that are nodes of a fleet.

Needs root, and iproute2. The names of all that is made begin with ``fs`` and the number of this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import psycopg
import zmq

from engine.bridge.names import Key
from engine.contracts.messages import Face, Stream, decode_header
from engine.fleet.view import FleetView, fleet_view
from engine.runtime.closing import Closing
from tests.servers.postgres import PostgresServer

_CONFIG = """
serve: {{directory: "{state}", cameras_in: [private], http: "", record: false}}
fleet: {{database: "{database}", node: "{name}"}}
detect: {{detector: "{detector}", every: 1}}
crop: {{policy: every}}
super_resolve: {{generator: none, workers: 1}}
verify: {{embedder: none}}
publish: {{endpoint: "ipc://{endpoint}", replay: "ipc://{replay}"}}
"""


class Sent(NamedTuple):
    """A face that a node has published."""

    node: str
    stream: str
    taken: float
    """When it was seen here, monotonic seconds: of this process, whatever clock the node has."""
    age_ms: float
    """From packet to message, by the node's clock."""
    life: int = 0
    """How often the node had begun with the camera by then: it may be given it again."""


class Machine(Closing):
    """A namespace with one interface on the bridge.

    Args:
        network: of which it is.
        name: short.
        number: of its address.
    """

    def __init__(self, network: Network, name: str, number: int) -> None:
        self.namespace, self.address = f"fs{os.getpid()}{name}", network.address(number)
        self.port = f"fs{os.getpid()}v{number}"
        """The bridge's end."""
        ip("netns", "add", self.namespace)
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        ip("link", "set", self.port, "master", network.bridge, "up")
        inside = ("netns", "exec", self.namespace, "ip")
        ip(*inside, "addr", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip(*inside, "link", "set", device, "up")

    def close(self) -> None:
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)

    def command(self, *words: str) -> list[str]:
        """Return what runs a command there."""
        return ["ip", "netns", "exec", self.namespace, *words]

    def link(self, up: bool) -> None:
        """Plug its cable in, or out."""
        ip("link", "set", self.port, "up" if up else "down")

    def isolate(self, isolated: bool) -> None:
        """Drop what goes between all machines that are isolated, and nothing else."""
        subprocess.run(["bridge", "link", "set", "dev", self.port, "isolated", "on" if isolated else "off"], check=True)

    def slow(self, kilobits: int) -> None:
        """Let no more pass, either way, with what waits for longer than 400 ms lost; 0: as it was."""
        for prefix, device in (([], self.port), (self.command(), "eth0")):
            subprocess.run([*prefix, "tc", "qdisc", "del", "dev", device, "root"], check=False, stderr=subprocess.DEVNULL)
            if kilobits:
                shape = ["tbf", "rate", f"{kilobits}kbit", "burst", "4k", "latency", "400ms"]
                subprocess.run([*prefix, "tc", "qdisc", "add", "dev", device, "root", *shape], check=True)


class Network(Closing):
    """A bridge; this process has the address that ends in 1."""

    def __init__(self) -> None:
        self.bridge, self._net = f"fs{os.getpid()}br", f"10.{77 + os.getpid() % 100}.{os.getpid() % 250}"
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.address(1)}/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")

    def address(self, number: int) -> str:
        """Return an address of this network."""
        return f"{self._net}.{number}"

    def close(self) -> None:
        subprocess.run(["ip", "link", "del", self.bridge], check=False)


class Database(PostgresServer):
    """PostgreSQL on a machine of its own."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.address, 5432)
        self._as_user = [*machine.command(), *self._as_user]


class NodeProcess(Closing):
    """``facestream serve`` on a machine, as a node; and who reads what it publishes.

    Args:
        name: of the node.
        machine: where it runs.
        folder: for its files.
        database: its address.
        detector: see ``detect.detector``.
        prefix: goes before the command.
    """

    def __init__(
        self, name: str, machine: Machine, folder: Path, database: str, detector: str, prefix: Sequence[str] = ()
    ) -> None:
        self.name, self.machine, self.prefix = name, machine, prefix
        self._folder = folder / name
        self._folder.mkdir(mode=0o700)
        endpoint, replay = self._folder / "faces", self._folder / "replay"
        self.endpoint, self.replay = f"ipc://{endpoint}", f"ipc://{replay}"
        settings = {"state": self._folder / "state", "endpoint": endpoint, "replay": replay, "database": database, "name": name}
        (self._folder / "serve.yaml").write_text(_CONFIG.format(detector=detector, **settings))
        self.sent: list[Sent] = []
        """Only ever grows."""
        self.published: list[Key] = []
        """All faces and events of streams that were seen, and the ends of runs; only ever grows."""
        self._stopped = threading.Event()
        self.process = self.start()
        self._thread = threading.Thread(target=self._listen, args=(self.endpoint,), daemon=True)
        self._thread.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, also anew."""
        with (self._folder / "said").open("a", encoding="utf-8") as said:
            command = [*self.prefix, sys.executable, "-m", "engine", "serve", str(self._folder / "serve.yaml")]
            self.process = subprocess.Popen(self.machine.command(*command), stdout=said, stderr=said)
        return self.process

    @property
    def said(self) -> str:
        """What it printed."""
        return (self._folder / "said").read_text(encoding="utf-8")

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self.process.kill()
        self.process.wait()

    def _listen(self, endpoint: str) -> None:
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            for topic in (b"v1/face/", b"v1/stream/", b"v1/end/"):
                socket.setsockopt(zmq.SUBSCRIBE, topic)
            socket.connect(endpoint)
            lives = Counter[str]()
            while not self._stopped.is_set():
                if socket.poll(100):
                    said = decode_header(socket.recv_multipart()[1])
                    kind = type(said).__name__.lower()
                    self.published.append(Key(said.run_id, getattr(said, "stream", ""), kind, said.seq, said.seq))
                    if isinstance(said, Stream):
                        lives[said.stream] += said.state == "connecting" and not said.reason
                    elif isinstance(said, Face):
                        age_ms = (said.sent_ns - said.captured_ns) / 1e6
                        self.sent.append(Sent(self.name, said.stream, time.monotonic(), age_ms, lives[said.stream]))


class Fleet(Closing):
    """A database and nodes, and what can be seen of them from outside."""

    def __init__(self, folder: Path, names: Sequence[str], detector: str, prefixes: dict[str, Sequence[str]]) -> None:
        self._closing = ExitStack()
        enter = self._closing.enter_context
        try:
            self.network = enter(Network())
            self.database_machine = enter(Machine(self.network, "db", 2))
            self.database = enter(Database(self.database_machine))
            self.url = self.database.database("fleet")
            self.nodes = dict[str, NodeProcess]()
            for number, name in enumerate(names):
                machine = enter(Machine(self.network, name, 11 + number))
                process = NodeProcess(name, machine, folder, self.url, detector, prefixes.get(name, ()))
                self.nodes[name] = enter(process)
        except BaseException:
            self.close()
            raise

    def view(self) -> FleetView:
        """Look at it."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            return fleet_view(connection)

    def holders(self) -> dict[str, str]:
        """Return who has which camera."""
        return {one.name: one.holder for one in self.view().cameras}

    def wait(self, condition: Callable[[], object], seconds: float, what: str) -> float:
        """Wait until something holds; return how long that took."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds or any(node.process.poll() == 2 for node in self.nodes.values()):
                said = "\n".join(f"--- {node.name}\n{node.said[-3000:]}" for node in self.nodes.values())
                raise TimeoutError(f"{what}: not within {seconds:g} s\n{said}")
            time.sleep(0.05)
        return time.monotonic() - began

    @property
    def sent(self) -> list[Sent]:
        """All that was published, in order of time."""
        return sorted((one for node in self.nodes.values() for one in list(node.sent)), key=lambda one: one.taken)

    def close(self) -> None:
        self._closing.close()


def ip(*words: str) -> None:
    """Run ``ip``."""
    subprocess.run(["ip", *words], check=True)

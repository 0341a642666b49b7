"""A service is asked what nobody would ask: garbage, damaged requests, requests with values that cannot be.

Run: python -m tests.bench.control_fuzz [MESSAGES] [SEED]

Each message is answered, and what is asked properly in between is answered as ever.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import msgspec
import zmq

from engine.control.answers import Status, decode_reply
from engine.control.client import ControlClient
from engine.control.verbs import PROTOCOL, AnyVerb, Drain, GetStatus
from engine.service.router import Router
from tests.service.parts import Says, service_in

_BATCH = 200
_ODD: list[Any] = [
    None, True, 0, -1, 2**63, 1e308, float("nan"), "", "door", "\0", "../x", "ä" * 300, b"", b"\xff" * 50, [], [[]], {},
    "rtsp://127.0.0.1/x", "file:///etc/passwd", {"uri": "rtsp://192.0.2.1/x", "name": "door"}, ["view"], 10**30 % 2**60,
    {"": None},
]  # fmt: skip
VERBS = [(str(verb.__struct_config__.tag), verb.__struct_fields__) for verb in get_args(AnyVerb) if verb is not Drain]


def message(chance: random.Random) -> list[bytes]:
    """Return the frames of one message."""
    kind = chance.random()
    if kind < 0.2:
        return [chance.randbytes(chance.randrange(200)) for _ in range(chance.randrange(1, 5))]
    tag, fields = chance.choice(VERBS)
    verb = {"verb": tag} | {name: chance.choice(_ODD) for name in fields if chance.random() < 0.8}
    request: dict[str, Any] = {"request_id": "1", "verb": verb}
    for name in ("request_id", "deadline_ns", "idempotency_key", "on_behalf_of", "roles", "more"):
        if chance.random() < 0.1:
            request[name] = chance.choice(_ODD)
    content = bytearray(msgspec.msgpack.encode(request))
    if kind < 0.6:
        for _ in range(chance.randrange(1, 4)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        del content[chance.randrange(1, len(content) + 1) :]
    return [PROTOCOL, bytes(content)]


def resident_kb() -> int:
    """Return what this process has in memory."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(status["VmRSS"].split()[0])


def main() -> int:
    """Return 1 where a message was not answered."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=1_000_000)
    parser.add_argument("seed", type=int, nargs="?", default=17)
    options = parser.parse_args()
    chance, answers, unanswered, says = random.Random(options.seed), Counter[str](), 0, Says()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, service_in(Path(folder), says) as parts, zmq.Context() as context:
        router = Router(parts.service, parts.directory, parts.config.serve, says.warn)
        with context.socket(zmq.DEALER) as socket, ControlClient(parts.directory.control) as client:
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(parts.directory.control)
            before = 0
            for done in range(0, options.messages, _BATCH):
                for _ in range(_BATCH):
                    socket.send_multipart(message(chance))
                for _ in range(_BATCH):
                    if not socket.poll(20_000):
                        unanswered += 1
                        break
                    problem = decode_reply(socket.recv_multipart()[-1]).problem
                    answers[problem.code if problem else "done"] += 1
                client.call(GetStatus(), Status)
                before = before or (resident_kb() if done > options.messages // 10 else 0)
            after = resident_kb()
        router.close()
    seconds = time.monotonic() - began
    sys.stdout.write(
        f"{sum(answers.values()):,} messages answered in {seconds:.0f} s, seed {options.seed}: {dict(answers)}; "
        f"{unanswered} not; memory {after - before:+d} KB after the first tenth; said: {len(says.sentences)} lines\n"
    )
    sys.stdout.write("".join(f"  {sentence}\n" for sentence in says.sentences))
    return 1 if unanswered else 0


if __name__ == "__main__":
    sys.exit(main())

"""A great many requests that nobody would send, over connections that are kept: nothing may break, and all are answered.

Run: python -m tests.web.fuzz_fast REQUESTS [SEED] [--json FILE]

``tests.web.fuzz`` lets hypothesis think out each request, and opens a connection for each; this one draws from the same
names and values, sends several in one piece, and counts the answers. What cannot be framed, or ends the connection, comes last.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import time
from pathlib import Path

from tests.web import fuzz
from tests.web.drawn_requests import Fuzzer, Tally
from tests.web.read_answers import Answers
from tests.web.server import Server, server
from tests.web.service import FakeService

_ALIVE_EVERY = 20_000


def try_piece(web: Server, fuzzer: Fuzzer, tally: Tally) -> None:
    """Send one piece, and note what is wrong with what came back."""
    sent, methods, last = fuzzer.piece(tally)
    statuses: list[int] = []
    with web.connect() as opened:
        coming = Answers(opened)
        try:
            opened.sendall(sent)
            for method in methods:
                if coming.closes or not (status := coming.next(method)):
                    break
                statuses.append(status)
            if len(statuses) < len(methods) and not coming.closes:
                tally.faults.append(f"{len(methods)} requests, {len(statuses)} answers {statuses}: {sent!r}")
            if not coming.closes:
                with contextlib.suppress(ConnectionError):
                    opened.sendall(last)
                    opened.shutdown(socket.SHUT_WR)
                method = last.partition(b" ")[0].upper()
                while status := coming.next(method):
                    statuses.append(status)
                    method = b"HEAD" if coming.closes else b""
        except (ValueError, TimeoutError, ConnectionError) as error:
            tally.faults.append(f"{error!r}: {sent!r} and {last!r}")
    tally.answers.update(statuses)
    if any(status >= 500 and status not in (503, 504) for status in statuses):
        tally.faults.append(f"{statuses}: {sent!r} and {last!r}")


def fuzzed(requests: int, seed: int) -> tuple[Tally, list[str], list[float]]:
    """Return what came back, the lines of the log that speak of what was not foreseen, and the memory at each look in MB."""
    service, tally, sizes = FakeService(), Tally(), []
    with server(service) as web:
        fuzzer, looked = Fuzzer(seed, web.token_for("fuzz", "view", "operate", "enrol")), 0
        alive = web.token_for("alive", "view")
        while tally.sent < requests:
            web.service.asked.clear()
            web.web.auth._attempts.__init__()  # type: ignore[misc]
            try_piece(web, fuzzer, tally)
            if tally.sent >= looked:
                looked += _ALIVE_EVERY
                assert web.ask("GET", "/api/v1/status", token=alive).status == 200
                sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
        unforeseen = fuzz.is_clean(web)
    service.close()
    return tally, unforeseen, sizes


def main() -> int:
    """Return 1 where something broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, nargs="?", default=1_000_000)
    parser.add_argument("seed", type=int, nargs="?", default=17)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    began = time.monotonic()
    tally, unforeseen, sizes = fuzzed(options.requests, options.seed)
    found = {
        "requests": tally.sent, "seed": options.seed, "seconds": round(time.monotonic() - began),
        "answers": dict(tally.answers), "shapes": dict(tally.shapes), "faults": tally.faults[:50], "log": unforeseen[:20],
        "memory_mb": sizes[:: max(1, len(sizes) // 8)],
    }  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(found))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 1 if tally.faults or unforeseen else 0


if __name__ == "__main__":
    sys.exit(main())

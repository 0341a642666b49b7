"""A gallery that is written, read and killed: ``python -m tests.bench.gallery_kills --operations 10000 --kills 100``; in
a database with ``--server-kills 10``, where each reader is a machine of its own and the server is killed (SIGKILL), too.

One process enrols and removes people, in an order that a seed gives, and says before and after each change what it does. It
is killed (SIGKILL) at random moments and begun again. Meanwhile several processes follow the gallery as a run does, compare
vectors with it, and write down what each score says it was compared with. In the end all that was said is done again, change by
change:

- every score has the digest of exactly the people who were there at its revision, and its first candidate is the right one;
- no change that was said to be done is lost, and nobody who was removed is there;
- the epoch is always the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from engine.contracts.frames import Float32
from engine.errors import GalleryError
from engine.verify.gallery.digest import digest_of
from engine.verify.gallery.opening import gallery_file, gallery_to_follow, open_gallery
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.scores import rank
from tests.servers.postgres import PostgresServer

CONSOLE = Console(width=160)
SHA = "e" * 64
LENGTH = 16
_MOST_PEOPLE = 40
_SERVER_SECONDS = 0.1
"""A server that is away is tried again so often."""
MODULE = "tests.bench.gallery_kills"


def vector(number: int) -> Float32:
    """Return the made-up vector of a picture."""
    values = np.random.default_rng(number).normal(size=LENGTH)
    return np.asarray(values / np.linalg.norm(values), np.float32)


def write(where: str, journal: Path, operations: int) -> None:
    """Change the gallery until it has had so many changes; goes on where an earlier one was killed, or a server was."""
    while True:
        try:
            return _write(where, journal, operations)
        except GalleryError:
            if gallery_file(where):
                raise
            time.sleep(_SERVER_SECONDS)


def _write(where: str, journal: Path, operations: int) -> None:
    with open_gallery(where) as gallery, journal.open("a", encoding="ascii", buffering=1) as said:
        while (revision := gallery.version()) < operations:
            choose = random.Random(revision)
            there = [person.name for person in gallery.list()]
            is_full = len(there) >= _MOST_PEOPLE or (there and choose.random() < 0.4)
            name = choose.choice(there) if is_full else f"person {revision:06d}"
            said.write(f"will {revision + 1} {'remove' if is_full else 'add'} {name}\n")
            if is_full:
                gallery.remove(name)
            else:
                gallery.add(
                    name, vector(revision), embedder="made up", embedder_sha256=SHA, runtime="made up", source_name="",
                    picture_sha256=f"{revision:064d}", quality=0.5,
                )  # fmt: skip
            said.write(f"done {revision + 1}\n")


class Follower:
    """Compares vectors with the gallery as a run does."""

    def __init__(self, where: str) -> None:
        self._news = gallery_to_follow(where).follow(SHA)
        self._people = self._news.news()

    def score(self, number: int) -> dict[str, Any]:
        """Return what a score says: its gallery, whose vector it was, and the first candidate."""
        try:
            self._people = self._news.news() or self._people
        except GalleryError:  # the database is away: what was known stays in force
            assert not gallery_file(self._news.where)
        assert self._people is not None
        assert self._people.gallery is not None
        found = rank(vector(number), None, self._people, 1)
        exactly = self._people.gallery
        first = found[0].identity if found else ""
        return {"epoch": exactly.epoch, "revision": exactly.revision, "digest": exactly.digest, "of": number, "first": first}


def follow(where: str, scores: Path, operations: int) -> None:
    """Score until the gallery has had so many changes."""
    follower = Follower(where)
    with scores.open("w", encoding="ascii") as said:
        for number in range(10_000_000):
            score = follower.score(-number % 1_000_003)
            said.write(json.dumps(score) + "\n")
            if score["revision"] >= operations:
                return
            time.sleep(0.002)  # the writer is to come on, too


def histories(journal: Path) -> dict[int, dict[str, Float32]]:
    """Return who was there at each revision: of a change that was begun twice the second was the one that was made."""
    changes: dict[int, tuple[str, str]] = {}
    for line in journal.read_text("ascii").splitlines():
        if line.startswith("will "):
            _, number, what, name = line.split(" ", 3)
            changes[int(number)] = (what, name)
    now: dict[str, Float32] = {}
    found = {0: dict(now)}
    for revision in range(1, len(changes) + 1):
        what, name = changes[revision]
        if what == "add":
            now[name] = vector(revision - 1)
        else:
            del now[name]
        found[revision] = dict(now)
    return found


def check(scores: Iterable[dict[str, Any]], history: dict[int, dict[str, Float32]]) -> int:
    """Return how many scores there were; every one is right.

    Raises:
        AssertionError: one is not.
    """
    epochs, digests, count = set(), dict[int, str](), 0
    for score in scores:
        revision, there = score["revision"], history[score["revision"]]
        names = sorted(there)
        matrix = np.stack([there[name] for name in names]) if names else np.zeros((0, 0), np.float32)
        leaves = Snapshot.of(there, there.values()).leaves
        digests.setdefault(revision, digest_of(leaf.digest for leaf in leaves))
        assert score["digest"] == digests[revision], f"another gallery than that of revision {revision}"
        right = names[int(np.argmax(matrix @ vector(score["of"])))] if names else ""
        assert score["first"] == right, f"{score['first']} instead of {right} at revision {revision}"
        epochs.add(score["epoch"])
        count += 1
    assert len(epochs) <= 1, f"several epochs: {epochs}"
    return count


def kill_and_go_on(where: str, journal: Path, operations: int, kills: int) -> int:
    """Let writers change a gallery, and kill them at random moments; return how many were killed.

    Raises:
        AssertionError: a change that was said to be done is lost.
    """
    choose = random.Random(1)
    moments = sorted(choose.uniform(0, operations) for _ in range(kills))
    for killed in range(kills + 1):
        writer = subprocess.Popen([sys.executable, "-m", MODULE, "--writer", where, str(journal), str(operations)])
        while writer.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                writer.wait(choose.uniform(0, 0.01))
            if killed < kills and _done(journal) >= moments[killed]:
                writer.kill()
                writer.wait()
        assert _version(where) >= _done(journal), "a change that was done is lost"
        if writer.returncode >= 0:
            assert writer.returncode == 0, "a writer failed"
            return killed
    return kills


def _version(where: str) -> int:
    while True:
        try:
            with open_gallery(where, read_only=True) as gallery:
                return gallery.version()
        except GalleryError:
            if gallery_file(where):
                raise
            time.sleep(_SERVER_SECONDS)


class ServerKiller(threading.Thread):
    """Kills a server at random moments between the first change and the last, and brings it back.

    Args:
        server: that runs.
        journal: of the writer.
        operations: how many there will be.
        kills: how often.
    """

    def __init__(self, server: PostgresServer, journal: Path, operations: int, kills: int) -> None:
        super().__init__(daemon=True)
        choose = random.Random(2)
        self._server, self._journal = server, journal
        self._moments = sorted(choose.uniform(0, operations * 0.95) for _ in range(kills))
        self.killed = 0

    def run(self) -> None:
        for moment in self._moments:
            while _done(self._journal) < moment:
                time.sleep(0.005)
            self._server.kill()
            self._server.start()
            self.killed += 1


def _done(journal: Path) -> int:
    """Return the last change that is said to be done."""
    with journal.open("rb") as said:
        said.seek(max(0, journal.stat().st_size - 200))
        done = [line.split()[1] for line in said.read().splitlines()[1:] if line.startswith(b"done ")]
    return int(done[-1]) if done else 0


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--server-kills", type=int, help="use PostgreSQL, and kill it so often")
    parser.add_argument("--writer", nargs=3)
    parser.add_argument("--follower", nargs=3)
    options = parser.parse_args()
    for role, does in ((options.writer, write), (options.follower, follow)):
        if role:
            does(role[0], Path(role[1]), int(role[2]))
            return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        where, journal, server_kills = str(folder / "people.sqlite"), folder / "journal", options.server_kills
        journal.touch()
        killer = None
        if server_kills is not None:
            server = stack.enter_context(PostgresServer(settings={"fsync": "on"}))
            where = server.url
            killer = ServerKiller(server, journal, options.operations, server_kills)
        open_gallery(where).close()
        said = [folder / f"scores-{number}" for number in range(options.readers)]
        asked = [sys.executable, "-m", MODULE, "--follower", where]
        readers = [
            subprocess.Popen([*asked, str(one), str(options.operations)], env=os.environ | {"XDG_DATA_HOME": f"{one}-data"})
            for one in said
        ]
        begun = time.monotonic()
        if killer:
            killer.start()
        killed = kill_and_go_on(where, journal, options.operations, options.kills)
        assert [reader.wait(600) for reader in readers] == [0] * len(readers), "a reader failed"
        seconds, history = time.monotonic() - begun, histories(journal)
        lines = (json.loads(line) for one in said for line in one.open(encoding="ascii"))
        scores = check(lines, history)
        with open_gallery(where, read_only=True) as gallery:
            assert [person.name for person in gallery.list()] == sorted(history[options.operations])
        servers = f", the server {killer.killed} times," if killer else ""
        CONSOLE.print(
            f"{options.operations:,} changes, {killed} writers killed{servers} {scores:,} scores of "
            f"{options.readers} readers in {seconds:.0f} s: every score names the gallery it was compared with, "
            "nothing done is lost, nobody came back"
        )


if __name__ == "__main__":
    main()

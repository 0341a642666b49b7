"""A gallery that is written, read and killed: ``python -m tests.bench.gallery_kills --operations 10000 --kills 100``.

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
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from engine.contracts.frames import Float32
from engine.verify.gallery import Gallery
from engine.verify.gallery_digest import digest_of
from engine.verify.scores import rank

CONSOLE = Console(width=160)
SHA = "e" * 64
LENGTH = 16
_MOST_PEOPLE = 40
MODULE = "tests.bench.gallery_kills"


def vector(number: int) -> Float32:
    """Return the made-up vector of a picture."""
    values = np.random.default_rng(number).normal(size=LENGTH)
    return np.asarray(values / np.linalg.norm(values), np.float32)


def write(path: Path, journal: Path, operations: int) -> None:
    """Change the gallery until it has had so many changes; goes on where an earlier one was killed."""
    with Gallery(path) as gallery, journal.open("a", encoding="ascii", buffering=1) as said:
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

    def __init__(self, path: Path) -> None:
        with Gallery(path, read_only=True) as gallery:
            self._news = gallery.follow(SHA)
        self._people = self._news.news()

    def score(self, number: int) -> dict[str, Any]:
        """Return what a score says: its gallery, whose vector it was, and the first candidate."""
        self._people = self._news.news() or self._people
        assert self._people is not None
        assert self._people.gallery is not None
        found = rank(vector(number), None, self._people.persons, self._people.matrix, 1)
        exactly = self._people.gallery
        first = found[0].identity if found else ""
        return {"epoch": exactly.epoch, "revision": exactly.revision, "digest": exactly.digest, "of": number, "first": first}


def follow(path: Path, scores: Path, operations: int) -> None:
    """Score until the gallery has had so many changes."""
    follower = Follower(path)
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
        digests.setdefault(revision, digest_of(names, matrix, {}))
        assert score["digest"] == digests[revision], f"another gallery than that of revision {revision}"
        right = names[int(np.argmax(matrix @ vector(score["of"])))] if names else ""
        assert score["first"] == right, f"{score['first']} instead of {right} at revision {revision}"
        epochs.add(score["epoch"])
        count += 1
    assert len(epochs) <= 1, f"several epochs: {epochs}"
    return count


def kill_and_go_on(path: Path, journal: Path, operations: int, kills: int) -> int:
    """Let writers change a gallery, and kill them at random moments; return how many were killed.

    Raises:
        AssertionError: a change that was said to be done is lost.
    """
    choose = random.Random(1)
    moments = sorted(choose.uniform(0, operations) for _ in range(kills))
    for killed in range(kills + 1):
        writer = subprocess.Popen([sys.executable, "-m", MODULE, "--writer", str(path), str(journal), str(operations)])
        while writer.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                writer.wait(choose.uniform(0, 0.01))
            if killed < kills and _done(journal) >= moments[killed]:
                writer.kill()
                writer.wait()
        with Gallery(path, read_only=True) as gallery:
            assert gallery.version() >= _done(journal), "a change that was done is lost"
        if writer.returncode >= 0:
            assert writer.returncode == 0, "a writer failed"
            return killed
    return kills


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
    parser.add_argument("--writer", nargs=3)
    parser.add_argument("--follower", nargs=3)
    options = parser.parse_args()
    for role, does in ((options.writer, write), (options.follower, follow)):
        if role:
            does(Path(role[0]), Path(role[1]), int(role[2]))
            return
    with tempfile.TemporaryDirectory() as folder:
        path, journal = Path(folder) / "people.sqlite", Path(folder) / "journal"
        Gallery(path).close()
        journal.touch()
        said = [Path(folder) / f"scores-{number}" for number in range(options.readers)]
        asked = [sys.executable, "-m", MODULE, "--follower"]
        readers = [subprocess.Popen([*asked, str(path), str(one), str(options.operations)]) for one in said]
        begun = time.monotonic()
        killed = kill_and_go_on(path, journal, options.operations, options.kills)
        assert [reader.wait(600) for reader in readers] == [0] * len(readers), "a reader failed"
        seconds, history = time.monotonic() - begun, histories(journal)
        lines = (json.loads(line) for one in said for line in one.open(encoding="ascii"))
        scores = check(lines, history)
        with Gallery(path, read_only=True) as gallery:
            assert [person.name for person in gallery.list()] == sorted(history[options.operations])
        CONSOLE.print(
            f"{options.operations:,} changes, {killed} writers killed, {scores:,} scores of {options.readers} readers in "
            f"{seconds:.0f} s: every score names the gallery it was compared with, nothing done is lost, nobody came back"
        )


if __name__ == "__main__":
    main()

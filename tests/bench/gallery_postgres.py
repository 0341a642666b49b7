"""A gallery of many people in PostgreSQL: ``python -m tests.bench.gallery_postgres --people 100000``.

- How fast people go in, and how large that is.
- Searching in the server, exactly and by an HNSW index: p50 and p99 at several ``hnsw.ef_search``, and how often the index
  gives the same best person (recall@1). The vectors are made up around the crowd's members, so that they are as crowded as
  those of faces; what is looked for are other pictures of people who are there, and strangers.
- From the end of an enrolment to the moment that each of several machines has it: p50, p99. Each is a process of its own, with
  a cache of its own, that asks for news every 2 ms, as a run does before each batch; and how long such a question takes where
  nothing is new.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from engine.contracts.frames import Float32
from engine.models.dlib_embedder import NAME
from engine.verify.gallery.opening import gallery_to_follow, open_gallery
from engine.verify.gallery.pictures import COLUMNS
from engine.verify.gallery.stored import StoredGallery
from engine.verify.open_set import open_set_of
from tests.bench.gallery import made_up
from tests.servers.postgres import PostgresServer

CONSOLE = Console(width=160)
MODULE = "tests.bench.gallery_postgres"
_PART = 20_000
_BETWEEN_SECONDS = 0.5
"""From one enrolment to the next."""
_NOISE = 0.03
"""Of another picture of a person; made-up people lie 0.06 apart from their crowd's member."""


def enrol(gallery: StoredGallery, crowd: Float32, sha256: str, people: int) -> Float32:
    """Put people in, some thousands with each change; return some of their vectors."""
    kept = []
    for first in range(0, people, _PART):
        vectors = made_up(min(_PART, people - first), first, crowd)
        rows = [
            (f"person {row:08d}", NAME, sha256, vector.tobytes(), "", f"{row:064d}", 0.5, "2026-01-01", "made up", "")
            for row, vector in enumerate(vectors, first)
        ]
        with gallery.tables.writing():
            gallery.tables.insert_many("pictures", COLUMNS, rows)
            gallery.tables.execute("UPDATE state SET version = version + 1")
        kept.append(vectors[::97])
    return np.concatenate(kept)


def timed(connection: Any, query: str, wanted: Float32) -> tuple[list[str], Float32]:
    """Return whom each query finds, and how long it took, in milliseconds."""
    found, spent = [], []
    for vector in wanted:
        start = time.perf_counter()
        ((name,),) = connection.execute(query, (vector.tobytes(),), binary=True).fetchall()
        spent.append((time.perf_counter() - start) * 1000)
        found.append(str(name))
    return found, np.asarray(spent, np.float32)


def searched(gallery: StoredGallery, url: str, sha256: str, wanted: Float32, memory: str) -> None:
    """Compare an exact search with one by an index."""
    connection = gallery.tables.connection  # type: ignore[attr-defined]
    connection.execute("SET statement_timeout = 0")
    length = wanted.shape[1]
    exact = (
        f"SELECT identity FROM pictures WHERE embedder_sha256 = '{sha256}' "
        f"ORDER BY embedding::vector({length}) <#> %s::vector({length}) LIMIT 1"
    )
    right, spent = timed(connection, exact, wanted[:100])
    CONSOLE.print(f"exact: p50 {np.percentile(spent, 50):.1f} ms, p99 {np.percentile(spent, 99):.1f} ms ({len(right)} queries)")
    right += timed(connection, exact, wanted[100:])[0]
    connection.execute("RESET ROLE")
    connection.execute(f"SET maintenance_work_mem = '{memory}'")
    connection.execute("SET max_parallel_maintenance_workers = 0")
    start = time.perf_counter()
    connection.execute(
        f"CREATE INDEX faces_{length} ON gallery.pictures USING hnsw ((embedding::vector({length})) vector_ip_ops) "
        f"WHERE embedder_sha256 = '{sha256}'"
    )
    built = time.perf_counter() - start
    ((size,),) = connection.execute(f"SELECT pg_relation_size('gallery.faces_{length}')").fetchall()
    CONSOLE.print(f"HNSW (m 16, ef_construction 64): built in {built:.0f} s, {size / 2**20:.0f} MiB")
    connection.execute("SET ROLE facestream_gallery")
    connection.execute("SET enable_seqscan = off")
    plan = " ".join(str(row) for row in connection.execute("EXPLAIN " + exact, (wanted[0].tobytes(),)).fetchall())
    assert f"faces_{length}" in plan, plan
    for ef_search in (40, 100, 200):
        connection.execute(f"SET hnsw.ef_search = {ef_search}")
        found, spent = timed(connection, exact, wanted)
        recall = float(np.mean([one == other for one, other in zip(found, right, strict=True)]))
        p50, p99 = np.percentile(spent, (50, 99))
        CONSOLE.print(f"HNSW, ef_search {ef_search}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, recall@1 {recall:.3f} ({len(found)})")


def listen(where: str, sha256: str, said: Path, last: int) -> None:
    """Write down when each revision is there, until the last one is."""
    news, asked = gallery_to_follow(where).follow(sha256), []
    with said.open("w", encoding="ascii", buffering=1) as file:
        while True:
            start = time.perf_counter()
            people = news.news()
            asked.append(time.perf_counter() - start)
            if people is not None:
                file.write(json.dumps([people.version, time.time()]) + "\n")
                if people.version >= last:
                    quiet = np.percentile(np.asarray(asked) * 1e6, (50, 99))
                    file.write(json.dumps([-1, quiet.tolist()]) + "\n")
                    news.close()
                    return
            time.sleep(0.002)


def pushed(gallery: StoredGallery, crowd: Float32, sha256: str, listeners: int, changes: int) -> None:
    """Enrol one by one, and say when others had it."""
    last = gallery.version() + changes
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / f"said-{number}" for number in range(listeners)]
        asked = [sys.executable, "-m", MODULE, "--listener", gallery.where, sha256]
        processes = [
            subprocess.Popen([*asked, str(one), str(last)], env=os.environ | {"XDG_DATA_HOME": f"{one}-data"}) for one in said
        ]
        while not all(one.exists() and one.stat().st_size for one in said):
            time.sleep(0.1)
        done = {}
        for number, vector in enumerate(made_up(changes, 10**6, crowd)):
            gallery.add(
                f"new {number}", vector, embedder=NAME, embedder_sha256=sha256, runtime="made up", source_name="",
                picture_sha256=f"new {number}", quality=0.5,
            )  # fmt: skip
            moment = time.time()
            done[gallery.version()] = moment
            time.sleep(_BETWEEN_SECONDS)
        assert [process.wait(600) for process in processes] == [0] * listeners
        lags, quiet = [], []
        for one in said:
            lines = [json.loads(line) for line in one.read_text("ascii").splitlines()]
            quiet += [line[1][0] for line in lines if line[0] == -1]
            seen = sorted(line for line in lines if line[0] >= 0)
            lags += [next(at for number, at in seen if number >= revision) - moment for revision, moment in done.items()]
    p50, p99 = np.percentile(np.asarray(lags) * 1000, (50, 99))
    CONSOLE.print(
        f"{changes} enrolments to {listeners} machines: visible after p50 {p50:.0f} ms, p99 {p99:.0f} ms, at most "
        f"{max(lags) * 1000:.0f} ms; asking where nothing is new: {np.median(quiet):.1f} us"
    )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000, help="to search among; 0: only what is followed")
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--followed", type=int, default=10_000, help="people in the gallery that machines follow")
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--listeners", type=int, default=4)
    parser.add_argument("--memory", default="2GB", help="of the server to build the index in")
    parser.add_argument("--listener", nargs=4)
    options = parser.parse_args()
    if options.listener:
        where, sha256, said, last = options.listener
        listen(where, sha256, Path(said), int(last))
        return
    measured = open_set_of(sha256 := _sha256())
    assert measured is not None
    crowd = measured.crowd / np.linalg.norm(measured.crowd, axis=1, keepdims=True)
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer(settings={"shared_buffers": "1GB", "max_wal_size": "4GB", "fsync": "on"}))
        followed = stack.enter_context(open_gallery(f"{server.url}?tenant=followed"))
        enrol(followed, crowd, sha256, options.followed)
        CONSOLE.print(f"a gallery of {options.followed:,}, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores:")
        pushed(followed, crowd, sha256, options.listeners, options.changes)
        if not options.people:
            return
        gallery = stack.enter_context(open_gallery(server.database("large")))
        start = time.perf_counter()
        sample = enrol(gallery, crowd, sha256, options.people)
        spent = time.perf_counter() - start
        ((size,),) = gallery.tables.rows("SELECT pg_total_relation_size('gallery.pictures')")
        CONSOLE.print(
            f"{options.people:,} people in {spent:.0f} s ({options.people / spent:,.0f} a second), "
            f"{size / options.people:,.0f} bytes each with the indexes that are always there"
        )
        random = np.random.default_rng(3)
        half = sample[random.integers(0, len(sample), options.queries // 2)]
        half = half + _NOISE * random.normal(size=half.shape)
        wanted = np.concatenate((half, made_up(options.queries - len(half), 7, crowd)))
        wanted = np.asarray(wanted / np.linalg.norm(wanted, axis=1, keepdims=True), np.float32)
        searched(gallery, server.url, sha256, wanted[random.permutation(len(wanted))], options.memory)


def _sha256() -> str:
    from engine.config.verify import VerifyConfig
    from engine.models import find_model
    from engine.verify.embedder import open_embedder

    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    embedder.close()
    return embedder.sha256


if __name__ == "__main__":
    main()

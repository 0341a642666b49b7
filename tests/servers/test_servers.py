"""The servers of the tests are real ones, and come back after a kill; and the one way to a database is bounded."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import DatabaseError
from engine.postgres.connection import connect, told
from tests.publish.samples import environment
from tests.servers.nats import NatsServer, jetstream_of, require_nats
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer, require_postgres


def test_postgres_has_pgvector_and_keeps_what_was_committed_over_a_kill():
    require_postgres()
    with PostgresServer() as server:
        with connect(server.url, application="test") as connection:
            connection.execute("CREATE EXTENSION vector")
            connection.execute("CREATE TABLE faces AS SELECT '[1,2,3]'::vector AS face")
        server.stop(kill=True)
        with pytest.raises(DatabaseError, match=f"127.0.0.1:{server.port}"):
            connect(server.url, application="test")
        server.start()
        with connect(server.url, application="test") as connection:
            assert connection.execute("SELECT face <-> '[1,2,5]' FROM faces").fetchone() == (2.0,)
            with pytest.raises(DatabaseError, match="nowhere"), told(server.url):
                connection.execute("SELECT * FROM nowhere")


def test_a_server_that_says_nothing_is_an_error_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DatabaseError, match="timeout"):
        connect(f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/db", application="test", answer_seconds=1)


def test_nats_keeps_what_was_acknowledged_over_a_kill():
    require_nats()

    async def put(url: str) -> None:
        async with jetstream_of(url) as stream:
            await stream.add_stream(name="faces", subjects=["faces.>"])
            await stream.publish("faces.door", b"one")

    async def get(url: str) -> bytes:
        async with jetstream_of(url) as stream:
            return (await stream.get_msg("faces", 1)).data or b""

    with NatsServer() as server:
        asyncio.run(put(server.url))
        server.kill()
        server.start()
        assert asyncio.run(get(server.url)) == b"one"


def test_a_port_is_given_once_and_to_nobody_who_asks_for_any_one():
    ports = [free_port("127.0.0.1") for _ in range(3)]
    ask = "from tests.servers.ports import free_port; print(free_port('127.0.0.1'))"
    other = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=environment())
    assert len({*ports, int(other.stdout)}) == 4
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
    assert not any(int(first) <= port <= int(last) for port in ports)

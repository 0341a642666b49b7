"""The servers of the tests are real ones, and come back after a kill; and the one way to a database is bounded."""

from __future__ import annotations

import asyncio
import socket

import nats
import pytest

from engine.errors import DatabaseError
from engine.postgres.connection import connect, told
from tests.servers.nats import NatsServer, require_nats
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
        client = await nats.connect(url, max_reconnect_attempts=1)
        stream = client.jetstream()
        await stream.add_stream(name="faces", subjects=["faces.>"])
        await stream.publish("faces.door", b"one")
        await client.close()

    async def get(url: str) -> bytes:
        client = await nats.connect(url, max_reconnect_attempts=1)
        message = await client.jetstream().get_msg("faces", 1)
        await client.close()
        return message.data or b""

    with NatsServer() as server:
        asyncio.run(put(server.url))
        server.kill()
        server.start()
        assert asyncio.run(get(server.url)) == b"one"

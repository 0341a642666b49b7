"""Makes bytes stand for vectors on a connection to a gallery: float32, little-endian, as in the other stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from psycopg import Connection

_HEAD = np.dtype(">u2")


def to_vector(content: bytes) -> bytes:
    """Return pgvector's binary format: the number of values, two unused bytes, big-endian float32."""
    values = np.frombuffer(content, "<f4")
    return np.array([len(values), 0], _HEAD).tobytes() + values.astype(">f4").tobytes()


def _from_vector(sent: bytes | bytearray | memoryview) -> bytes:
    """Return the values of pgvector's binary format as float32, little-endian."""
    return np.frombuffer(sent, ">f4", offset=4).astype("<f4").tobytes()


def adapt(connection: Connection[Any]) -> None:
    """Let bytes stand for vectors on a connection; queries must request binary results.

    Raises:
        psycopg.Error: the database has no pgvector.
    """
    from psycopg.adapt import Dumper, Loader
    from psycopg.pq import Format
    from psycopg.types import TypeInfo

    info = TypeInfo.fetch(connection, "vector")
    assert info is not None
    info.register(connection)
    oid_of_vector = info.oid

    class VectorDumper(Dumper):
        format = Format.BINARY
        oid = oid_of_vector

        def dump(self, obj: bytes) -> bytes:
            return to_vector(obj)

    class VectorLoader(Loader):
        format = Format.BINARY

        def load(self, data: bytes | bytearray | memoryview) -> bytes:
            return _from_vector(data)

    connection.adapters.register_dumper(bytes, VectorDumper)
    connection.adapters.register_loader(oid_of_vector, VectorLoader)

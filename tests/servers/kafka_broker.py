"""librdkafka's own broker in a process of its own: Kafka's protocol over TCP, with what it stores in memory.

The first line on standard output holds its address. Each line on standard input is a call of a function of
``rdkafka_mock.h``, without its prefix and its first argument, as ``["broker_set_down", 1]``; it is answered with what that
returns. It ends with its input.
"""

from __future__ import annotations

import ctypes
import json
import sys
from importlib.metadata import files
from typing import Any


def main() -> None:
    found = [one for one in files("confluent-kafka") or () if one.name.startswith("librdkafka")]
    library = ctypes.CDLL(str(found[0].locate()))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    words = ctypes.create_string_buffer(512)
    client = ctypes.c_void_p(library.rd_kafka_new(0, ctypes.c_void_p(library.rd_kafka_conf_new()), words, len(words)))
    cluster = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(client, 1))
    _say(library.rd_kafka_mock_cluster_bootstraps(cluster).decode())
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        _say(getattr(library, f"rd_kafka_mock_{name}")(cluster, *map(_as_c, arguments)))


def _as_c(value: Any) -> Any:
    if isinstance(value, list):
        return (ctypes.c_int * len(value))(*value)
    return value.encode() if isinstance(value, str) else value


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

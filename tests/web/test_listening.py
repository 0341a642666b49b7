from __future__ import annotations

import socket
from queue import SimpleQueue

import pytest

from engine.contracts.http import HttpSettings
from engine.web.listening import listening_at_last
from engine.web.report import Report
from tests.patience import PATIENCE_SECONDS
from tests.servers.ports import free_port


def test_a_port_that_is_in_use_is_waited_for_and_said_once() -> None:
    said, pauses = SimpleQueue[str](), list[float]()
    taken = socket.create_server(("127.0.0.1", free_port("127.0.0.1")))  # once it is let go nobody else is given it
    http = HttpSettings(address=f"127.0.0.1:{taken.getsockname()[1]}")

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            taken.close()

    with taken, listening_at_last(http, Report(said.put), pause) as opened:
        assert opened.getsockname()[1] == int(http.address.rpartition(":")[2])
    assert pauses == [0.5, 1.0, 2.0, 5.0, 10.0, 10.0, 10.0]
    assert f"cannot listen at {http.address}" in said.get(timeout=PATIENCE_SECONDS)
    assert said.empty()


def test_an_address_of_another_machine_is_waited_for() -> None:
    class Waited(Exception):
        pass

    def pause(seconds: float) -> None:
        raise Waited

    with pytest.raises(Waited), listening_at_last(HttpSettings(address="192.0.2.1:1"), Report(lambda line: None), pause):
        pass

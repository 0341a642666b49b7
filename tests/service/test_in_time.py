"""A name server that does not answer holds nothing up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from engine.service.in_time import answered_in_time
from engine.service.streams import Streams
from tests.service.parts import added, ask, service_in


def test_what_is_answered_is_known_and_what_raises_is_left_out() -> None:
    def ask_about(number: int) -> int:
        if number == 3:
            raise OSError("nobody knows")
        return number * 2

    of = {str(number): number for number in range(20)}
    assert answered_in_time(ask_about, of, 60.0) == {name: number * 2 for name, number in of.items() if number != 3}
    assert answered_in_time(ask_about, {}, 60.0) == {}


def test_what_is_not_answered_is_left_out_and_not_waited_for() -> None:
    answer = threading.Event()
    assert answered_in_time(lambda name: answer.wait(), {str(number): "" for number in range(20)}, 0.05) == {}
    answer.set()


def test_a_run_begins_though_no_name_server_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.service.streams._LOOK_UP_SECONDS", 0.05)
    answer = threading.Event()
    with service_in(tmp_path) as parts:
        assert ask(parts, added("door")).problem is None
        streams: Streams = parts.streams
        monkeypatch.setattr(streams.given, "fault", lambda source: str(answer.wait()))
        assert streams.forbidden(parts.state.desired) == {}
        cameras = streams.readable(parts.state.desired, streams.control, {})
        assert [one.name for one in cameras] == ["door"]
        assert cameras[0].networks is not None, "its reader judges the address that it is connected to"
        answer.set()

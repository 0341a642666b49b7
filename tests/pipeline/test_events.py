from __future__ import annotations

import pytest

from engine.contracts.orders import Warned
from engine.pipeline.events import RunEvents


def test_what_several_workers_warn_of_at_once_is_one_event(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("engine.pipeline.events.time.monotonic", lambda: clock[0])
    events = RunEvents()
    for seconds in (0.0, 0.1, 1.0, 2.0, 20.0):
        clock[0] = 100.0 + seconds
        events.take_warning(Warned("", "the gallery is gone"))
    events.take_warning(Warned("cam", "the gallery is gone"))
    assert [(event.level, event.fields) for event in events] == [
        ("warning", {"detail": "the gallery is gone"}),
        ("warning", {"detail": "the gallery is gone"}),
        ("warning", {"stream": "cam", "detail": "the gallery is gone"}),
    ]


def test_of_a_worker_that_prints_without_end_the_first_lines_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, events = [100.0], RunEvents()
    monkeypatch.setattr("engine.pipeline.events.time.monotonic", lambda: clock[0])
    events.take_text("decode-1", *map(str, range(500)))
    assert [event.fields["detail"] for event in events][-2:] == ["49", "(more follows; left out for 10 s)"]
    clock[0] = 111.0
    events.take_text("decode-1", "again")
    assert events.after(51)[0].fields == {"worker": "decode-1", "detail": "again"}


def test_a_copy_stays_as_it_is() -> None:
    events = RunEvents()
    events.add("info", "overload", overload_level=0)
    copied = events.copy()
    events.add("info", "stream", stream="door", detail="")
    assert [(event.number, event.fields) for event in copied] == [(1, {"overload_level": 0})]
    assert events.after(1)[0].fields == {"stream": "door"}

from __future__ import annotations

import pytest

from engine.words.seldom import Seldom


def test_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = 0.0, list[str]()
    monkeypatch.setattr("time.monotonic", lambda: now)
    seldom = Seldom(said.append)
    for _ in range(5):
        seldom.say("a", "one")
    seldom.say("b", "two")
    now = 61.0
    seldom.say("a", "one")
    assert said == ["one", "two", "one (and 4 more like it)"]


def test_causes_without_number_take_no_memory_without_bound() -> None:
    said: list[str] = []
    seldom = Seldom(said.append)
    for number in range(3000):
        seldom.say(str(number), "one")
        seldom.say(str(number), "one")
    assert len(said) == 3000
    assert (len(seldom._pace._told), len(seldom._pace._left_out)) == (1000, 1000)

"""The clock that stands still while its process does."""

from __future__ import annotations

import pytest

from engine.runtime.awake import AwakeClock


def test_time_in_which_nobody_could_look_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 100.5, 102.0, 3702.0, 3703.0])
    monkeypatch.setattr("engine.runtime.awake.time.monotonic", lambda: next(times))
    clock = AwakeClock()
    begun = clock.now()
    assert [clock.now() - begun for _ in range(3)] == [1.5, 3.5, 4.5]

from __future__ import annotations

from engine.pipeline.restarts import Restarts


def test_one_that_dies_too_often_waits_for_the_end_of_the_minute():
    restarts = Restarts(2)
    for now, due in ((0.0, 0.0), (10.0, 10.0), (20.0, 60.0)):
        restarts.note_death("camera-door", now, at_fault=True)
        restarts.plan("camera-door", now)
        assert restarts.take_due(due - 0.1) == []
        assert restarts
        assert restarts.take_due(due) == ["camera-door"]
    assert not restarts
    assert restarts.note_death("camera-door", 75.0, at_fault=True) == 2
    assert restarts.note_death("camera-yard", 75.0, at_fault=True) == 1


def test_a_death_by_the_fault_of_another_does_not_count():
    restarts = Restarts(1)
    assert [restarts.note_death("decode-1", now, at_fault=False) for now in (1.0, 2.0, 3.0)] == [0, 0, 0]
    restarts.plan("decode-1", 3.0)
    assert restarts.take_due(3.0) == ["decode-1"]


def test_nobody_is_started_who_has_left_or_when_the_run_ends():
    restarts = Restarts(1)
    for name in ("camera-door", "camera-yard"):
        restarts.note_death(name, 1.0, at_fault=True)
        restarts.plan(name, 1.0)
    restarts.forget("camera-door")
    assert restarts.note_death("camera-door", 2.0, at_fault=True) == 1
    restarts.cancel()
    assert restarts.take_due(99.0) == []

"""Leases: who silently holds one loses it, whatever the clocks say."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from engine.jobs import lease as leases
from engine.jobs.lease import EXPIRES_SECONDS, HeldLease, Lease, Observer, read_lease


class Clock:
    """An observer's own."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _renewed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW_SECONDS", 0.0)


def test_one_holds_it_until_it_is_released(tmp_path: Path) -> None:
    one, two = HeldLease(tmp_path / "a", "one"), HeldLease(tmp_path / "a", "two")
    assert one.take()
    assert not two.take()
    assert one.renew(3.0)
    held = read_lease(tmp_path / "a")
    assert held is not None
    assert (held.owner, held.beat, held.seconds) == ("one", 1, 3.0)
    one.release()
    assert two.take()
    assert not one.renew(4.0)
    one.release()
    assert (tmp_path / "a").exists()
    assert sorted(os.listdir(tmp_path)) == ["a"]


def test_a_silent_holder_loses_it_after_its_time_by_the_observers_clock(tmp_path: Path, clock: Clock) -> None:
    held = HeldLease(tmp_path / "a", "one")
    held.take()
    os.utime(tmp_path / "a", (0, 0))  # the holder's clock may say anything
    observer = Observer(tmp_path, clock)
    assert observer.look().keys() == {"a"}
    clock.now += EXPIRES_SECONDS
    assert observer.look().keys() == {"a"}
    clock.now += 0.1
    assert observer.look() == {}
    assert os.listdir(tmp_path) == []
    assert not held.renew(1.0), "it hears of it"


def test_who_renews_keeps_it(tmp_path: Path, clock: Clock) -> None:
    held = HeldLease(tmp_path / "a", "one")
    held.take()
    observer = Observer(tmp_path, clock)
    for beat in range(5):
        assert observer.look().keys() == {"a"}
        clock.now += EXPIRES_SECONDS
        assert held.renew(float(beat))


def test_a_pause_of_the_whole_machine_is_no_silence(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The holder could not renew it meanwhile either."""
    monkeypatch.setattr("time.monotonic", clock)
    HeldLease(tmp_path / "a", "one").take()
    observer = Observer(tmp_path)
    for seconds in (1.0, 3600.0):
        clock.now += seconds
        assert observer.look().keys() == {"a"}
    for _ in range(int(EXPIRES_SECONDS)):
        clock.now += 1.0
        observer.look()
    assert observer.look() == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe"])
def test_one_that_is_no_lease_goes_after_its_time(tmp_path: Path, clock: Clock, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    observer = Observer(tmp_path, clock)
    assert observer.look().keys() == {"a"}
    assert not HeldLease(tmp_path / "a", "one").take()
    clock.now += EXPIRES_SECONDS + 0.1
    assert observer.look() == {}
    assert HeldLease(tmp_path / "a", "one").take()


def test_one_that_was_renewed_while_it_was_taken_away_is_put_back(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    HeldLease(tmp_path / "a", "one").take()
    observer = Observer(tmp_path, clock)
    silent = observer.look()["a"]
    clock.now += EXPIRES_SECONDS + 0.1
    (tmp_path / "a").write_bytes(msgspec.json.encode(Lease("one", "n", 1, beat=9)))
    monkeypatch.setattr(leases, "read_lease", lambda path, real=read_lease: silent if path.name == "a" else real(path))
    assert observer.look() == {}
    monkeypatch.undo()
    there = read_lease(tmp_path / "a")
    assert there is not None
    assert there.beat == 9
    assert os.listdir(tmp_path) == ["a"]

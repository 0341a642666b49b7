"""Which task is next: each is done once, the largest first, and a bad recording holds up nobody."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.jobs.attempts import Attempt, Attempts
from engine.jobs.messages import Outcome
from engine.jobs.schedule import Entry, Schedule
from tests.jobs.fake_work import task


def keys(schedule: Schedule, now: float = 0.0) -> list[str]:
    """Begin everything that can be begun."""
    begun = []
    while (entry := schedule.next(now)) is not None:
        schedule.begin(entry)
        begun.append(entry.task.key)
    return begun


def test_the_largest_come_first() -> None:
    schedule = Schedule()
    schedule.add([task("small", seconds=1.0), task("large", seconds=9.0), task("middle", seconds=5.0)], {})
    assert keys(schedule) == ["large", "middle", "small"]


def test_a_task_is_taken_once() -> None:
    schedule = Schedule()
    assert len(schedule.add([task("a"), task("a")], {})) == 1
    assert schedule.add([task("a")], {}) == []


def test_what_somebody_else_holds_waits() -> None:
    schedule = Schedule()
    schedule.add([task("a")], {})
    assert schedule.next(0.0, {"a"}) is None
    assert not schedule.is_over
    assert schedule.next(0.0) is not None


def test_of_a_recording_that_failed_nothing_else_is_begun() -> None:
    schedule = Schedule()
    first, other, _ = schedule.add([task("r-1", recording="r"), task("s-1", recording="s"), task("r-2", recording="r")], {})
    schedule.begin(first)
    schedule.note(first, Attempt("failed", "no video"), 0.0)
    assert keys(schedule) == ["s-1"]
    schedule.finish(other)
    assert schedule.is_over
    assert {name: one.reason for name, one in schedule.bad.items()} == {"r": "no video"}


def test_attempts_of_an_earlier_command_count() -> None:
    schedule = Schedule()
    (entry,) = schedule.add([task("a")], {"a": Attempts("a", [Attempt("died", "x")])})
    assert schedule.next(0.5) is None
    assert schedule.next(1.5) is entry
    schedule.begin(entry)
    schedule.note(entry, Attempt("died", "y"), 2.0)
    assert entry.state == "set_aside"


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["done", "died", "lost", "failed", "error"])), max_size=60))
def test_every_task_ends_whatever_happens(events: list[tuple[int, Outcome]]) -> None:
    schedule = Schedule()
    schedule.add([task(f"k{number}", recording=f"r{number % 2}") for number in range(4)], {})
    now, running = 0.0, list[Entry]()
    outcomes = [outcome for _, outcome in events] + ["done"] * 40
    for outcome in outcomes:
        now += 100.0
        while (entry := schedule.next(now)) is not None:
            schedule.begin(entry)
            running.append(entry)
        if not running:
            break
        entry = running.pop()
        if outcome == "done":
            schedule.finish(entry)
        else:
            schedule.note(entry, Attempt(outcome, "x"), now)
    assert schedule.is_over
    assert all(one.state == "done" or one.task.recording in schedule.bad for one in schedule)

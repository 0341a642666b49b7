"""Of which cameras something may still be said, whatever comes in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pipeline.lives import Lives

WAIT = 5.0


def test_a_camera_is_gone_when_its_last_word_was_passed_and_not_when_its_process_has_ended() -> None:
    lives = Lives(WAIT)
    lives.begin("door")
    lives.begin("yard")
    lives.leave("door")
    lives.leave("yard")
    lives.process_ended("door", 10.0)
    assert lives.unsaid(10.5) == {"door", "yard"}, "its faces are on their way yet"
    lives.said("door")
    assert lives.unsaid(10.5) == {"yard"}
    lives.said("yard")
    assert lives.unsaid(10.5) == set(), "its process hangs up, which nobody waits for"
    lives.process_ended("yard", 11.0)
    lives.said("nobody")
    assert lives.unsaid(99.0) == set()


def test_a_last_word_that_a_dead_worker_took_along_is_not_waited_for_for_ever() -> None:
    lives = Lives(WAIT)
    lives.begin("door")
    assert lives.unsaid(1e6) == {"door"}, "its process may hang"
    lives.process_ended("door", 10.0)
    assert lives.unsaid(10.0 + WAIT) == {"door"}
    assert lives.unsaid(10.1 + WAIT) == set()


def test_the_last_word_of_a_life_is_not_that_of_the_next_one() -> None:
    """The camera was removed and added again, and removed again, while what it had found first was still being published."""
    lives = Lives(WAIT)
    for now in (10.0, 11.0):
        lives.begin("door")
        lives.leave("door")
        lives.process_ended("door", now)
    lives.said("door")
    assert lives.unsaid(11.0) == {"door"}
    lives.said("door")
    assert lives.unsaid(11.0) == set()


@pytest.mark.parametrize("first", ["is said", "is waited for"])
def test_a_last_word_that_comes_again_or_late_is_not_that_of_a_life_which_goes_on(first: str) -> None:
    lives = Lives(WAIT)
    lives.begin("door")
    lives.leave("door")
    lives.process_ended("door", 10.0)
    if first == "is said":
        lives.said("door")
    assert lives.unsaid(10.1 + WAIT) == set()
    lives.begin("door")
    lives.said("door")
    lives.leave("door")
    assert lives.unsaid(20.0) == {"door"}, "its own last word is to come"
    lives.said("door")
    assert lives.unsaid(20.0) == set()


@given(st.lists(st.sampled_from(["face", "end", "say", "add"]), max_size=30))
def test_nothing_is_said_of_a_camera_that_is_gone(steps: list[str]) -> None:
    """A pipe with the faces and last words of one camera's lives, each begun when the process before it has ended."""
    lives, pipe, runs, now = Lives(WAIT), list[str](), False, 0.0
    for step in steps:
        now += 0.1  # what is in the pipe is said in time
        if step == "add" and not runs:
            lives.begin("door")
            runs = True
        elif step == "face" and runs:
            pipe.append("face")
        elif step == "end" and runs:
            pipe.append("last")
            lives.leave("door")
            lives.process_ended("door", now)
            runs = False
        elif step == "say" and pipe and pipe.pop(0) == "last":
            lives.said("door")
        assert ("door" in lives.unsaid(now)) == (runs or bool(pipe))

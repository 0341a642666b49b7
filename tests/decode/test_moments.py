"""Pictures of two streams are paired by when they were taken, whatever lies between taking and coming."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decode.lag import Lag, look_of
from engine.decode.moments import Moments, Stamp

RATES = st.sampled_from([5.0, 10.0, 12.5, 15.0, 25.0, 30.0])


class Camera:
    """Two streams with clocks of their own: each picture has the second in which it was taken, and a stamp."""

    def __init__(self, seed: int, rates: tuple[float, float], delays: tuple[float, float], jitter: float, ntp: bool) -> None:
        chance = Random(seed)
        self.starts = chance.uniform(-1000, 1000), chance.uniform(-1000, 1000)
        clock = chance.uniform(-1e6, 1e6)
        phases = 0.0, chance.random()
        self.streams = []
        for index in range(2):
            pictures = []
            for number in range(round(8 * rates[index])):
                taken = (number + phases[index]) / rates[index]
                late = delays[index] + chance.choice([0.0, chance.uniform(0, jitter)])
                pictures.append((taken, Stamp(taken - self.starts[index], 500 + taken + late, clock + taken if ntp else None)))
            self.streams.append(pictures)

    def errors(self, moments: Moments) -> list[float]:
        """Return how far the main stream's picture is from each of the sub-stream, once that can be known."""
        subs, mains = self.streams
        found = []
        for _, stamp in sorted(subs + mains, key=lambda one: one[1].arrived_seconds):
            timeline = moments.sub if any(stamp is one for _, one in subs) else moments.main
            timeline.note(stamp)
        for taken, stamp in subs[len(subs) // 2 : -len(subs) // 4]:
            number = moments.choose(stamp, [one for _, one in mains])
            assert isinstance(number, int), number
            found.append(abs(mains[number][0] - taken))
        return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), RATES, RATES, st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.3))
def test_by_the_cameras_clock_it_is_always_the_nearest_picture(seed, sub, main, sub_delay, main_delay, jitter):
    main = max(main, 10.0)
    camera = Camera(seed, (sub, main), (sub_delay, main_delay), jitter, ntp=True)
    assert max(camera.errors(Moments())) <= 0.5 / main + 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), RATES, RATES, st.floats(0, 1), st.floats(-0.4, 0.4), st.floats(0, 0.2))
def test_by_arrival_and_the_lag_it_is_never_more_than_a_frame_away(seed, sub, main, delay, lag, jitter):
    main, sub = max(main, 10.0), max(sub, 10.0)
    camera = Camera(seed, (sub, main), (delay + 0.4, delay + 0.4 + lag), jitter, ntp=False)
    moments = Moments()
    moments.lag_seconds = lag
    assert max(camera.errors(moments)) <= 1.0 / main


def test_clocks_that_contradict_each_other_are_not_believed():
    moments = Moments()
    for number in range(50):
        moments.sub.note(Stamp(number / 25, 100 + number / 25, 1_000.0 + number / 25))
        moments.main.note(Stamp(number / 25, 100 + number / 25, 4_600.0 + number / 25))
    assert not moments.by_ntp
    offered = [Stamp(number / 25, 100 + number / 25, 4_600.0 + number / 25) for number in range(50)]
    assert moments.choose(Stamp(1.0, 101.0, 1_001.0), offered) == 25


def test_reports_that_a_busy_camera_writes_late_are_evened_out():
    moments, chance = Moments(), Random(3)
    stamps: list[Stamp] = []
    wrong = 0.0
    for number in range(500):
        moments.sub.note(Stamp(number / 25, 100 + number / 25, 1_000.0 + number / 25))
        wrong = chance.uniform(-0.1, 0.1) if number % 25 == 0 else wrong
        stamps.append(Stamp(number / 25 + 7, 100 + number / 25, 1_000.0 + number / 25 + wrong))
        moments.main.note(stamps[-1])
    assert moments.choose(Stamp(18.0, 118.0, 1_018.0), stamps) == pytest.approx(450, abs=1)


def test_what_has_not_come_is_waited_for_and_what_has_gone_is_not():
    moments = Moments()
    stamps = [Stamp(number / 25, number / 25) for number in range(50)]
    for stamp in stamps:
        moments.sub.note(stamp)
        moments.main.note(stamp)
    assert moments.choose(Stamp(1.9, 1.9), stamps[:40]) == "later"
    assert moments.choose(Stamp(0.2, 0.2), stamps[20:40]) == "none"
    assert moments.choose(Stamp(1.0, 1.0), stamps[:20] + stamps[35:]) == "none", "a gap"
    assert moments.choose(Stamp(1.0, 1.0), []) == "later"
    assert moments.choose(stamps[30], stamps[:30]) == "later"


def test_a_stream_whose_clock_begins_anew_is_followed():
    moments = Moments()
    for number in range(100):
        moments.sub.note(Stamp(number / 25, number / 25))
        moments.main.note(Stamp(number / 25 + (50 if number < 50 else -3600), number / 25))
    offered = [Stamp(number / 25 - 3600, number / 25) for number in range(50, 100)]
    assert moments.choose(Stamp(3.0, 3.0), offered) == 25


def test_a_network_that_was_stuck_leaves_nothing_behind():
    moments = Moments()
    offered = []
    for number in range(100):
        stuck = max(0.0, 3.0 - (number - 50) / 25) if number >= 50 else 0.0
        moments.sub.note(Stamp(number / 25, number / 25))
        offered.append(Stamp(number / 25 + 9, number / 25 + stuck))
        moments.main.note(offered[-1])
    for number in range(100, 160):
        offered.append(Stamp(number / 25 + 9, number / 25))
        moments.main.note(offered[-1])
    assert moments.choose(Stamp(3.0, 3.0), offered) == 75


def look(seconds: float):
    """A patch that walks over a hall."""
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (72, 128)).astype(np.uint8)
    x = int(64 + 50 * np.sin(seconds * 1.3) + 6 * np.sin(seconds * 5))
    picture[20:60, max(0, x - 8) : x + 8] = 255
    return look_of(picture)


@pytest.mark.parametrize("lag", [-0.4, 0.0, 0.13, 0.6])
def test_the_lag_is_seen_where_something_moves(lag):
    found = Lag()
    for number in range(150):
        if number % 2 == 0:
            found.note_sub(number / 25, look(number / 25))
        found.note_main(number / 25 + lag, look(number / 25))
    assert found.seconds == pytest.approx(lag, abs=0.02)


def test_while_nothing_moves_nothing_is_concluded_and_what_was_known_stays():
    found = Lag()
    for number in range(200):
        still = look(number / 25 if number < 100 else 4.0)
        found.note_sub(number / 25, still)
        found.note_main(number / 25 + 0.2, still)
    assert found.seconds == pytest.approx(0.2, abs=0.02)
    rng = np.random.default_rng(2)
    nothing = Lag()
    for number in range(100):
        nothing.note_sub(number / 25, look(4.0) + rng.normal(0, 2, (18, 32)).astype(np.float32))
        nothing.note_main(number / 25, look(4.0) + rng.normal(0, 2, (18, 32)).astype(np.float32))
    assert nothing.seconds is None

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.decode.clock import Bridge, StreamClock


def clock() -> StreamClock:
    return StreamClock(Fraction(1, 1000), 0.04, 10.0)


def test_missing_time_stamps_continue_from_the_rate():
    c = clock()
    assert [c.advance(ticks)[0] for ticks in (None, None, 500, None, None)] == pytest.approx([0.0, 0.04, 0.5, 0.54, 0.58])


def test_jumps_are_steps_back_and_long_gaps():
    c = clock()
    steps = [1000, 1040, 1000, 1200, 11_201, 11_240, 40, 80]
    assert [c.advance(ticks)[1] for ticks in steps] == [False, False, False, False, True, False, True, False]


@given(st.lists(st.integers(1, 9_000), min_size=1, max_size=50), st.integers(-(10**9), 10**9))
def test_variable_rates_are_no_jumps(steps, start):
    c = clock()
    now = start
    for step in steps:
        seconds, jumped = c.advance(now)
        assert not jumped
        assert seconds == pytest.approx(now / 1000)
        now += step


def test_small_steps_back_hold_the_clock_where_that_is_wanted():
    clock = StreamClock(Fraction(1, 1000), 0.04, 10.0, held_seconds=0.5)
    ticks = [0, 40, 80, -120, 120, 100, 160, -400, 200]
    assert [clock.advance(one) for one in ticks] == [
        (0.0, False), (0.04, False), (0.08, False), (0.08, False), (0.12, False), (0.12, False), (0.16, False), (-0.4, True),
        (0.2, False),
    ]  # fmt: skip


def seconds_of(clock: StreamClock, ticks: list[int | None]) -> tuple[list[float], list[int]]:
    """Return the times, and where they jumped."""
    both = [clock.advance(one) for one in ticks]
    return [seconds for seconds, _ in both], [n for n, (_, jumped) in enumerate(both) if jumped]


def transport_clock(start: float = 0.0, bridge: Bridge = "both") -> StreamClock:
    return StreamClock(Fraction(1, 90_000), 0.04, 10.0, starts_at_seconds=start, bridge=bridge)


FRAME = 3600
"""Ticks of a frame at 25 per second."""
WRAP = 1 << 33


@pytest.mark.parametrize("start_ticks", [0, 126_000, 324_000_000, -100_592, WRAP - 10 * FRAME])
def test_time_counts_from_the_beginning(start_ticks):
    times, jumps = seconds_of(transport_clock(start_ticks / 90_000), [start_ticks + FRAME * n for n in range(50)])
    assert times == pytest.approx([0.04 * n for n in range(50)])
    assert jumps == []


def test_a_first_picture_behind_the_beginning_is_shown_late_and_one_before_it_is_the_beginning():
    assert transport_clock(1.0).advance(90_000 + 9 * FRAME)[0] == pytest.approx(0.36)
    assert transport_clock(1.0).advance(90_000 - 9 * FRAME)[0] == 0.0


@pytest.mark.parametrize("wrap", [1 << 33, 1 << 32])
def test_a_counter_that_begins_anew_is_no_jump(wrap):
    ticks = [(wrap - 5 * FRAME + FRAME * n) % wrap for n in range(20)]
    times, jumps = seconds_of(transport_clock(ticks[0] / 90_000), ticks)
    assert times == pytest.approx([0.04 * n for n in range(20)])
    assert jumps == []


@pytest.mark.parametrize("second", [126_000, 324_000_000, 126_000 + 40 * FRAME - 20 * FRAME])
def test_time_goes_on_over_joined_files(second):
    ticks = [126_000 + FRAME * n for n in range(40)] + [second + FRAME * n for n in range(40)]
    times, jumps = seconds_of(transport_clock(1.4), ticks)
    assert times == pytest.approx([0.04 * n for n in range(80)])
    assert jumps == [40]


def test_where_time_stamps_are_to_be_believed_a_pause_stays_a_pause():
    ticks = [FRAME * n for n in range(10)] + [60 * 90_000 + FRAME * n for n in range(10)] + [FRAME * n for n in range(10)]
    times, jumps = seconds_of(transport_clock(0.0, "backward"), ticks)
    assert times[10] == pytest.approx(60.0)
    assert times[20] == pytest.approx(times[19] + 0.04)
    assert jumps == [10, 20]


def test_frames_without_a_time_stamp_are_carried_on():
    times, jumps = seconds_of(transport_clock(1.0), [90_000, None, None, 90_000 + 3 * FRAME])
    assert times == pytest.approx([0, 0.04, 0.08, 0.12])
    assert jumps == []


def test_flv_of_more_than_31_bits_goes_on():
    """FLV's stamps begin anew behind 31 bits of milliseconds, and FFmpeg adds 32."""
    ticks = [(1 << 31) - 200 + 40 * n for n in range(10)]
    ticks = [tick if tick < 1 << 31 else tick + (1 << 31) for tick in ticks]
    clock = StreamClock(Fraction(1, 1000), 0.04, 10.0, starts_at_seconds=ticks[0] / 1000, bridge="backward")
    times, jumps = seconds_of(clock, ticks)
    assert times == pytest.approx([0.04 * n for n in range(10)])
    assert jumps == []


@pytest.mark.parametrize(("origin_seconds", "first"), [(3600.0, 3600.08), (0.9, 0.98), (0.0, 0.0), (0.0, 0.08)])
def test_pictures_before_the_first_time_stamp_of_a_recording_are_its_neighbours(origin_seconds, first):
    clock = StreamClock(
        Fraction(1, 90_000), 0.04, 10.0, starts_at_seconds=origin_seconds, bridge="backward", unstamped_first=True
    )
    ticks = [None, None, *(round((first + 0.04 * n) * 90_000) for n in range(4))]
    times, jumps = seconds_of(clock, ticks)
    assert times == pytest.approx([0.04 * n for n in range(6)])
    assert jumps == []


def test_pictures_of_a_time_lapse_are_far_apart():
    times, jumps = seconds_of(StreamClock(Fraction(1), 15.0, 10.0, starts_at_seconds=0.0, bridge="both"), [0, 15, 30, 45, 105])
    assert times == [0.0, 15.0, 30.0, 45.0, 60.0]
    assert jumps == [4]


@given(
    st.lists(st.tuples(st.integers(0, WRAP - 1), st.integers(1, 30)), min_size=1, max_size=8),
)
def test_time_never_runs_backwards_through_joins_and_wraps(parts):
    ticks = [(start + FRAME * n) % WRAP for start, count in parts for n in range(count)]
    times, _ = seconds_of(transport_clock(ticks[0] / 90_000), ticks)
    assert times[0] == 0.0
    assert all(later > earlier - 1.5 * 0.04 - 1e-9 for earlier, later in pairwise(times))
    assert times[-1] <= 10.0 * len(times)


@pytest.mark.parametrize("first", [3600, 903_601, -5_000_000, 3_395_870_896, 0])
def test_a_camera_whose_first_picture_has_no_time_goes_on_with_the_next(first):
    clock = StreamClock(Fraction(1, 90_000), 0.04, 10.0, 0.5, unstamped_first=True)
    steps = [clock.advance(ticks) for ticks in (None, first, first + 3600, None, first + 3 * 3600)]
    assert [seconds for seconds, _ in steps] == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16])
    assert not any(jumped for _, jumped in steps)
    assert clock.advance(first + 20 * 90_000)[1], "a later jump is one"


def test_a_first_step_of_a_slow_camera_is_kept():
    clock = StreamClock(Fraction(1, 90_000), 0.04, 10.0, unstamped_first=True)
    assert [clock.advance(ticks)[0] for ticks in (None, 45_000)] == [0.0, 0.5]


def recording_clock(start: float = 0.0) -> StreamClock:
    return StreamClock(
        Fraction(1, 25), 0.04, 10.0, starts_at_seconds=start, bridge="backward", unstamped_first=True, unstamped_repeats=True
    )


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ([0, 1, 2, 2, 2, 2], [0, 1, 2, 3, 4, 5]),
        ([0, 0, 0, 3, 3, 3, 6], [0, 1, 2, 3, 4, 5, 6]),
        ([0, 0, 1, 1, 2, 2, 3, 4], [0, 1, 1, 2, 2, 3, 3, 4]),
        ([0, 0, 0, 1, 5], [0, 1, 2, 2, 5]),
        ([7, None, None, 8, 8, 12], [0, 1, 2, 2, 3, 5]),
    ],
)
def test_a_time_stamp_that_comes_again_is_none_and_time_does_not_run_back(ticks, expected):
    times, jumps = seconds_of(recording_clock((ticks[0] or 0) / 25), ticks)
    assert times == pytest.approx([0.04 * n for n in expected])
    assert jumps == []


@pytest.mark.parametrize(
    ("ticks", "expected"),
    [
        ([*range(3), *[2] * 50, *range(3, 60)], range(110)),
        ([*[0] * 20, *range(1, 40)], range(59)),
        ([*[0] * 20, *range(1, 10), *[9] * 20, *range(10, 30)], range(69)),
        ([0, *[1] * 40, 2, 40], [*range(42), 79]),
        ([*range(3), *[2] * 12, *range(3, 30)], [*range(15), *[14] * 12, *range(15, 30)]),  # not for long: it waits for them
        ([0] * 12 + [6] * 12 + [12] * 12, [*range(12), *[11] * 1, *range(12, 23), *[22] * 1, *range(23, 34)]),  # half the rate
    ],
)
def test_where_time_stamps_stood_still_for_long_time_goes_on_behind_them(ticks, expected):
    times, jumps = seconds_of(recording_clock(), ticks)
    assert times == pytest.approx([0.04 * n for n in expected])
    assert jumps == []


@pytest.mark.parametrize("ticks", [[5, 6, 7], [-3, -2, -1], [None, 90, 91], [None, None, None]])
def test_where_nothing_says_when_it_begins_the_first_picture_is_the_beginning(ticks):
    times, jumps = seconds_of(recording_clock(float("inf")), ticks)
    assert times == pytest.approx([0.0, 0.04, 0.08])
    assert jumps == []


@pytest.mark.parametrize("bridge", ["backward", "both"])
@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([0, 1, 2, 1.5, 3, 4], [0, 1, 2, 2, 3, 4]),
        ([0, 1, 2, 1, 2, 3], [0, 1, 2, 2, 2, 3]),
        ([0, 1, 2, 0.6, 1.6, 2.6], [0, 1, 2, 2, 2, 2.6]),
        ([0, 1, 2, 1, 1, 2, 3], [0, 1, 2, 2, 2, 2, 3]),
        ([50, 49, 48, 47, 46, 45, 44], [0, 0, 1, 2, 3, 4, 5]),
        ([0, 1, 2, 1, 0, -1, -2], [0, 1, 2, 2, 3, 4, 5]),
    ],
)
def test_time_waits_where_stamps_step_back_and_goes_on_where_they_keep_doing_so(bridge, frames, expected):
    clock = StreamClock(Fraction(1, 1000), 0.04, 10.0, starts_at_seconds=frames[0] * 0.04, bridge=bridge)
    assert seconds_of(clock, [round(40 * frame) for frame in frames]) == (pytest.approx([0.04 * n for n in expected]), [])


@given(
    st.lists(st.one_of(st.none(), st.integers(-100, 100), st.integers(-30_000, 30_000)), max_size=30),
    st.sampled_from(["backward", "both"]),
    st.booleans(),
)
def test_time_of_a_recording_never_runs_backwards(steps: list[int | None], bridge, repeats: bool):
    clock = StreamClock(Fraction(1, 1000), 0.04, 10.0, starts_at_seconds=0.0, bridge=bridge, unstamped_repeats=repeats)
    stamps = accumulate((step or 0 for step in steps), initial=0)
    times, _ = seconds_of(clock, [None if step is None else stamp for step, stamp in zip([0, *steps], stamps, strict=True)])
    assert all(before <= after + 1e-9 for before, after in pairwise(times))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.client.age import _DISBELIEVED, AgeLimit, is_same_machine

SECOND = 1_000_000_000
AGES = st.integers(0, 10 * SECOND)


@given(AGES, st.booleans())
def test_on_one_machine_the_age_is_the_age(age_ns, waited):
    limit = AgeLimit(1.0, same_clock=True)
    assert limit.is_stale(5 * SECOND, 5 * SECOND + age_ns, waited) == (age_ns > SECOND)


@given(st.lists(AGES, min_size=1, max_size=50), st.integers(-(10**6) * SECOND, 10**6 * SECOND))
def test_clocks_that_differ_make_no_difference(ages_ns, skew_ns):
    """The first message comes at once; whatever the clocks say, the same messages are too old."""
    limit = AgeLimit(1.0, same_clock=False)
    found = [limit.is_stale(0, age_ns + skew_ns, waited=False) for age_ns in [0, *ages_ns]]
    assert found == [False, *(age_ns > SECOND for age_ns in ages_ns)]


def test_a_clock_that_was_set_is_noticed_when_nothing_waits():
    limit = AgeLimit(1.0, same_clock=False)
    assert not limit.is_stale(0, 0, waited=True)
    late = [limit.is_stale(0, 3600 * SECOND, waited=True) for _ in range(_DISBELIEVED + 5)]
    assert late == [True] * (_DISBELIEVED - 1) + [False] * 6


def test_a_queue_is_not_taken_for_a_clock_that_was_set():
    limit = AgeLimit(1.0, same_clock=False)
    assert not limit.is_stale(0, 0, waited=True)
    assert all(limit.is_stale(0, 5 * SECOND, waited=False) for _ in range(10 * _DISBELIEVED))
    same = AgeLimit(1.0, same_clock=True)
    assert all(same.is_stale(0, 5 * SECOND, waited=True) for _ in range(10 * _DISBELIEVED))


@pytest.mark.parametrize(
    ("endpoint", "same"),
    [
        ("ipc:///run/faces", True),
        ("tcp://127.0.0.1:5556", True),
        ("tcp://localhost:5556", True),
        ("tcp://[::1]:5556", True),
        ("tcp://192.0.2.7:5556", False),
        ("tcp://localhost.example.org:5556", False),
    ],
)
def test_only_loopback_certainly_has_the_same_clock(endpoint, same):
    assert is_same_machine(endpoint) is same

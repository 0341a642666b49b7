"""People are drawn, with all their faces and pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trt_build.measures.bootstrap import Interval, draw_people, interval
from trt_build.measures.verification import generated_pairs


def test_the_first_row_is_everybody_once_and_others_draw_as_many_people():
    draws = draw_people(["a", "a", "b", "c"], 50, 1)
    np.testing.assert_array_equal(draws.whose, [0, 0, 1, 2])
    np.testing.assert_array_equal(draws.counts[0], [1, 1, 1])
    np.testing.assert_array_equal(draws.counts.sum(axis=1), 3)
    np.testing.assert_array_equal(draws.counts, draw_people(["a", "a", "b", "c"], 50, 1).counts)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), st.integers(0, 99))
def test_a_mean_weighs_every_face_as_often_as_its_person_is_drawn(people, seed):
    draws = draw_people(people, 5, seed)
    values = np.random.default_rng(seed).normal(size=len(people))
    expected = [np.average(values, weights=row[draws.whose]) for row in draws.counts]
    np.testing.assert_allclose(draws.means(values), expected)


def test_pairs_of_two_people_weigh_the_product():
    people = ["a", "a", "b", "b", "c"]
    draws, pairs = draw_people(people, 20, 3), generated_pairs(people, 0)
    for turn in range(21):
        row = draws.counts[turn]
        for weight, left, right, same in zip(draws.of_pairs(pairs, turn), pairs.left, pairs.right, pairs.same, strict=True):
            one, other = row[draws.whose[left]], row[draws.whose[right]]
            assert weight == (one if same else one * other)


def test_an_interval_holds_the_mean_of_a_large_sample():
    values = np.random.default_rng(2).normal(3, 1, 400)
    found = interval(draw_people([str(i) for i in range(400)], 300, 2).means(values))
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(4 * 1 / 20, rel=0.3)


def test_rounds_without_a_figure_do_not_count():
    assert interval(np.array([1.0, np.nan, 2.0, 2.0])) == Interval(1, 2, 2)
    nothing = interval(np.array([1.0]))
    assert np.isnan([nothing.low, nothing.high]).all()
    assert nothing.sign == 0


@pytest.mark.parametrize(("low", "high", "sign"), [(0.1, 0.2, 1), (-0.2, -0.1, -1), (-0.1, 0.1, 0), (0, 0, 0)])
def test_a_sign_needs_an_interval_without_zero(low, high, sign):
    assert Interval(0, low, high).sign == sign

"""The assignment is SciPy's, also where several are equally good."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.track.assignment import best_pairs

linear_sum_assignment = pytest.importorskip("scipy.optimize", reason="the reference is SciPy's").linear_sum_assignment
sides = st.tuples(st.integers(1, 7), st.integers(1, 7))


def reference(gain: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(*(side.tolist() for side in linear_sum_assignment(gain, maximize=True)), strict=True))


@settings(max_examples=150)
@given(arrays.arrays(np.float64, sides, elements=st.floats(0, 1)))
def test_any_numbers(gain: np.ndarray):
    assert best_pairs(gain) == reference(gain)


@settings(max_examples=100)
@given(arrays.arrays(np.float64, sides, elements=st.sampled_from([0.0, 0.5, 1.0])))
def test_ties(gain: np.ndarray):
    assert best_pairs(gain) == reference(gain)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_to_pair(shape: tuple[int, int]):
    assert best_pairs(np.zeros(shape)) == []

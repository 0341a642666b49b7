"""Leaving out who cannot be among the first changes nothing but time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.verify.gallery import leaf
from engine.verify.gallery import nearest as module
from engine.verify.gallery.nearest import _bounds, nearest
from engine.verify.gallery.snapshot import Snapshot
from tests.verify.measured import measured

LENGTH = 24
ONE = measured(LENGTH)


def drawn(people: int, pictures: int, seed: int, spread: float) -> Snapshot:
    """People around one mean, more alike in later directions; some twice."""
    random = np.random.default_rng(seed)
    rows = 1 + random.normal(size=(people * pictures, LENGTH)) * spread * 0.8 ** np.arange(LENGTH)
    rows[-people // 10 :] = rows[: people // 10 or 1][:1]
    names = [f"person {row // pictures}" for row in range(len(rows))]
    return Snapshot.of(names, (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([1, 3, 40, 700]), st.sampled_from([1, 3]), st.integers(0, 999), st.sampled_from([0.0, 0.3, 3.0]),
    st.sampled_from([1, 2, 5, 50]),
)  # fmt: skip
def test_the_first_ones_are_those_of_comparing_all_in_full(
    monkeypatch: pytest.MonkeyPatch, people: int, pictures: int, seed: int, spread: float, limit: int
) -> None:
    monkeypatch.setattr(leaf, "PEOPLE", 50)
    everyone = drawn(people, pictures, seed, spread)
    for face in (*drawn(2, 1, seed + 1, spread).matrix, everyone.matrix[0], -everyone.matrix[0]):
        monkeypatch.setattr(module, "_FEW", 10**9)
        expected = nearest(everyone, ONE, face, limit)
        monkeypatch.setattr(module, "_FEW", 0)
        assert nearest(everyone, ONE, face, limit) == expected
        monkeypatch.setattr(module, "_WORTH", 1)
        monkeypatch.setattr(module, "_MOST_REST", 1.0)
        assert nearest(everyone, ONE, face, limit) == expected


@pytest.mark.parametrize("rest", [1e-6, 0.05, 0.9])
def test_a_bound_is_never_below_what_it_bounds(monkeypatch: pytest.MonkeyPatch, rest: float) -> None:
    from engine.verify import open_set

    monkeypatch.setattr(open_set, "_REST", rest)
    one, people = measured(LENGTH), drawn(500, 1, 1, 1.0)
    for face in drawn(20, 1, 2, 1.0).matrix:
        exact = people.matrix.astype(np.float64) @ face - people.crowding(one.crowd) / 2
        assert (_bounds(people, one, face) >= exact - module._SLACK / 10).all()
    assert 0 < len(one.directions) <= 20
